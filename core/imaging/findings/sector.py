"""The sector of a convex or phased transducer: its dark corners hold words and marks, which are taken away."""

import numpy as np

from core.imaging.findings.area import choose_block, find_patches, mark_textured

_LEAST_SHARE = 0.02
_MOST_TEXTURED = 0.2
_NARROW_TOP = 0.9
_LEAST_SAG = 2


def find_corners(grey: np.ndarray) -> np.ndarray | None:
    """Find the pixels of a B-mode area that lie outside its sector."""
    block = choose_block(grey.shape)
    textured = mark_textured(grey)
    patches = find_patches(textured, block)
    if not patches:
        return None
    rows, left, right = _outline(patches[0])
    widths = right + 1 - left
    if widths[0] > _NARROW_TOP * widths.max():
        return None
    blocks = _beyond_hull(patches[0].shape, rows, left, right) | _above_arc(patches[0])
    y, x = (np.minimum(np.arange(n) // block, cells - 1) for n, cells in zip(grey.shape, blocks.shape, strict=True))
    outside: np.ndarray = blocks[y[:, None], x]
    return outside if outside.mean() > _LEAST_SHARE and textured[outside].mean() < _MOST_TEXTURED else None


def blacken_corners(image: np.ndarray, grey: np.ndarray) -> np.ndarray:
    """Give an image without what is drawn outside its sector."""
    outside = find_corners(grey)
    if outside is None:
        return image
    kept = image.copy()
    kept[outside] = 0
    return kept


def _outline(patch: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows that a patch touches, and its first and last column in each."""
    rows = np.flatnonzero(patch.any(axis=1))
    return rows, patch[rows].argmax(axis=1), patch.shape[1] - 1 - patch[rows, ::-1].argmax(axis=1)


def _beyond_hull(shape: tuple[int, ...], rows: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Blocks more than one left of, right of, above or below the convex hull of an outline."""
    every, cols = np.arange(shape[0])[:, None], np.arange(shape[1])
    low, high = _envelope(rows, left, every) - 1, -_envelope(rows, -right, every) + 1
    return (cols < low) | (cols > high) | (every < rows[0] - 1) | (every > rows[-1] + 1)


def _envelope(x: np.ndarray, y: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Greatest convex function below points (x ascending), at other places."""
    hull: list[tuple[int, int]] = []
    for point in zip(x.tolist(), y.tolist(), strict=True):
        while len(hull) > 1 and _lies_above(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    return np.interp(at, [point[0] for point in hull], [point[1] for point in hull])


def _lies_above(a: tuple[int, int], b: tuple[int, int], c: tuple[int, int]) -> bool:
    """Whether b lies on or above the line from a to c."""
    return (b[1] - a[1]) * (c[0] - a[0]) >= (c[1] - a[1]) * (b[0] - a[0])


def _above_arc(patch: np.ndarray) -> np.ndarray:
    """Blocks more than one above the arc of a convex transducer, which hangs down between its two tips."""
    above = np.zeros_like(patch)
    cols = np.flatnonzero(patch.any(axis=0))
    tops = patch[:, cols].argmax(axis=0)
    half = len(cols) // 2
    first, last = int(tops[:half].argmin()) if half else 0, half + int(tops[half:].argmin())
    arc = tops[first : last + 1]
    if len(arc) < 5 or arc.max() - arc.min() < _LEAST_SAG:
        return above
    curve = np.polynomial.Polynomial.fit(cols[first : last + 1], arc, 2)
    between = np.arange(cols[first], cols[last] + 1)
    above[:, between] = np.arange(len(patch))[:, None] < np.minimum(curve(between), arc.max()) - 1
    return above & ~patch
