"""From echogenicity to a B-mode image: speckle, point spread, attenuation, noise, log compression.

Echo amplitude s = sqrt(10^(B/10) g) n with n ~ CN(0, 1) and g ~ Gamma(a, 1/a), so that the envelope is K-distributed.
Baseband r = h * s with a Gaussian point spread; several looks are averaged in power.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from core.simulation.devices import SOUND_MM_PER_US, Device
from core.simulation.fields import Field32, Grid, draw_curve

PULSE_LENGTHENING = 1.8
APODISATION = 1.5
VIDEO_MM = 0.07
MIDDLE_GREY = 0.32


def render_bmode(
    rng: np.random.Generator,
    grid: Grid,
    device: Device,
    echo_db: Field32,
    loss_db: Field32,
    bright: NDArray[np.int64],
) -> Field32:
    """Render an image as the device would show it; shape (rows, cols)."""
    amplitude = np.asarray(10 ** (echo_db / 20), dtype=np.float32) * np.sqrt(
        rng.standard_gamma(device.k_shape, echo_db.shape, dtype=np.float32)
    )
    amplitude /= np.float32(np.sqrt(device.k_shape))
    points = rng.uniform(5, 12, len(bright)) * float(np.sqrt(np.mean(amplitude**2)))
    power = np.zeros(echo_db.shape, dtype=np.float32)
    for _ in range(device.looks):
        for _part in range(2):
            echo = rng.standard_normal(echo_db.shape, dtype=np.float32) * amplitude
            echo[bright[:, 0], bright[:, 1]] += points
            power += _spread(echo, grid, device) ** 2
    power = gaussian_filter1d(power, VIDEO_MM / grid.dz, axis=0, truncate=2)
    level = 10 * np.log10(power / np.median(power) + 1e-7) - loss_db
    level += _draw_gain(rng, grid)
    floor = -30 + 14 * (grid.depth / (grid.rows * grid.dz)) ** 2 + rng.uniform(-3, 3)
    noise = rng.standard_exponential(echo_db.shape, dtype=np.float32)
    level = 10 * np.log10(10 ** (level / 10) + 10 ** (floor / 10) * noise)
    return _compress(rng, level, device)


def _spread(echo: Field32, grid: Grid, device: Device) -> Field32:
    """Blur by the point spread: constant along depth, wider laterally away from the focus."""
    wavelength = SOUND_MM_PER_US / device.f0_mhz
    axial = 0.42 * SOUND_MM_PER_US / (2 * device.bandwidth * device.f0_mhz) * PULSE_LENGTHENING / grid.dz
    lateral = 0.42 * wavelength * device.f_number * APODISATION / grid.dx
    sharp = gaussian_filter1d(gaussian_filter1d(echo, axial, axis=0, truncate=3), lateral, axis=1, truncate=3)
    blurred = gaussian_filter1d(sharp, 1.3 * lateral, axis=1, truncate=3)
    away = np.clip(np.abs(grid.depth / (grid.rows * grid.dz) - 0.4) / 0.6, 0, 1)
    return (1 - away) * sharp + away * 1.35 * blurred


def _draw_gain(rng: np.random.Generator, grid: Grid) -> Field32:
    """Draw what the examiner's gain sliders and the beam leave: bands of depth, loss with depth, uneven elements."""
    depth = grid.depth / (grid.rows * grid.dz)
    bands = 1.8 * draw_curve(rng, grid.rows, 0.09 * grid.rows)[:, None]
    columns = 0.8 * draw_curve(rng, grid.cols, 3 / grid.dx) + 0.35 * draw_curve(rng, grid.cols, 0.5 / grid.dx)
    return bands - rng.uniform(0, 12) * depth**2 + columns[None, :]


def _compress(rng: np.random.Generator, level: Field32, device: Device) -> Field32:
    """Compress to grey levels; gain and range vary a little from examination to examination."""
    smooth = gaussian_filter1d(level, 1.2, axis=0)
    level = level + device.edge * (level - smooth)
    span = device.dynamic_range_db + rng.uniform(-12, 4)
    gain = device.gain_db + rng.normal(0, 5.5)
    gamma = device.gamma * rng.uniform(1.2, 1.9)
    middle = MIDDLE_GREY ** (1 / gamma)
    return np.clip((level - np.median(level) + gain) / span + middle, 0, 1) ** gamma
