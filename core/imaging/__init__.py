"""Image files as hospitals have them, to frames and model inputs; no patient data passes."""

from core.imaging.crop import prepare_input
from core.imaging.frame import Finding, Frame, ImageInfo, Item, Region, Roi
from core.imaging.guess import default_roi
from core.imaging.intake import deidentify, inspect_image, read_frame, read_frames
from core.imaging.quality import assess_quality

__all__ = [
    "Finding",
    "Frame",
    "ImageInfo",
    "Item",
    "Region",
    "Roi",
    "assess_quality",
    "default_roi",
    "deidentify",
    "inspect_image",
    "prepare_input",
    "read_frame",
    "read_frames",
]
