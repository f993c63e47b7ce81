"""Augmentation that fits ultrasound: another hand's box, another gain, dynamic range, depth, probe, caliper."""

import math

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor

MAX_SHIFT = 0.2
MAX_SCALE = 0.25
MAX_ASPECT = 0.12
MAX_ANGLE = math.radians(12)


def augment(
    crops: Tensor, masks: Tensor, *, size: int, zoom: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Draw one random view of each crop."""
    oversample = 1 if size > 160 else 2
    theta = _draw_geometry(len(crops), zoom, generator).to(crops.device)
    grid = F.affine_grid(theta, [len(crops), 2, size * oversample, size * oversample], align_corners=False)
    pair = torch.stack([crops, masks], dim=1).float() / 255
    views = F.avg_pool2d(F.grid_sample(pair, grid, align_corners=False), oversample)
    return change_display(views[:, :1], generator), views[:, 1:]


def _uniform(n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return torch.rand(n, generator=generator) * (high - low) + low


def _draw_geometry(n: int, zoom: float, generator: torch.Generator) -> Tensor:
    """Affine maps (n, 2, 3) from view to crop coordinates: box jitter, tilt, depth and a left-right flip."""
    scale = zoom * torch.exp(_uniform(n, -1, 1, generator) * math.log1p(MAX_SCALE))
    aspect = torch.exp(_uniform(n, -MAX_ASPECT, MAX_ASPECT, generator))
    angle = _uniform(n, -MAX_ANGLE, MAX_ANGLE, generator)
    flip = torch.where(torch.rand(n, generator=generator) < 0.5, -1.0, 1.0)
    shift = _uniform(2 * n, -MAX_SHIFT, MAX_SHIFT, generator).view(2, n) * zoom
    sx, sy = scale * aspect, scale / aspect
    cos, sin = angle.cos(), angle.sin()
    rows = [flip * sx * cos, -sy * sin, shift[0], flip * sx * sin, sy * cos, shift[1]]
    return torch.stack(rows, dim=1).view(n, 2, 3)


def change_display(images: Tensor, generator: torch.Generator) -> Tensor:
    """Draw another gamma, gain, depth gain, speckle, sharpness and calipers for each image.

    Images are float (n, 1, S, S) in 0 to 1.
    """
    n, _, size, _ = images.shape
    device = images.device

    def per_image(low: float, high: float) -> Tensor:
        return _uniform(n, low, high, generator).view(n, 1, 1, 1).to(device)

    gamma = torch.exp(per_image(-0.45, 0.45))
    depth = torch.linspace(-1, 1, size, device=device).view(1, 1, size, 1)
    images = images.clamp(1e-4, 1) ** gamma
    images = images * per_image(0.7, 1.4) + per_image(-0.1, 0.1) + depth * per_image(-0.12, 0.12)
    speckle = torch.randn(images.shape, generator=generator).to(device)
    images = images * (1 + speckle * per_image(0, 0.15))
    images = _blur_some(images, generator)
    return _draw_calipers(images.clamp(0, 1), generator)


def _blur_some(images: Tensor, generator: torch.Generator) -> Tensor:
    """Halve the resolution of a quarter of the images."""
    chosen = torch.rand(len(images), generator=generator) < 0.25
    if chosen.any():
        small = F.avg_pool2d(images[chosen], 2)
        images[chosen] = F.interpolate(small, size=images.shape[-2:], mode="bilinear", align_corners=False)
    return images


def _draw_calipers(images: Tensor, generator: torch.Generator) -> Tensor:
    """Put up to four bright crosses into a third of the images, so that a caliper says nothing."""
    size = images.shape[-1]
    arm = max(size // 40, 2)
    for i in torch.nonzero(torch.rand(len(images), generator=generator) < 0.33).flatten().tolist():
        n_marks = int(torch.randint(1, 5, (1,), generator=generator))
        level = float(_uniform(1, 0.6, 1, generator))
        for y, x in torch.randint(arm, size - arm, (n_marks, 2), generator=generator).tolist():
            images[i, 0, y, x - arm : x + arm + 1] = level
            images[i, 0, y - arm : y + arm + 1, x] = level
    return images
