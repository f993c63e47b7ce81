"""A lesion as the segmenter outlines it: contour, box, diameters, orientation, and millimetres where they are known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.errors import ImageError
from core.imaging import Roi

LEAST_SHARE = 0.003
LEAST_OF_BEST = 0.1
LEAST_AT_PLACE, HALF, MOST_SHARE = 0.1, 0.5, 0.5
N_CORNERS = 3
FRAMED = 0.5
EDGE = 1e-4


class Diameters(NamedTuple):
    """The longest diameter and the widest extent perpendicular to it, pixels of the frame."""

    longest: float
    perpendicular: float


class LesionRule(NamedTuple):
    """What counts as a lesion: the least probability of its pixels, and the least mean of them."""

    threshold: float
    least_confidence: float


@dataclass(frozen=True, eq=False)
class Lesion:
    """One outlined lesion."""

    # (n, 2), x, y of the closed outline's corners in pixels of the frame; 0 is the outer edge of the first pixel. Read-
    # only
    contour: NDArray[np.float64] = field(repr=False)
    confidence: float  # mean probability of a lesion over the pixels within, 0 to 1
    mm_per_px: float | None = None  # the frame's scale; None where it has none

    def __post_init__(self) -> None:
        if self.contour.ndim != 2 or self.contour.shape[1] != 2 or len(self.contour) < N_CORNERS:
            raise ImageError("A lesion's outline needs at least three corners of x and y.")
        if not np.isfinite(self.contour).all():
            raise ImageError("A lesion's outline has a corner that is not a number.")
        self.contour.flags.writeable = False

    @cached_property
    def box(self) -> Roi:
        """The box around the contour, pixels of the frame."""
        (x0, y0), (x1, y1) = self.contour.min(axis=0), self.contour.max(axis=0)
        return Roi(float(x0), float(y0), float(x1), float(y1))

    @cached_property
    def area_px(self) -> float:
        """Area within the contour, pixels."""
        x, y = self.contour.T
        return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)

    @cached_property
    def diameters_px(self) -> Diameters:
        """Longest and perpendicular diameter, pixels."""
        from scipy.spatial import ConvexHull  # noqa: PLC0415 - scipy is heavy, and home needs none
        from scipy.spatial.distance import pdist, squareform  # noqa: PLC0415

        corners = self.contour[ConvexHull(self.contour).vertices]
        distances = squareform(pdist(corners))
        first, second = np.unravel_index(int(distances.argmax()), distances.shape)
        longest = float(distances[first, second])
        across, down = (corners[second] - corners[first]) / longest
        return Diameters(longest, float(np.ptp(corners @ np.array([-down, across]))))

    @property
    def transverse_px(self) -> float:
        """Extent along the skin, pixels."""
        return self.box.width

    @property
    def antero_posterior_px(self) -> float:
        """Extent in depth, pixels."""
        return self.box.height

    @property
    def orientation(self) -> Literal["parallel", "not_parallel"]:
        """Orientation to the skin by BI-RADS: parallel is wider than tall; a round lesion is not parallel."""
        return "parallel" if self.transverse_px > self.antero_posterior_px else "not_parallel"

    @property
    def area_mm2(self) -> float | None:
        """Area within the contour, square millimetres; None where the frame has no scale."""
        return None if self.mm_per_px is None else self.area_px * self.mm_per_px**2


def outline_lesions(
    probability: NDArray[np.float32], *, width: int, height: int, rule: LesionRule, mm_per_px: float | None = None
) -> tuple[Lesion, ...]:
    """Turn a probability map over the frame into lesions."""
    patches = sorted(_find_patches(probability, rule), key=lambda patch: -float(probability[patch].sum()))
    kept = [p for p in patches if probability[p].sum() >= LEAST_OF_BEST * probability[patches[0]].sum()]
    scale = np.array([width / probability.shape[1], height / probability.shape[0]])
    return tuple(
        Lesion(_trace(probability, patch, rule.threshold) * scale, float(probability[patch].mean()), mm_per_px)
        for patch in kept
    )


def outline_lesion_at(
    probability: NDArray[np.float32],
    *,
    at: tuple[float, float],
    width: int,
    height: int,
    rule: LesionRule,
    mm_per_px: float | None = None,
) -> tuple[Lesion, ...]:
    """Outline what stands out around a place, x and y in pixels of the frame; nothing where nothing does."""
    from scipy.ndimage import binary_fill_holes, label  # noqa: PLC0415 - scipy is heavy, and home needs none

    scale = np.array([width / probability.shape[1], height / probability.shape[0]])
    column, row = np.minimum(np.array(at) / scale, np.array(probability.shape[::-1]) - 1).astype(int)
    here = float(probability[row, column])
    if here < LEAST_AT_PLACE:
        return ()
    threshold = min(rule.threshold, HALF * here)
    labels, _ = label(probability >= threshold)
    patch = binary_fill_holes(labels == labels[row, column])
    if not LEAST_SHARE <= patch.mean() <= MOST_SHARE:
        return ()
    return (Lesion(_trace(probability, patch, threshold) * scale, float(probability[patch].mean()), mm_per_px),)


def choose_outline(lesions: Sequence[Lesion], roi: Roi) -> NDArray[np.float64] | None:
    """Choose the outline of the lesion that a box frames; None where it frames none of them."""
    overlaps = [measure_overlap(list_edges(lesion.box), list_edges(roi)) for lesion in lesions]
    return lesions[int(np.argmax(overlaps))].contour if overlaps and max(overlaps) >= FRAMED else None


def measure_overlap(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Share of two boxes' union that both cover; edges x0, y0, x1, y1."""
    across, down = (max(0.0, min(a[i + 2], b[i + 2]) - max(a[i], b[i])) for i in (0, 1))
    shared = across * down
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return float(shared / (areas - shared))


def list_edges(roi: Roi) -> NDArray[np.float64]:
    """Give a box's edges x0, y0, x1, y1."""
    return np.array([roi.x0, roi.y0, roi.x1, roi.y1])


def _find_patches(probability: NDArray[np.float32], rule: LesionRule) -> Iterator[NDArray[np.bool_]]:
    from scipy.ndimage import binary_fill_holes, label  # noqa: PLC0415 - scipy is heavy, and home needs none

    labels, n = label(probability >= rule.threshold)
    for number in range(1, n + 1):
        patch = binary_fill_holes(labels == number)
        if patch.mean() >= LEAST_SHARE and probability[patch].mean() >= rule.least_confidence:
            yield patch


def _trace(probability: NDArray[np.float32], patch: NDArray[np.bool_], threshold: float) -> NDArray[np.float64]:
    """Follow the patch's outer edge between the map's pixels; x, y in pixels of the map, cut at its edges."""
    from contourpy import contour_generator  # noqa: PLC0415 - only where a lesion is looked for

    level = np.where(patch, np.maximum(probability - threshold, EDGE), np.minimum(probability - threshold, -EDGE))
    lines = contour_generator(z=np.pad(level, 1, constant_values=-threshold)).lines(0.0)
    outline = max((np.asarray(line, dtype=np.float64) for line in lines), key=len)
    limits = np.array(probability.shape[::-1])
    return np.clip(outline[:-1] - 0.5, 0, limits)
