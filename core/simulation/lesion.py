"""A lesion in the tissue: contour, margin, inside, rind, spicules, calcifications and what it does to the beam."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from core.simulation.descriptors import compute_axis_ratio
from core.simulation.fields import Field32, Grid, draw_curve, draw_field
from core.simulation.sampling import Floats

ANGLES = 720
REACH_MM = 14.0
REACH_STEPS = 112


@dataclass(frozen=True)
class Contour:
    """A closed curve in polar form about its centre."""

    # x_mm, z_mm: centre
    x_mm: float
    z_mm: float
    # half_width_mm, half_height_mm: semi-axes of the ellipse that `radius` multiplies
    half_width_mm: float
    half_height_mm: float
    radius: Field32  # relative radius at each angle


@dataclass(frozen=True)
class LesionField:
    """Where each pixel lies with respect to the lesion."""

    outside_mm: Field32  # (rows, cols), radial distance from the contour, negative inside
    angle: NDArray[np.int64]  # (rows, cols), index of the angle about the centre


@dataclass(frozen=True)
class Insertion:
    """Tissue with the lesion in it."""

    echo_db: Field32  # (rows, cols), echogenicity
    loss_db: Field32  # (rows, cols), attenuation by the lesion; negative is enhancement
    mask: NDArray[np.bool_]  # (rows, cols), inside of the contour
    calcifications: NDArray[np.int64]  # (k, 2), row and column of bright points


def insert_lesion(
    rng: np.random.Generator, grid: Grid, echo_db: Field32, latents: Mapping[str, float], size_mm: float
) -> Insertion:
    """Draw a lesion of a largest diameter into tissue, whose echogenicity is in dB, float32 (rows, cols)."""
    contour = _draw_contour(rng, grid, latents, size_mm)
    place = _locate(rng, grid, contour)
    outside = place.outside_mm
    mask = outside < 0
    softness = 0.2 + 0.9 * np.clip(0.45 + 0.6 * _draw_ring(rng, 30), 0, 2)
    ragged = outside + 0.35 * draw_field(rng, grid, 0.4, 0.7) + 0.3 * draw_field(rng, grid, 0.12, 0.5)
    theta = np.linspace(-np.pi, np.pi, ANGLES, endpoint=False, dtype=np.float32)
    softness *= 1 + 0.8 * np.cos(theta) ** 2 + 0.5 * np.clip(np.sin(theta), 0, 1)
    member = 1 / (1 + np.exp(np.clip(ragged / (0.5 * softness[place.angle]), -30, 30)))
    near = (outside > 0) & (outside < 5)
    level = float(echo_db[near].mean())
    echo = echo_db + _draw_surround(rng, place, latents)
    inside = level - min(max(10 + 3.0 * latents["hypo"], 3.0), 24.0) + _draw_inside(rng, grid, latents, size_mm)
    echo += member * (inside + 0.2 * (echo_db - level) - echo)
    return Insertion(
        echo,
        _compute_loss(rng, grid, contour, mask, member, latents),
        mask,
        _place_calcifications(rng, np.argwhere(outside < -0.6), latents["calc"]),
    )


def _draw_ring(rng: np.random.Generator, sigma: float) -> Field32:
    """Draw a standardised smooth curve around the circle, shape (ANGLES,)."""
    curve = gaussian_filter1d(rng.standard_normal(ANGLES, dtype=np.float32), sigma, mode="wrap")
    return (curve - curve.mean()) / curve.std()


def _draw_contour(rng: np.random.Generator, grid: Grid, latents: Mapping[str, float], size_mm: float) -> Contour:
    """Draw an ellipse with lobes, microlobulation and angular bases of spicules, of exactly the given extent."""
    theta = np.linspace(-np.pi, np.pi, ANGLES, endpoint=False)
    radius = np.ones(ANGLES)
    for order in range(2, 6):
        size = 0.06 * rng.standard_normal() / np.sqrt(order - 1)
        radius += size * np.cos(order * theta + rng.uniform(0, 2 * np.pi))
    radius += 0.085 * np.exp(0.55 * np.clip(latents["lob"], -2.5, 2.5)) * _draw_lobes(rng, theta)
    for angle, length in _draw_spicules(rng, latents["spic"]):
        turn = np.angle(np.exp(1j * (theta - angle)))
        radius += 0.16 * length * np.exp(-0.5 * (turn / rng.uniform(0.05, 0.11)) ** 2)
    radius += 0.012 * _draw_ring(rng, 4)
    ratio = float(compute_axis_ratio(latents["asp"]))
    half_width, half_height = size_mm / 2 / max(1.0, ratio), size_mm / 2 * min(1.0, ratio) if ratio < 1 else size_mm / 2
    x, z = radius * np.cos(theta), radius * np.sin(theta)
    stretch_x, stretch_z = 2 / np.ptp(x), 2 / np.ptp(z)
    top = rng.uniform(4, 10)
    depth = grid.rows * grid.dz
    z_mm = min(top + half_height, depth - half_height - 3) - half_height * stretch_z * (z.max() + z.min()) / 2
    x_mm = grid.cols * grid.dx / 2 + rng.uniform(-0.1, 0.1) * (grid.cols * grid.dx - size_mm)
    return Contour(
        float(x_mm - half_width * stretch_x * (x.max() + x.min()) / 2),
        float(z_mm),
        float(half_width * stretch_x),
        float(half_height * stretch_z),
        radius.astype(np.float32),
    )


def _draw_lobes(rng: np.random.Generator, theta: Floats) -> Floats:
    """Draw rounded lobes of unequal width and height with clefts between them, about zero."""
    uneven = 0.9 * np.cos(2 * theta + rng.uniform(0, 6)) + 0.5 * np.cos(3 * theta + rng.uniform(0, 6))
    wave = np.abs(np.cos(0.5 * int(rng.integers(6, 12)) * theta + rng.uniform(0, 2 * np.pi) + uneven))
    height = np.clip(1 + 0.5 * _draw_ring(rng, 40), 0.1, 2)
    return height * (np.sqrt(wave + 0.05) - 0.8)


def _draw_spicules(rng: np.random.Generator, spic: float) -> list[tuple[float, float]]:
    """Draw angle and relative length of each spicule."""
    count = int(np.clip(np.round(6 + 5 * spic), 0, 20))
    length = float(np.clip(1 + 0.45 * spic, 0.3, 2.2))
    return [(rng.uniform(-np.pi, np.pi), length * rng.uniform(0.4, 1.3)) for _ in range(count)]


def _locate(rng: np.random.Generator, grid: Grid, contour: Contour) -> LesionField:
    dx = grid.lateral - contour.x_mm + 0.25 * draw_field(rng, grid, 0.8, 0.8)
    dz = grid.depth - contour.z_mm + 0.2 * draw_field(rng, grid, 0.8, 0.8)
    u, v = dx / contour.half_width_mm, dz / contour.half_height_mm
    angle = ((np.arctan2(v, u) + np.pi) * (ANGLES / (2 * np.pi))).astype(np.int64) % ANGLES
    relative = np.maximum(np.hypot(u, v), 1e-3)
    outside = np.hypot(dx, dz) * (1 - contour.radius[angle] / relative)
    return LesionField(outside.astype(np.float32), angle)


def _draw_surround(rng: np.random.Generator, place: LesionField, latents: Mapping[str, float]) -> Field32:
    """Draw rind and spicules in (angle, distance) and look each pixel up, in dB."""
    distance = np.linspace(0, REACH_MM, REACH_STEPS, dtype=np.float32)[None, :]
    theta = np.linspace(-np.pi, np.pi, ANGLES, endpoint=False, dtype=np.float32)[:, None]
    thickness = float(np.clip(1.0 + 0.9 * latents["halo"], 0.05, 3.5))
    patchy = np.clip(0.8 + 0.45 * _draw_ring(rng, 25), 0, 1.8)[:, None]
    rind = (
        6.0 * min(1.0, thickness) * patchy * np.exp(-((distance / (1.1 * thickness * (0.5 + 0.5 * patchy) + 0.1)) ** 2))
    )
    lines = np.zeros((ANGLES, REACH_STEPS), dtype=np.float32)
    for angle, length in _draw_spicules(rng, latents["spic"]):
        bend = rng.normal(0, 0.02) * distance
        turn = (theta - angle - bend + np.pi) % (2 * np.pi) - np.pi
        aside = np.abs(turn) * (distance + 5)
        fade = np.exp(-((distance / (4.5 * length)) ** 2))
        width = 0.3 + 0.3 * length * np.exp(-distance / 3)
        lines += fade * (4.0 * np.exp(-(((aside - 2 * width) / width) ** 2)) - 6.5 * np.exp(-((aside / width) ** 2)))
    table = (rind + np.clip(lines, -9, 8)).astype(np.float32)
    table[:, -1] = 0
    step = np.clip(place.outside_mm * ((REACH_STEPS - 1) / REACH_MM), 0, REACH_STEPS - 1).astype(np.int64)
    return table[place.angle, step]


def _draw_inside(rng: np.random.Generator, grid: Grid, latents: Mapping[str, float], size_mm: float) -> Field32:
    """Draw the echo pattern inside, in dB about the lesion's level; necrotic clefts where it is very uneven."""
    het = latents["het"]
    amplitude = float(np.clip(2.3 * np.exp(0.5 * het), 0.6, 7))
    grain = float(np.clip(0.055 * size_mm, 0.6, 1.8))
    pattern = amplitude * draw_field(rng, grid, grain, 1.2 * grain)
    pattern += 0.8 * draw_field(rng, grid, 0.2, 0.6) + 1.2 * draw_field(rng, grid, 3, 4)
    if het > 1.0:
        pattern -= 9 * np.clip(2 * (draw_field(rng, grid, 1.3, 1.5) - 1.4), 0, 1)
    return pattern


