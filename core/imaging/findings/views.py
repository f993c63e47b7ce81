"""Two views side by side on a screen that names no region: found in the pixels, by a flat gap or by a seam."""

import numpy as np

from core.imaging.findings.area import choose_block, find_bmode_area, find_patches, mark_textured, tighten_patch
from core.imaging.findings.overlays import find_seam
from core.imaging.frame import Region, Roi

_ALIKE = 0.4
_LEVEL = 0.6
_FLAT = 0.05


def find_views(grey: np.ndarray) -> tuple[Region, ...]:
    """Find views side by side."""
    boxes = _split_at_gap(grey) or _split_at_seam(grey)
    return tuple(Region(Roi(*map(float, box))) for box in boxes)


def _split_at_gap(grey: np.ndarray) -> list[tuple[int, int, int, int]]:
    """Take two patches of like size on one level with nothing but flat pixels between them."""
    textured, block = mark_textured(grey), choose_block(grey.shape)
    patches = find_patches(textured, block)[:2]
    if len(patches) < 2 or patches[1].sum() < _ALIKE * patches[0].sum():
        return []
    first, second = sorted(tighten_patch(textured, patch, block) for patch in patches)
    overlap = min(first[3], second[3]) - max(first[1], second[1])
    beside = first[2] <= second[0] and overlap > _LEVEL * min(first[3] - first[1], second[3] - second[1])
    if not beside:
        return []
    between = textured[max(first[1], second[1]) : min(first[3], second[3]), first[2] : second[0] - 1]
    return [first, second] if not between.size or between.mean() < _FLAT else []


def _split_at_seam(grey: np.ndarray) -> list[tuple[int, int, int, int]]:
    """Cut the B-mode area where nearly all rows change their level at once."""
    area = find_bmode_area(grey)
    if area is None:
        return []
    x0, y0, x1, y1 = (int(edge) for edge in (area.x0, area.y0, area.x1, area.y1))
    seam = find_seam(grey[y0:y1, x0:x1])
    return [] if seam is None else [(x0, y0, x0 + int(seam), y1), (x0 + int(seam), y0, x1, y1)]
