"""Whether a frame and its lesion box suit the model: one finding a check, each with a sentence."""

import numpy as np

from core.imaging.frame import Finding, Frame, Roi


def assess_quality(frame: Frame, roi: Roi) -> tuple[Finding, ...]:
    """Check a frame and a lesion box.

    Parameters
    ----------
    frame : Frame
        The frame.
    roi : Roi
        Lesion box in the frame's pixels.

    Returns
    -------
    tuple of Finding
        What was found, the worst first; a single "ok" where nothing was.
    """
    checks = (_check_blank(frame), _check_box(frame, roi))
    found = sorted((finding for finding in checks if finding), key=lambda finding: finding.status != "refused")
    return tuple(found) or (Finding("ok", "Image and lesion box suit the model.", "quality"),)


def _check_blank(frame: Frame) -> Finding | None:
    if np.ptp(np.percentile(frame.pixels, (1, 99))) < 8:
        return Finding("refused", "The image is blank. Upload the B-mode image itself.", "blank")
    return None


def _check_box(frame: Frame, roi: Roi) -> Finding | None:
    if roi.x0 <= 0 or roi.y0 <= 0 or roi.x1 >= frame.width or roi.y1 >= frame.height:
        return Finding("caution", "The lesion box touches the image's edge: part of the lesion may be missing.", "edge")
    if min(roi.width, roi.height) < 16:
        return Finding(
            "caution", "The lesion box is smaller than 16 pixels: too little of the lesion is seen.", "small"
        )
    return None