def _compute_loss(
    rng: np.random.Generator,
    grid: Grid,
    contour: Contour,
    mask: NDArray[np.bool_],
    member: Field32,
    latents: Mapping[str, float],
) -> Field32:
    """Compute shadow or enhancement behind the lesion and the shadows of its lateral edges, in dB."""
    height = 2 * contour.half_height_mm
    total = float(np.clip(-5.5 * latents["post"] + 1.5 * latents["spic"], -14, 18)) * math.sqrt(height / 15)
    passed = np.cumsum(member, axis=0, dtype=np.float32) * np.float32(grid.dz / height)
    uneven = 1 + 0.3 * draw_curve(rng, grid.cols, 2.5 / grid.dx)
    loss = gaussian_filter1d(total * passed * uneven[None, :], 0.5 / grid.dx, axis=1)
    columns = np.flatnonzero(mask.any(axis=0))
    strength = rng.uniform(0, 4, 2)
    below = 1 / (1 + np.exp(np.clip((contour.z_mm - grid.depth) / 0.8, -30, 30)))
    for edge, height_db in zip((columns[0], columns[-1]), strength, strict=True):
        loss += height_db * below * np.exp(-(((grid.lateral - edge * grid.dx) / 1.3) ** 2))
    return np.clip(loss, -14, 24).astype(np.float32)


def _place_calcifications(rng: np.random.Generator, inside: NDArray[np.int64], calc: float) -> NDArray[np.int64]:
    count = rng.poisson(np.clip(3.2 * np.exp(0.9 * calc) - 1.6, 0, 40))
    if count == 0 or len(inside) == 0:
        return np.empty((0, 2), dtype=np.int64)
    return inside[rng.integers(0, len(inside), count)]
