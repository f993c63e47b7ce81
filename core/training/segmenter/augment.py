"""Augmentation of whole frames with lesion masks: another depth, probe, display, and shadows."""

import math

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor

from core.training.augment import change_display

ZOOM = (0.6, 1.7)
MAX_SHIFT = 0.3
MAX_ASPECT = 0.2
MAX_ANGLE = math.radians(10)
SHADOW_RATE = 0.3


def augment_frames(frames: Tensor, masks: Tensor, *, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw one random view of each frame; what lies beyond it is black.

    Parameters
    ----------
    frames, masks : Tensor
        Letterboxed frames and their lesions (0 or 255), uint8 (n, S, S).
    size : int
        Side of the views, pixels.
    generator : torch.Generator
        Source of all randomness.

    Returns
    -------
    tuple of Tensor
        Images and masks, float (n, 1, size, size) in 0 to 1.
    """
    theta = _draw_geometry(len(frames), generator)
    grid = F.affine_grid(theta, [len(frames), 2, size, size], align_corners=False)
    views = F.grid_sample(torch.stack([frames, masks], dim=1).float() / 255, grid, align_corners=False)
    images, inside = views[:, :1], (grid.abs().amax(dim=-1) <= 1)[:, None]
    images = change_display(_draw_shadows(images, generator), generator)
    return images * (inside & (views[:, :1] > 0)), views[:, 1:]


def _uniform(n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return torch.rand(n, generator=generator) * (high - low) + low


def _draw_geometry(n: int, generator: torch.Generator) -> Tensor:
    """Affine maps (n, 2, 3) from view to frame coordinates: depth, probe, tilt, place and a left-right flip."""
    scale = 1 / torch.exp(_uniform(n, math.log(ZOOM[0]), math.log(ZOOM[1]), generator))
    aspect = torch.exp(_uniform(n, -MAX_ASPECT, MAX_ASPECT, generator) / 2)
    angle = _uniform(n, -MAX_ANGLE, MAX_ANGLE, generator)
    flip = torch.where(torch.rand(n, generator=generator) < 0.5, -1.0, 1.0)
    shift = _uniform(2 * n, -MAX_SHIFT, MAX_SHIFT, generator).view(2, n)
    sx, sy = scale * aspect, scale / aspect
    cos, sin = angle.cos(), angle.sin()
    rows = [flip * sx * cos, -sy * sin, shift[0], flip * sx * sin, sy * cos, shift[1]]
    return torch.stack(rows, dim=1).view(n, 2, 3)


def _draw_shadows(images: Tensor, generator: torch.Generator) -> Tensor:
    """Darken a soft-edged band below some depth in `SHADOW_RATE` of the images, as ribs and lost contact do."""
    n, _, size, _ = images.shape
    places = (torch.arange(size) + 0.5) / size
    centre, half = _uniform(n, 0, 1, generator)[:, None], _uniform(n, 0.03, 0.12, generator)[:, None]
    top, depth = _uniform(n, 0, 0.6, generator)[:, None], _uniform(n, 0.3, 0.8, generator)
    chosen = torch.rand(n, generator=generator) < SHADOW_RATE
    across = torch.sigmoid((half - (places - centre).abs()) / 0.015)
    below = torch.sigmoid((places - top) / 0.03)
    shadow = (depth * chosen).view(n, 1, 1) * below[:, :, None] * across[:, None, :]
    return images * (1 - shadow)[:, None]
