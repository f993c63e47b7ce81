"""Smooth random fields on the grid on which tissue is drawn."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter, gaussian_filter1d

Field32 = NDArray[np.float32]


@dataclass(frozen=True)
class Grid:
    """Rectangle of tissue: depth runs down the rows."""

    # rows, cols: number of samples
    rows: int
    cols: int
    # dz, dx: distance of samples in mm
    dz: float
    dx: float

    @property
    def depth(self) -> Field32:
        """Depth of each row in mm, shape (rows, 1)."""
        return (np.arange(self.rows, dtype=np.float32) * np.float32(self.dz))[:, None]

    @property
    def lateral(self) -> Field32:
        """Lateral position of each column in mm, shape (1, cols)."""
        return (np.arange(self.cols, dtype=np.float32) * np.float32(self.dx))[None, :]


def resize_field(values: Field32, rows: int, cols: int) -> Field32:
    """Interpolate a field to another size (bicubic); shape (rows, cols)."""
    image = Image.fromarray(np.ascontiguousarray(values, dtype=np.float32))
    return np.asarray(image.resize((cols, rows), Image.Resampling.BICUBIC))


def draw_field(rng: np.random.Generator, grid: Grid, down_mm: float, across_mm: float) -> Field32:
    """Draw a standardised Gaussian random field with Gaussian correlation; shape (rows, cols)."""
    sigma = (down_mm / grid.dz, across_mm / grid.dx)
    step = [max(1.0, value / 2) for value in sigma]
    shape = (int(grid.rows / step[0]) + 4, int(grid.cols / step[1]) + 4)
    coarse = gaussian_filter(
        rng.standard_normal(shape, dtype=np.float32),
        (sigma[0] / step[0], sigma[1] / step[1]),
        mode="wrap",
        truncate=3,
    )
    fine = coarse if max(step) <= 1 else resize_field(coarse, int(shape[0] * step[0]), int(shape[1] * step[1]))
    field = fine[: grid.rows, : grid.cols]
    return (field - field.mean()) / max(float(field.std()), 1e-6)


def draw_curve(rng: np.random.Generator, size: int, sigma: float) -> Field32:
    """Draw a standardised smooth curve; shape (size,)."""
    pad = int(3 * sigma) + 1
    curve = gaussian_filter1d(rng.standard_normal(size + 2 * pad, dtype=np.float32), sigma)[pad : pad + size]
    return (curve - curve.mean()) / max(float(curve.std()), 1e-6)
