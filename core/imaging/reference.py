"""What breast ultrasound looks like in general: measured on real images, for the check of `assess_quality`."""

from core.imaging.appearance import AppearanceReference

BREAST_ULTRASOUND: AppearanceReference | None = None
