"""What a reader describes of a lesion (BI-RADS: echo, margin, shape, posterior), measured from an image and its mask.

They are side tasks of the backbone's training: a network that must tell them has to look at them.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull

NAMES = (
    "echo_contrast",
    "heterogeneity",
    "posterior_echo",
    "margin_sharpness",
    "rind_echo",
    "aspect",
    "irregularity",
    "solidity",
    "lobulation",
    "spiculation",
)


def compute_descriptors(image: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Measure the lesion's descriptors; float32 (10,)."""
    rows, cols = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    reach = max(len(rows), len(cols)) // 2 + 2
    area = (slice(max(rows[0] - reach, 0), rows[-1] + reach), slice(max(cols[0] - reach, 0), cols[-1] + reach))
    grey, inside = image[area].astype(np.float32) / 255, mask[area]
    return np.array([*_describe_echo(grey, inside), *_describe_outline(inside)], dtype=np.float32)


def _describe_echo(grey: NDArray[np.floating], inside: NDArray[np.bool_]) -> list[float]:
    radius = np.sqrt(inside.sum() / np.pi)
    outside_by = ndimage.distance_transform_edt(~inside)
    inside_by = ndimage.distance_transform_edt(inside)
    rind = (outside_by > 0) & (outside_by <= 0.2 * radius)
    around = (outside_by > 0.2 * radius) & (outside_by <= 0.8 * radius)
    core = inside_by > 0.2 * radius
    lesion_echo, around_echo = grey[core].mean(), _mean(grey[around])
    edge = (inside_by <= 2) & (outside_by <= 2)
    gradient = ndimage.gaussian_gradient_magnitude(grey, 1.5)
    return [
        around_echo - lesion_echo,
        grey[core].std() / (lesion_echo + 0.05),
        _posterior_echo(grey, inside),
        gradient[edge].mean() / (abs(around_echo - lesion_echo) + 0.05),
        _mean(grey[rind]) - around_echo,
    ]


def _posterior_echo(grey: NDArray[np.floating], inside: NDArray[np.bool_]) -> float:
    """Mean grey level below the lesion's middle less that beside it at the same depth."""
    rows, cols = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    below = grey[rows[-1] + 2 : rows[-1] + 2 + max(len(rows) // 2, 4)]
    third = len(cols) // 4
    middle = below[:, cols[0] + third : cols[-1] - third + 1]
    beside = np.concatenate([below[:, : cols[0]].ravel(), below[:, cols[-1] + 1 :].ravel()])
    return _mean(middle) - _mean(beside) if middle.size and beside.size else 0.0


def _describe_outline(inside: NDArray[np.bool_]) -> list[float]:
    rows, cols = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    edge = np.argwhere(inside & ~ndimage.binary_erosion(inside))
    area = float(inside.sum())
    hull = ConvexHull(edge).volume if len(rows) > 2 and len(cols) > 2 else area
    centre = np.argwhere(inside).mean(0)
    offset = edge - centre
    angle = np.arctan2(offset[:, 0], offset[:, 1])
    order = np.argsort(angle)
    profile = np.interp(
        np.linspace(-np.pi, np.pi, 128, endpoint=False), angle[order], np.hypot(*offset.T)[order], period=2 * np.pi
    )
    spectrum = np.abs(np.fft.rfft(profile / profile.mean()))
    return [
        float(np.log(len(rows) / len(cols))),
        float(np.log(len(edge) ** 2 / (4 * np.pi * area))),
        float(min(area / max(hull, 1.0), 1.0)),
        float(np.log(spectrum[4:10].sum() + 1e-3)),
        float(np.log(spectrum[10:32].sum() + 1e-3)),
    ]


def _mean(values: NDArray[np.floating]) -> float:
    return float(values.mean()) if values.size else 0.0
