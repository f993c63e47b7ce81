"""What a machine draws over the tissue: calipers, words, and the seam between two views.

All of them are sharper across the beam than tissue can be: the lateral resolution of ultrasound is poor, so a bright
vertical stroke of one to three pixels was drawn.
"""

from dataclasses import replace

import numpy as np

from core.imaging.frame import Frame, Roi

_ARMS = (3, 4, 5, 6, 8)
_CROSS_CONTRAST = 40
_CROSS_LEVEL = 110
_STROKE_CONTRAST = 45
_STROKE_HEIGHTS = (3, 18)
_WORD = (16, 48)
_STROKES_A_WORD = 5
_SEAM_RATIO = 2.5
_SEAM_SHARE = 0.7
_FILL_ROUNDS = 60


def find_calipers(frame: Frame, roi: Roi, margin: float = 0.25) -> tuple[tuple[int, int], ...]:
    """Find caliper crosses (+) in and around a lesion box.

    A cross is a pixel whose two thin arms, of 3 to 8 pixels, are brighter by 40 levels than the four quarters between
    them and than what follows the arms' ends.

    Parameters
    ----------
    frame : Frame
        The frame.
    roi : Roi
        Lesion box in the frame's pixels.
    margin : float
        Share of the box's longer side to look beyond it.

    Returns
    -------
    tuple of (int, int)
        (x, y) of each cross, in the frame's pixels.
    """
    reach = margin * max(roi.width, roi.height) + max(_ARMS)
    x0, y0 = max(0, int(roi.x0 - reach)), max(0, int(roi.y0 - reach))
    part = frame.pixels[y0 : int(roi.y1 + reach) + 1, x0 : int(roi.x1 + reach) + 1].astype(np.int16)
    if not part.size:
        return ()
    strength = np.max([_cross_strength(part, arm) for arm in _ARMS], axis=0)
    found: list[tuple[int, int]] = []
    for at in np.argsort(strength, axis=None)[::-1]:
        y, x = divmod(int(at), part.shape[1])
        if strength[y, x] < _CROSS_CONTRAST:
            break
        if all(max(abs(x + x0 - other[0]), abs(y + y0 - other[1])) > max(_ARMS) for other in found):
            found.append((x + x0, y + y0))
    return tuple(found)


def _shift(padded: np.ndarray, pad: int, dy: int, dx: int) -> np.ndarray:
    """Return the padded image's inner part, moved so that [y, x] holds the pixel at [y + dy, x + dx]."""
    height, width = padded.shape[0] - 2 * pad, padded.shape[1] - 2 * pad
    return padded[pad + dy : pad + dy + height, pad + dx : pad + dx + width]


def _cross_strength(part: np.ndarray, arm: int) -> np.ndarray:
    """Contrast of a cross with arms of a length at each pixel; 0 where the arms are not bright enough."""
    pad = arm + 3
    padded = np.pad(part, pad, mode="edge")
    arms = np.min([_shift(padded, pad, d, 0) for d in range(-arm, arm + 1)], axis=0)
    arms = np.minimum(arms, np.min([_shift(padded, pad, 0, d) for d in range(-arm, arm + 1)], axis=0))
    far = max(2, arm - 1)
    quarters = [_shift(padded, pad, sy * d, sx * d) for sy in (-1, 1) for sx in (-1, 1) for d in (2, far)]
    ends = [_shift(padded, pad, dy, dx) for dy, dx in ((pad, 0), (-pad, 0), (0, pad), (0, -pad))]
    background = np.maximum(np.sort(quarters, axis=0)[-2], np.sort(ends, axis=0)[-2])
    return np.where(arms >= _CROSS_LEVEL, arms - background, 0)


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
        The frame without them; the same one if there are none.
    """
    if not calipers:
        return frame
    mask = np.zeros(frame.pixels.shape, bool)
    reach = max(_ARMS) + 1
    for x, y in calipers:
        mask[max(0, y - 2) : y + 3, max(0, x - reach) : x + reach + 1] = True
        mask[max(0, y - reach) : y + reach + 1, max(0, x - 2) : x + 3] = True
    filled = frame.pixels.astype(np.float32)
    filled[mask] = np.median(filled[~mask])
    for _ in range(_FILL_ROUNDS):
        padded = np.pad(filled, 1, mode="edge")
        mean = (padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]) / 4
        filled[mask] = mean[mask]
    note = f"{len(calipers)} caliper marks were painted over from the pixels around them."
    return replace(frame, pixels=np.round(filled).astype(np.uint8), notes=(*frame.notes, note))


def find_text(frame: Frame) -> tuple[Roi, ...]:
    """Find where words are burned into the image.

    Parameters
    ----------
    frame : Frame
        The frame.

    Returns
    -------
    tuple of Roi
        Boxes of 16 x 48 pixels with at least five separate strokes, one to three pixels wide and 3 to 17 high: rulers
        and frames don't count.
    """
    strokes = _thin_verticals(frame.pixels.astype(np.int16))
    short, long = (_runs(strokes, length) for length in _STROKE_HEIGHTS)
    height, width = _WORD
    corners = [(y, x) for y in range(0, frame.height, height // 2) for x in range(0, frame.width, width // 2)]
    boxes = []
    for y, x in corners:
        columns = short[y : y + height, x : x + width].any(axis=0)
        columns &= ~long[max(0, y - _STROKE_HEIGHTS[1]) : y + height, x : x + width].any(axis=0)
        if np.count_nonzero(np.diff(columns, prepend=False) & columns) >= _STROKES_A_WORD:
            boxes.append(Roi(x, y, min(x + width, frame.width), min(y + height, frame.height)))
    return tuple(boxes)


def _thin_verticals(image: np.ndarray) -> np.ndarray:
    """Pixels brighter by 45 levels than those three to the left and three to the right."""
    marks = np.zeros(image.shape, bool)
    middle = image[:, 3:-3]
    marks[:, 3:-3] = (middle - image[:, :-6] > _STROKE_CONTRAST) & (middle - image[:, 6:] > _STROKE_CONTRAST)
    return marks


def _runs(marks: np.ndarray, length: int) -> np.ndarray:
    """Pixels from which so many marked ones run down."""
    runs = marks.copy()
    for step in range(1, min(length, len(marks))):
        runs[:-step] &= marks[step:]
        runs[-step:] = False
    return runs


def find_seam(frame: Frame) -> float | None:
    """Find the seam of two views side by side.

    Neighbouring columns of one view look alike; at a seam they differ over nearly the whole depth.

    Parameters
    ----------
    frame : Frame
        The frame.

    Returns
    -------
    float or None
        x of the seam in the frame's pixels; None where there is one view.
    """
    steps = np.abs(np.diff(frame.pixels.astype(np.int16), axis=1))
    quarter = frame.width // 4
    if quarter < 8 or frame.height < 32:
        return None
    typical = np.median(steps, axis=1, keepdims=True)
    means = steps.mean(axis=0)
    inner = means[quarter:-quarter]
    at = quarter + int(np.argmax(inner))
    differs = np.mean(steps[:, at] > typical[:, 0])
    return float(at + 1) if means[at] > _SEAM_RATIO * np.median(means) and differs > _SEAM_SHARE else None
