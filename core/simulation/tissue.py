"""Echogenicity of the breast around a lesion, in dB: skin, fat lobules and septa, gland, fascia, muscle, rib."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from core.simulation.fields import Field32, Grid, draw_curve, draw_field, resize_field


@dataclass(frozen=True)
class Tissue:
    """Tissue without the lesion."""

    echo_db: Field32  # (rows, cols), echogenicity
    shade_db: Field32  # (rows, cols), attenuation by what lies above: ligaments, poor contact, a rib


def draw_tissue(rng: np.random.Generator, grid: Grid, background: str) -> Tissue:
    """Draw a breast."""
    skin, gland, muscle = _draw_layers(rng, grid, background)
    depth = grid.depth
    soft = _blend(depth, gland, 0.5)
    deep = _blend(depth, muscle, 0.3)
    septa, lobules = _draw_lobules(rng, grid)
    echo = _draw_fat(rng, grid, septa, lobules)
    echo += soft * (_draw_gland(rng, grid, background, septa) - echo)
    echo += 2.2 * draw_field(rng, grid, 3, 5)
    echo += deep * (_draw_muscle(rng, grid, muscle) - echo)
    echo += _draw_fascia(rng, grid, muscle)
    echo += _blend(-depth, -skin, 0.08) * (_draw_skin(rng, grid, skin) - echo)
    shade = _draw_shade(rng, grid, septa)
    _add_rib(rng, grid, muscle, echo, shade)
    return Tissue(echo, shade)


def _blend(depth: Field32, edge: Field32, width_mm: float) -> Field32:
    """Rise from 0 to 1 below an edge."""
    return 1 / (1 + np.exp(np.clip((edge[None, :] - depth) / width_mm, -30, 30)))


def _draw_layers(rng: np.random.Generator, grid: Grid, background: str) -> tuple[Field32, Field32, Field32]:
    """Draw the depth in mm of the lower edges of skin and fat and of the upper edge of muscle, shape (cols,)."""
    total = grid.rows * grid.dz
    slope = np.linspace(-1, 1, grid.cols, dtype=np.float32)
    skin = 1.7 + 0.3 * rng.random() + 0.1 * draw_curve(rng, grid.cols, 8 / grid.dx)
    start = {"homog_fat": 0.24, "homog_fibroglandular": 0.10, "heterogeneous": 0.14}[background]
    gland = total * (start + 0.1 * rng.random()) + 1.6 * draw_curve(rng, grid.cols, 4 / grid.dx) + 2
    muscle = total * (0.66 + 0.2 * rng.random()) + 0.8 * draw_curve(rng, grid.cols, 7 / grid.dx)
    muscle = muscle + slope * rng.uniform(-3, 3)
    return skin, np.maximum(gland, skin + 1), muscle


def _draw_lobules(rng: np.random.Generator, grid: Grid) -> tuple[Field32, Field32]:
    """Draw connective septa (0 to 1) and a level for each lobule: flat, warped Voronoi cells."""
    high, wide = rng.uniform(2.2, 4.0), rng.uniform(5, 11)
    rows, cols = grid.rows // 3, grid.cols // 2
    coarse = Grid(rows, cols, grid.dz * grid.rows / rows, grid.dx * grid.cols / cols)
    z = np.asarray((coarse.depth + 1.1 * draw_field(rng, coarse, 2.5, 5)) / high)
    x = np.asarray((coarse.lateral + 1.6 * draw_field(rng, coarse, 2, 4)) / wide)
    count = int(z.max() - z.min() + 3) * int(x.max() - x.min() + 3)
    seeds = rng.uniform((z.min() - 1, x.min() - 1), (z.max() + 1, x.max() + 1), (count, 2))
    found = cKDTree(seeds).query(np.stack([z.ravel(), x.ravel()], 1), k=2)
    distance, index = np.asarray(found[0]), np.asarray(found[1])
    gap = (distance[:, 1] - distance[:, 0]).reshape(rows, cols)
    across = seeds[index[:, 1]] - seeds[index[:, 0]]
    facing = np.abs(across[:, 0]) / np.maximum(np.hypot(across[:, 0], across[:, 1] * high / wide), 1e-6)
    line = np.exp(-((gap * high / 0.28) ** 2)) * (0.25 + 0.75 * facing.reshape(rows, cols) ** 2)
    patchy = np.clip(0.6 + 0.5 * draw_field(rng, coarse, 2, 3), 0, 1.4)
    level = gaussian_filter(rng.standard_normal(count)[index[:, 0]].reshape(rows, cols), 1.5)
    septa = np.clip(resize_field((line * patchy).astype(np.float32), grid.rows, grid.cols), 0, None)
    return septa, resize_field(level.astype(np.float32), grid.rows, grid.cols)


def _draw_fat(rng: np.random.Generator, grid: Grid, septa: Field32, lobules: Field32) -> Field32:
    fibres = np.clip(draw_field(rng, grid, 0.12, 1.3) - 0.9, 0, None)
    strands = np.clip(draw_field(rng, grid, 0.2, 5) - 1.5, 0, None)
    grain = 1.5 * draw_field(rng, grid, 0.6, 1.2)
    return -4 + 1.3 * lobules + grain + rng.uniform(11, 18) * septa + 5.0 * fibres + 11.0 * strands


def _draw_gland(rng: np.random.Generator, grid: Grid, background: str, septa: Field32) -> Field32:
    level, mottle = {"homog_fat": (0.5, 2.0), "homog_fibroglandular": (4.5, 2.2), "heterogeneous": (3.0, 4.2)}[
        background
    ]
    patches = draw_field(rng, grid, 1.6, 3.2)
    ducts = np.clip(draw_field(rng, grid, 0.45, 1.4) - 0.9, 0, None)
    streaks = np.clip(draw_field(rng, grid, 0.16, 1.8) - 0.6, 0, None)
    fine = draw_field(rng, grid, 0.25, 0.6)
    ligaments = rng.uniform(5, 10) * septa
    return level - 2 + mottle * patches - 4.5 * ducts + 7.0 * streaks + 2.2 * fine + ligaments


def _draw_muscle(rng: np.random.Generator, grid: Grid, edge: Field32) -> Field32:
    """Draw fibres that run along the fascia, with perimysium in between."""
    fibres = draw_field(rng, grid, 0.16, 3.0)
    sheets = draw_field(rng, grid, 0.3, 9.0)
    bright = 3.8 * np.clip(fibres - 0.2, 0, None) + 7.0 * np.clip(sheets - 0.9, 0, None)
    pattern = -5 + bright + 2.0 * draw_field(rng, grid, 1.4, 5)
    shift = np.round((edge - edge.mean()) / grid.dz).astype(int)
    rows = (np.arange(grid.rows)[:, None] - shift[None, :]) % grid.rows
    return np.take_along_axis(pattern, rows, axis=0)


def _draw_fascia(rng: np.random.Generator, grid: Grid, edge: Field32) -> Field32:
    """Draw the bright, broken lines in front of the muscle."""
    out = np.zeros((grid.rows, grid.cols), dtype=np.float32)
    for offset, height in ((0.0, 11.0), (rng.uniform(0.6, 1.6), 6.0), (rng.uniform(-2.5, -1.0), 5.0)):
        line = edge + offset + 0.15 * draw_curve(rng, grid.cols, 3 / grid.dx)
        strength = height * np.clip(0.6 + 0.55 * draw_curve(rng, grid.cols, 3.5 / grid.dx), 0, 1.5)
        out += strength[None, :] * np.exp(-(((grid.depth - line[None, :]) / rng.uniform(0.16, 0.3)) ** 2))
    return out


def _draw_skin(rng: np.random.Generator, grid: Grid, edge: Field32) -> Field32:
    """Draw gel line, dermis, the lower skin line and the reverberations of the near field."""
    depth = grid.depth
    dermis = 2 + 1.5 * draw_field(rng, grid, 0.12, 4)
    lines = 6 * np.exp(-((depth / 0.25) ** 2)) + 5 * np.exp(-(((depth - edge[None, :]) / 0.16) ** 2))
    period = rng.uniform(0.35, 0.6)
    echoes = 2.5 * np.cos(2 * np.pi * depth / period) * np.exp(-depth / 1.2)
    return dermis + lines + echoes


def _draw_shade(rng: np.random.Generator, grid: Grid, septa: Field32) -> Field32:
    """Draw what dims whole columns: steep ligaments, poor contact at the edges, a dropped-out element."""
    ligament = np.clip(draw_curve(rng, grid.cols, 1.4 / grid.dx) - 0.8, 0, None) * rng.uniform(0, 4)
    reach = np.cumsum(septa, axis=0, dtype=np.float32) * np.float32(grid.dz)
    shade = ligament[None, :] * np.minimum(reach, 2.0) / 2 + 0.5 * (reach - reach.mean(axis=1, keepdims=True))
    x = np.linspace(-1, 1, grid.cols, dtype=np.float32)
    edge = rng.uniform(0, 9, 2).tolist()
    contact = edge[0] * np.clip((-x - 0.75) / 0.25, 0, 1) ** 2 + edge[1] * np.clip((x - 0.75) / 0.25, 0, 1) ** 2
    lost = np.exp(-(((grid.lateral[0] - rng.uniform(0, grid.cols * grid.dx)) / 0.35) ** 2))
    return shade + (contact + (rng.random() < 0.15) * rng.uniform(2, 5) * lost)[None, :]


def _add_rib(rng: np.random.Generator, grid: Grid, muscle: Field32, echo: Field32, shade: Field32) -> None:
    """Add, in a quarter of the images, a rib: a bright arc below the muscle with a dense shadow (in place)."""
    chance, middle, half = rng.random(), rng.uniform(0, grid.cols * grid.dx), rng.uniform(4, 8)
    below = rng.uniform(5, 9)
    if chance > 0.25:
        return
    arc = 1 - ((grid.lateral[0] - middle) / half) ** 2
    top = muscle + below - 2.5 * np.sqrt(np.clip(arc, 0, None))
    here = np.clip(1.5 * arc, 0, 1)[None, :]
    gap = grid.depth - top[None, :]
    echo += 8 * here * np.exp(-((gap / 0.4) ** 2))
    shade += rng.uniform(6, 13) * here * np.clip(gap / 3.0, 0, 1)
