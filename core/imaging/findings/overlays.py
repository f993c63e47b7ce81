"""What a machine draws over the tissue: caliper crosses, words, and the seam between two views.

All of them are sharper across the beam than tissue can be: the lateral resolution of ultrasound is poor, so a bright
vertical stroke of one to three pixels was drawn. Only numpy, since it runs in the decoder's process.
"""

import numpy as np

from core.imaging.findings.running_sums import slide
from core.imaging.frame import Roi

_ARMS = (3, 4, 5, 6, 8)
LONGEST_ARM = max(_ARMS)
_PAD = LONGEST_ARM + 3
_CROSS_CONTRAST = 40
_CROSS_LEVEL = 110
_MOST_CROSSES = 100
_STROKE_CONTRAST = 45
_STROKE_HEIGHTS = (3, 18)
_WORD = (16, 48)
STROKES_A_WORD = 5
_SEAM_RATIO = 3.5  # of 1875 single BUS-BRA images 2 pass both, of 400 made pairs all
_SEAM_SHARE = 0.8


def find_crosses(pixels: np.ndarray) -> tuple[tuple[int, int], ...]:
    """Find caliper crosses (+)."""
    padded = np.pad(pixels, _PAD, mode="edge")
    rows, cols = _cross_candidates(padded)
    if not rows.size:
        return ()
    strength = np.max([_cross_strength(padded, rows, cols, arm) for arm in _ARMS], axis=0)
    order = np.argsort(-strength, kind="stable")
    order = order[strength[order] >= _CROSS_CONTRAST]
    rows, cols = rows[order] - _PAD, cols[order] - _PAD
    found: list[tuple[int, int]] = []
    while rows.size and len(found) < _MOST_CROSSES:
        found.append((int(cols[0]), int(rows[0])))
        far = np.maximum(np.abs(rows - rows[0]), np.abs(cols - cols[0])) > LONGEST_ARM
        rows, cols = rows[far], cols[far]
    return tuple(found)


def _cross_candidates(padded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of pixels whose shortest arms are bright, and darker two pixels away on the diagonals."""
    height, width = (side - 2 * _PAD for side in padded.shape)

    def look(down: int, right: int, rows: int = height, cols: int = width) -> np.ndarray:
        return padded[_PAD + down : _PAD + down + rows, _PAD + right : _PAD + right + cols]

    arm = _ARMS[0]
    length = 2 * arm + 1
    marks = slide(np.logical_and, look(-arm, 0, rows=height + 2 * arm) >= _CROSS_LEVEL, length)
    marks &= slide(np.logical_and, (look(0, -arm, cols=width + 2 * arm) >= _CROSS_LEVEL).T, length).T
    most = look(0, 0) - np.uint8(_CROSS_CONTRAST)
    brighter = sum((look(y, x) > most).view(np.uint8) for y in (-2, 2) for x in (-2, 2))
    marks &= brighter <= 1  # at most one of the quarters may be brighter
    rows, cols = np.divmod(np.flatnonzero(marks), width)
    return rows + _PAD, cols + _PAD


def _cross_strength(padded: np.ndarray, rows: np.ndarray, cols: np.ndarray, arm: int) -> np.ndarray:
    """Contrast of a cross with arms of a length at each place; 0 where the arms are not bright enough."""

    def look(places: list[tuple[int, int]]) -> np.ndarray:
        down, right = np.array(places).T
        return padded[rows + down[:, None], cols + right[:, None]].astype(np.int16)

    steps, beyond, far = range(-arm, arm + 1), arm + 3, max(2, arm - 1)
    arms = look([(step, 0) for step in steps] + [(0, step) for step in steps]).min(axis=0)
    quarters = look([(y * step, x * step) for y in (-1, 1) for x in (-1, 1) for step in (2, far)])
    ends = look([(beyond, 0), (-beyond, 0), (0, beyond), (0, -beyond)])
    background = np.maximum(np.sort(quarters, axis=0)[-2], np.sort(ends, axis=0)[-2])
    return np.where(arms >= _CROSS_LEVEL, arms - background, 0)


def find_words(
    pixels: np.ndarray, *, least_strokes: int = STROKES_A_WORD, flow: np.ndarray | None = None
) -> tuple[Roi, ...]:
    """Find where words are burned into a B-mode area; `flow` marks where no stroke is a letter's.

    Boxes of 16 x 48 pixels with so many separate strokes, one to three pixels wide and 3 to 17 high: rulers and frames
    don't count.
    """
    strokes = _thin_verticals(pixels)
    if flow is not None:
        strokes &= ~flow
    least, most = _STROKE_HEIGHTS
    short, long = _runs(strokes, least), _runs(strokes, most)
    height, width = pixels.shape
    tops, lefts = np.arange(0, height, _WORD[0] // 2), np.arange(0, width, _WORD[1] // 2)
    bottoms, rights = np.minimum(tops + _WORD[0], height), np.minimum(lefts + _WORD[1], width)
    below = _WORD[0] - 1
    columns = slide(np.logical_or, np.pad(short, ((0, below), (0, 0))), _WORD[0])[tops]
    columns &= ~slide(np.logical_or, np.pad(long, ((most, below), (0, 0))), _WORD[0] + most)[tops]
    starts = columns.copy()
    starts[:, 1:] &= ~columns[:, :-1]
    counted = np.pad(np.cumsum(starts, axis=1), ((0, 0), (1, 0)))
    cut = columns[:, lefts] & ~starts[:, lefts]  # a stroke that the window's left edge cuts counts in it
    full = counted[:, rights] - counted[:, lefts] + cut >= least_strokes
    return tuple(
        Roi(float(lefts[col]), float(tops[row]), float(rights[col]), float(bottoms[row]))
        for row, col in zip(*np.nonzero(full), strict=True)
    )


def find_strokes(pixels: np.ndarray) -> np.ndarray:
    """Mark the tops of thin vertical strokes as letters have them, shape of the pixels."""
    return _runs(_thin_verticals(pixels), _STROKE_HEIGHTS[0])


def _thin_verticals(pixels: np.ndarray) -> np.ndarray:
    """Pixels brighter by more than 45 levels than those three to the left and three to the right."""
    marks = np.zeros(pixels.shape, bool)
    least = np.maximum(pixels, _STROKE_CONTRAST) - np.uint8(_STROKE_CONTRAST)
    marks[:, 3:-3] = (least[:, 3:-3] > pixels[:, :-6]) & (least[:, 3:-3] > pixels[:, 6:])
    return marks


def _runs(marks: np.ndarray, length: int) -> np.ndarray:
    """Pixels from which so many marked ones run down."""
    if len(marks) < length:
        return np.zeros_like(marks)
    return np.pad(slide(np.logical_and, marks, length), ((0, length - 1), (0, 0)))


def find_seam(pixels: np.ndarray) -> float | None:
    """Find the seam of two views side by side."""
    height, width = pixels.shape
    quarter = width // 4
    if quarter < 8 or height < 32:
        return None
    steps = np.maximum(pixels[:, 1:], pixels[:, :-1]) - np.minimum(pixels[:, 1:], pixels[:, :-1])
    means = steps.mean(axis=0)
    at = quarter + int(np.argmax(means[quarter:-quarter]))
    if means[at] <= _SEAM_RATIO * np.median(means):
        return None
    differs = np.mean(steps[:, at] > np.median(steps, axis=1))
    return float(at + 1) if differs > _SEAM_SHARE else None
