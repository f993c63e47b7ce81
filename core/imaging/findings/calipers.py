"""Caliper crosses in and around a lesion box: which they are, and painting them over."""

from dataclasses import replace

import numpy as np

from core.imaging.findings.overlays import LONGEST_ARM
from core.imaging.findings.whole_frame import get_survey
from core.imaging.frame import Frame, Roi

_MARGIN = 0.25
_FILL_ROUNDS = 60


def find_calipers(frame: Frame, roi: Roi) -> tuple[tuple[int, int], ...]:
    """Find caliper crosses (+) in and around a lesion box: to a quarter of its longer side beyond it.

    Parameters
    ----------
    frame : Frame
        The frame.
    roi : Roi
        Lesion box in the frame's pixels.

    Returns
    -------
    tuple of (int, int)
        (x, y) of each cross, in the frame's pixels.
    """
    reach = _MARGIN * max(roi.width, roi.height) + LONGEST_ARM
    return tuple(
        (x, y)
        for x, y in get_survey(frame).crosses
        if roi.x0 - reach <= x <= roi.x1 + reach and roi.y0 - reach <= y <= roi.y1 + reach
    )


def remove_calipers(frame: Frame, calipers: tuple[tuple[int, int], ...]) -> Frame:
    """Fill caliper crosses from the pixels around them, and say so in the frame's notes.

    Each cross is replaced by the harmonic surface through its surroundings: smooth, without any structure of its own.

    Parameters
    ----------
    frame : Frame
        The frame.
    calipers : tuple of (int, int)
        (x, y) of each cross, from `find_calipers`.

    Returns
    -------
    Frame
        The frame without them, not surveyed yet; the same one if there are none.
    """
    if not calipers:
        return frame
    mask = np.zeros(frame.pixels.shape, bool)
    reach = LONGEST_ARM + 1
    for x, y in calipers:
        mask[max(0, y - 2) : y + 3, max(0, x - reach) : x + reach + 1] = True
        mask[max(0, y - reach) : y + reach + 1, max(0, x - 2) : x + 3] = True
    rows, cols = np.nonzero(mask)
    above, below = np.maximum(rows - 1, 0), np.minimum(rows + 1, frame.height - 1)
    left, right = np.maximum(cols - 1, 0), np.minimum(cols + 1, frame.width - 1)
    filled = frame.pixels.astype(np.float32)
    filled[mask] = np.median(filled[~mask])
    for _ in range(_FILL_ROUNDS):
        around = filled[above, cols] + filled[below, cols] + filled[rows, left] + filled[rows, right]
        filled[rows, cols] = around / 4
    note = f"{len(calipers)} caliper marks were painted over from the pixels around them."
    return replace(frame, pixels=np.round(filled).astype(np.uint8), notes=(*frame.notes, note), survey=None)
