"""Image files as hospitals have them, to frames and model inputs; no patient data passes."""

from core.imaging.crop import prepare_input
from core.imaging.findings.lesion_box import default_roi
from core.imaging.findings.quality import assess_quality
from core.imaging.frame import CleanedFile, Finding, Frame, ImageInfo, Item, Region, Roi
from core.imaging.intake import deidentify, inspect_image, read_frame, read_frames

__all__ = [
    "CleanedFile",
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
