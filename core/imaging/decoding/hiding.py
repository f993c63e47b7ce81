"""What may identify a patient in the pixels of an ultrasound frame, made black: all but the tissue, and words on it."""

import numpy as np
from PIL import Image, ImageFilter

from core.imaging.decoding.raster import to_grey
from core.imaging.findings.overlays import find_strokes, find_words
from core.imaging.findings.sector import blacken_corners
from core.imaging.frame import Roi

_DARK = 12
_STROKE, _REACH = 9, 33
_ROOM = 6
_DOUBTFUL, _GAP, _LETTER = 3, 24, 8
_LEAST_SIDE = 64


def find_tissue(grey: np.ndarray) -> np.ndarray:
    """Tell tissue from what is written around it on a dark screen; shape (height, width)."""
    lit = Image.fromarray(np.where(grey > _DARK, 255, 0).astype(np.uint8))
    closed = lit.filter(ImageFilter.MaxFilter(5)).filter(ImageFilter.MinFilter(5))
    solid = np.asarray(closed.filter(ImageFilter.MinFilter(_STROKE))) > 0
    if not solid.any():
        return np.zeros(grey.shape, bool)
    largest = Image.fromarray(np.where(_keep_largest(solid), 255, 0).astype(np.uint8))
    return np.asarray(largest.filter(ImageFilter.MaxFilter(_REACH))) > 0


def hide_identity(image: np.ndarray, boxes: list[Roi], *, are_named: bool) -> tuple[np.ndarray, tuple[Roi, ...]]:
    """Blacken a frame outside the B-mode areas, beside the tissue, and where words are found on it."""
    kept = np.zeros_like(image)
    words: list[Roi] = []
    for box in boxes:
        x0, y0 = int(box.x0), int(box.y0)
        inside = slice(y0, int(box.y1)), slice(x0, int(box.x1))
        part = blacken_corners(image[inside], to_grey(image[inside])).copy()
        found = find_writing(to_grey(part))
        for word in found:
            part[_around(word)] = 0
        if not are_named:
            part[~find_tissue(to_grey(part))] = 0
        kept[inside] = part
        words += [Roi(word.x0 + x0, word.y0 + y0, word.x1 + x0, word.y1 + y0) for word in found]
    return kept, tuple(words)


def find_writing(grey: np.ndarray) -> tuple[Roi, ...]:
    """Find whole lines of writing, small and large, where in doubt as writing."""
    lines = _find_lines(grey)
    half = np.asarray(Image.fromarray(grey).reduce(2))
    lines += [Roi(2 * b.x0, 2 * b.y0, 2 * b.x1, 2 * b.y1) for b in _find_lines(half)]
    return join_boxes(tuple(lines))


def _find_lines(grey: np.ndarray) -> list[Roi]:
    if min(grey.shape) < _LEAST_SIDE:
        return []
    strokes = find_strokes(grey)
    return [_follow_line(box, strokes) for box in join_boxes(find_words(grey, least_strokes=_DOUBTFUL))]


def _follow_line(box: Roi, strokes: np.ndarray) -> Roi:
    """Extend a word to both sides as long as strokes follow on its line."""
    height, width = strokes.shape
    y0, y1 = max(0, int(box.y0) - _ROOM), min(height, int(box.y1) + _ROOM)
    columns = np.flatnonzero(strokes[y0:y1].any(axis=0))
    x0, x1 = box.x0, box.x1
    for column in columns[columns < x0][::-1]:
        if x0 - column > _GAP:
            break
        x0 = float(column)
    for column in columns[columns >= x1]:
        if column - x1 > _GAP:
            break
        x1 = float(column)
    return Roi(max(0.0, x0 - _LETTER), float(y0), min(float(width), x1 + _LETTER), float(y1))


def join_boxes(boxes: tuple[Roi, ...]) -> tuple[Roi, ...]:
    """Join boxes that touch or overlap."""
    joined: list[Roi] = []
    for box in boxes:
        merged = box
        while touching := [other for other in joined if _touch(merged, other)]:
            joined = [other for other in joined if other not in touching]
            every = [merged, *touching]
            merged = Roi(
                min(b.x0 for b in every), min(b.y0 for b in every), max(b.x1 for b in every), max(b.y1 for b in every)
            )
        joined.append(merged)
    return tuple(joined)


def _touch(a: Roi, b: Roi) -> bool:
    return a.x0 <= b.x1 and b.x0 <= a.x1 and a.y0 <= b.y1 and b.y0 <= a.y1


def _around(box: Roi) -> tuple[slice, slice]:
    return (
        slice(max(0, int(box.y0) - _ROOM), int(box.y1) + _ROOM),
        slice(max(0, int(box.x0) - _ROOM), int(box.x1) + _ROOM),
    )


def _keep_largest(mask: np.ndarray) -> np.ndarray:
    from scipy.ndimage import label  # noqa: PLC0415 - only copies without the patient need it

    labels, count = label(mask)
    return labels == 1 + int(np.argmax(np.bincount(labels.ravel(), minlength=count + 1)[1:]))
