"""Caliper crosses and words in and around a lesion box: which they are, and painting them over."""

from dataclasses import replace

import numpy as np

from core.imaging.findings.overlays import LONGEST_ARM
from core.imaging.findings.whole_frame import get_survey
from core.imaging.frame import Frame, Roi

_MARGIN = 0.25
_FILL_ROUNDS = 60


def find_calipers(frame: Frame, roi: Roi) -> tuple[tuple[int, int], ...]:
    """Find caliper crosses (+) in and around a lesion box: to a quarter of its longer side beyond it."""
    reach = _MARGIN * max(roi.width, roi.height) + LONGEST_ARM
    return tuple(
        (x, y)
        for x, y in get_survey(frame).crosses
        if roi.x0 - reach <= x <= roi.x1 + reach and roi.y0 - reach <= y <= roi.y1 + reach
    )


def find_near_words(frame: Frame, roi: Roi) -> tuple[Roi, ...]:
    """Find words in and around a lesion box, as far as `find_calipers` looks."""
    reach = _MARGIN * max(roi.width, roi.height) + LONGEST_ARM
    return tuple(
        word
        for word in get_survey(frame).words
        if word.x0 <= roi.x1 + reach
        and word.x1 >= roi.x0 - reach
        and word.y0 <= roi.y1 + reach
        and word.y1 >= roi.y0 - reach
    )


def remove_calipers(frame: Frame, calipers: tuple[tuple[int, int], ...], words: tuple[Roi, ...] = ()) -> Frame:
    """Fill caliper crosses, (x, y) each, and bright strokes of words, and say so in the frame's notes.

    Each mark is replaced by the harmonic surface through its surroundings: smooth, without any structure of its own.
    The frame is not surveyed yet; it is the same one if there are none.
    """
    if not calipers and not words:
        return frame
    mask = np.zeros(frame.pixels.shape, bool)
    reach = LONGEST_ARM + 1
    for x, y in calipers:
        mask[max(0, y - 2) : y + 3, max(0, x - reach) : x + reach + 1] = True
        mask[max(0, y - reach) : y + reach + 1, max(0, x - 2) : x + 3] = True
    for word in words:
        _mark_strokes(mask, frame.pixels, word)
    rows, cols = np.nonzero(mask)
    above, below = np.maximum(rows - 1, 0), np.minimum(rows + 1, frame.height - 1)
    left, right = np.maximum(cols - 1, 0), np.minimum(cols + 1, frame.width - 1)
    filled = frame.pixels.astype(np.float32)
    filled[mask] = np.median(filled[~mask])
    for _ in range(_FILL_ROUNDS):
        around = filled[above, cols] + filled[below, cols] + filled[rows, left] + filled[rows, right]
        filled[rows, cols] = around / 4
    note = f"{name_marks(calipers, words).capitalize()} were painted over from the pixels around them."
    return replace(frame, pixels=np.round(filled).astype(np.uint8), notes=(*frame.notes, note), survey=None)


def name_marks(calipers: tuple[tuple[int, int], ...], words: tuple[Roi, ...]) -> str:
    """Name what is burned in: "2 caliper marks", "words", or both."""
    plural = "s" if len(calipers) > 1 else ""
    named = [f"{len(calipers)} caliper mark{plural}"] if calipers else []
    return " and ".join([*named, "words"] if words else named)


def _mark_strokes(mask: np.ndarray, pixels: np.ndarray, word: Roi) -> None:
    """Mark the strokes of a word, brighter than half-way between its ground and its brightest pixel, and their rim."""
    x0, y0 = max(0, int(word.x0) - 2), max(0, int(word.y0) - 2)
    part = pixels[y0 : int(word.y1) + 3, x0 : int(word.x1) + 3].astype(np.float32)
    strokes = part > (np.median(part) + part.max()) / 2
    grown = strokes.copy()
    for axis in (0, 1):
        for shift in (-2, -1, 1, 2):
            grown |= np.roll(strokes, shift, axis)
    mask[y0 : y0 + part.shape[0], x0 : x0 + part.shape[1]] |= grown
