"""What may identify a patient in the pixels of an ultrasound frame, made black: all but the tissue, and words on it."""

from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image

from core.imaging.decoding.raster import to_grey
from core.imaging.findings.codes import find_codes
from core.imaging.findings.colour import find_flow
from core.imaging.findings.drawn_levels import find_drawn_levels
from core.imaging.findings.faint_writing import find_faint_writing, find_stray
from core.imaging.findings.masks import bound_pieces, grow, shrink
from core.imaging.findings.overlays import find_strokes, find_words
from core.imaging.findings.sector import blacken_corners
from core.imaging.findings.still_writing import find_still_writing
from core.imaging.frame import Roi

_DARK = 12
_CLOSED, _STROKE, _REACH = 5, 9, 33
_LEAST_STROKE = 3
_ROOM = 6
_DOUBTFUL, _GAP, _LETTER = 3, 24, 8
_LEAST_SIDE = 64
_PIECE = 6
_RIM = 9
_LOOKED_AT, _MOST_PIXELS = 2, 1_500_000  # frames; of one


def find_tissue(grey: np.ndarray) -> np.ndarray:
    """Tell tissue from what is written around it on a dark screen; shape (height, width)."""
    closed = shrink(grow(grey > _DARK, _CLOSED), _CLOSED)
    solid = shrink(closed, _STROKE)
    return grow(_keep_largest(solid), _REACH) if solid.any() else solid


def hide_identity(
    image: np.ndarray, boxes: list[Roi], *, are_named: bool, faint: np.ndarray
) -> tuple[np.ndarray, tuple[Roi, ...], tuple[Roi, ...]]:
    """Blacken a frame outside the B-mode areas, beside the tissue, and where words are found on it.

    Faint writing is hidden where it was found. Returns the frame, where words were, and where coloured flow was kept.
    """
    grey = to_grey(image)
    flow, drawn = find_flow(image) if image.ndim == 3 else (np.zeros(grey.shape, bool),) * 2
    pieces = [piece for piece in bound_pieces(drawn) if piece.width * piece.height >= _PIECE]
    written = bound_pieces(faint)
    found = (*find_writing(grey, flow), *pieces)
    words = tuple(word for word in found if any(_touch(word, box) for box in boxes))
    kept = np.zeros_like(image)
    for box in boxes:
        inside = slice(int(box.y0), int(box.y1)), slice(int(box.x0), int(box.x1))
        kept[inside] = blacken_corners(image[inside], grey[inside])
    for word in words:
        kept[_around(word)] = 0
    kept[find_stray(to_grey(kept))] = 0
    if not are_named:
        kept[~find_tissue(to_grey(kept))] = 0
    kept[faint] = 0  # last, for it may cut the tissue into pieces
    hidden = (*words, *(word for word in written if any(_touch(word, box) for box in boxes)))
    return kept, hidden, join_boxes(bound_pieces(flow & (to_grey(kept) > 0)))


def find_writing(grey: np.ndarray, flow: np.ndarray) -> tuple[Roi, ...]:
    """Find whole lines of writing, small and large, where in doubt as writing; flow is none."""
    half, half_flow = _halve(grey), _halve(np.where(flow, 255, 0).astype(np.uint8)) > 0
    lines = [*_find_lines(grey, flow), *_double(_find_lines(half, half_flow))]
    return tuple(dict.fromkeys(lines))


def find_faint(frames: Sequence[np.ndarray]) -> np.ndarray:
    """Mark writing that a frame alone does not give away: faint, dark, turned, slanted or coded; bool (height, width).

    Frames of a loop come in their order: a few are looked at one by one, all of them together. Many times as dear as
    `hide_identity`.
    """
    height, width = frames[0].shape[:2]
    if height * width > _MOST_PIXELS:  # whose writing is large
        return _enlarge(find_faint([_halve(image) for image in frames]), (height, width))
    greys = [to_grey(image) for image in frames]
    found = np.zeros(greys[0].shape, bool)
    for image, grey in list(zip(frames, greys, strict=True))[:: max(1, len(greys) // _LOOKED_AT)]:
        flow = find_flow(image)[0] if image.ndim == 3 else np.zeros(grey.shape, bool)
        found |= _find_in_sizes(grey, grow(flow, _RIM)) | (find_drawn_levels(grey) & ~flow)
    if len(greys) >= _LOOKED_AT:
        mean = np.mean(greys, axis=0).round().astype(np.uint8)
        no_flow = np.zeros(mean.shape, bool)
        found |= find_still_writing(greys) | _find_marks(mean, no_flow) | _find_turned(mean, no_flow)
    return found


def _find_in_sizes(grey: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Mark writing and codes, small and large."""
    half, half_flow = _halve(grey), _halve(np.where(flow, 255, 0).astype(np.uint8)) > 0
    return _find_marks(grey, flow) | _find_turned(grey, flow) | _enlarge(_find_marks(half, half_flow), grey.shape)


def _find_marks(grey: np.ndarray, flow: np.ndarray) -> np.ndarray:
    bright, dark = find_faint_writing(grey, flow), find_faint_writing(255 - grey, flow)
    return bright | dark | (find_codes(grey) & ~flow)


def _find_turned(grey: np.ndarray, flow: np.ndarray) -> np.ndarray:
    return find_faint_writing(np.ascontiguousarray(grey.T), flow.T).T


def _enlarge(marks: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Give the marks of a halved frame on the whole one."""
    return marks.repeat(2, axis=0).repeat(2, axis=1)[: shape[0], : shape[1]]


def _double(boxes: Iterable[Roi]) -> list[Roi]:
    return [Roi(2 * box.x0, 2 * box.y0, 2 * box.x1, 2 * box.y1) for box in boxes]


def _halve(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).reduce(2))


def _find_lines(grey: np.ndarray, flow: np.ndarray) -> list[Roi]:
    if min(grey.shape) < _LEAST_SIDE:
        return []
    strokes = find_strokes(grey) & ~flow
    return [_follow_line(box, strokes) for box in find_words(grey, least_strokes=_DOUBTFUL, flow=flow)]


def _follow_line(box: Roi, strokes: np.ndarray) -> Roi:
    """Extend a word to both sides as long as strokes follow on its line, and narrow it to their height."""
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
    rows = y0 + np.flatnonzero(strokes[y0:y1, int(x0) : int(x1)].any(axis=1))
    bottom = float(min(height, rows[-1] + _LEAST_STROKE))
    return Roi(max(0.0, x0 - _LETTER), float(rows[0]), min(float(width), x1 + _LETTER), bottom)


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
