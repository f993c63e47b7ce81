"""The B-mode area of a screen, found in its pixels: speckle fills it; menus, text and rulers are flat or thin.

Used for PNG, JPEG, BMP and TIFF screenshots, and for DICOM files that name no region. Only numpy, since it runs in the
decoder's process.
"""

import numpy as np

from core.imaging.findings.running_sums import slide, sum_bands
from core.imaging.frame import Roi

_GRID = 96
_TEXTURED = 0.45
_SMALLEST = 0.02


def find_bmode_area(grey: np.ndarray) -> Roi | None:
    """Find the rectangle that holds the B-mode image."""
    height, width = grey.shape
    block = choose_block(grey.shape)
    textured = mark_textured(grey)
    patches = find_patches(textured, block)
    if not patches:
        return None
    x0, y0, x1, y1 = tighten_patch(textured, patches[0], block)
    if x0 <= block and x1 >= width - block:
        x0, x1, y0, y1 = 0, width, 0, height
    return Roi(float(x0), float(y0), float(x1), float(y1))


def choose_block(shape: tuple[int, ...]) -> int:
    """Give the side in pixels of the blocks in which texture is counted."""
    return max(4, round(max(shape) / _GRID))


def find_patches(textured: np.ndarray, block: int) -> list[np.ndarray]:
    """Find connected patches of textured blocks."""
    mask = _block_share(textured, block) > _TEXTURED
    left = _neighbours(_neighbours(mask, np.logical_and, True), np.logical_or, False) & mask
    patches = []
    while left.any():
        patch = grow_patch(left, divmod(int(left.argmax()), left.shape[1]))
        left &= ~patch
        if patch.sum() >= _SMALLEST * patch.size:
            patches.append(patch)
    return sorted(patches, key=np.count_nonzero, reverse=True)


def tighten_patch(textured: np.ndarray, patch: np.ndarray, block: int) -> tuple[int, int, int, int]:
    """Give the limits x0, y0, x1, y1 of a patch, moved from block edges to the outermost textured lines."""
    y0, y1 = _tighten(textured, patch, block)
    x0, x1 = _tighten(textured.T, patch.T, block)
    return x0, y0, x1, y1


def grow_patch(mask: np.ndarray, seed: tuple[int, int]) -> np.ndarray:
    """Find the 4-connected patch of a mask around a cell; shape (height, width)."""
    patch = np.zeros_like(mask)
    patch[seed] = mask[seed]
    runs = _number_runs(mask), _number_runs(mask.T).T
    size = -1
    while size != (size := int(np.count_nonzero(patch))):
        for numbers in runs:
            reached = np.zeros(mask.size + 1, bool)
            reached[numbers[patch]] = True
            patch = mask & reached[numbers]
    return patch


def _number_runs(mask: np.ndarray) -> np.ndarray:
    """Give each run of marked cells in a row a number; what stands at the other cells means nothing."""
    starts = mask.copy()
    starts[:, 1:] &= ~mask[:, :-1]
    return np.cumsum(starts).reshape(mask.shape)


def mark_textured(grey: np.ndarray) -> np.ndarray:
    """Mark pixels that differ from the next in their row or from the next in their column; shape (height, width)."""
    marks = np.zeros(grey.shape, bool)
    here = grey[:-1, :-1]
    np.not_equal(here, grey[:-1, 1:], out=marks[:-1, :-1])
    marks[:-1, :-1] |= here != grey[1:, :-1]
    return marks


def _block_share(marks: np.ndarray, block: int) -> np.ndarray:
    """Share of marked pixels in each block; blocks cut by the border count what they have."""
    counts = sum_bands(sum_bands(marks, block).T, block).T
    return counts / np.outer(*(_block_sides(size, block) for size in marks.shape))


def _block_sides(size: int, block: int) -> np.ndarray:
    """Pixels of each block along an axis."""
    return np.minimum(block, size - np.arange(0, size, block))


def _neighbours(mask: np.ndarray, reduce: np.ufunc, border: bool) -> np.ndarray:
    """Combine each cell with its eight neighbours."""
    return slide(reduce, slide(reduce, np.pad(mask, 1, constant_values=border), 3).T, 3).T


def _tighten(textured: np.ndarray, patch: np.ndarray, block: int) -> tuple[int, int]:
    """Rows from which and to which a patch reaches, moved from block edges to the outermost that are textured in it."""
    height, width = textured.shape
    cells = np.flatnonzero(patch.any(axis=1))
    start, stop = max(0, (cells[0] - 1) * block), min(height, (cells[-1] + 2) * block)
    near = _neighbours(patch, np.logical_or, False).repeat(block, axis=0)[start:stop]
    counts = (sum_bands(textured[start:stop].T, block).T * near).sum(axis=1)
    share = counts / np.maximum(near @ _block_sides(width, block), 1)
    inside = start + np.flatnonzero(share > _TEXTURED * np.median(share))
    first, last = int(inside[0]), int(inside[-1])
    return (first + 1 if first else 0), (last + 1 if last < height - 2 else height)
