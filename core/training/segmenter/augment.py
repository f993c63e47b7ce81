"""Augmentation of whole frames with lesion masks: another depth, probe, display, machine's marks, and shadows."""

import math
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from core.training.augment import change_display

ZOOM = (0.7, 1.8)
MAX_SHIFT = 0.3
MAX_ASPECT = 0.25
MAX_ANGLE = math.radians(10)
SHADOW_RATE = 0.3
CURVE_RATE = 0.5
COARSE_RATE = 0.3
COARSEST = 0.35
SPECKLE_RATE = 0.3
MARGIN_RATE = 0.25
MAX_MARGIN = 0.15
WORDS_RATE = 0.4
WORDS = (
    "BREAST LT",
    "RIGHT 10:00",
    "3.2 cm",
    "MI 1.1 TIS 0.4",
    "12L-RS",
    "A: 14.6 mm",
    "RAD",
    "FR 42 Hz",
    "UOQ 2 FN",
    "x+",
)


def augment_frames(frames: Tensor, masks: Tensor, *, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw one random view of each frame; what lies beyond it is black."""
    theta = _draw_geometry(len(frames), generator)
    grid = F.affine_grid(theta, [len(frames), 2, size, size], align_corners=False)
    views = F.grid_sample(torch.stack([frames, masks], dim=1).float() / 255, grid, align_corners=False)
    images, inside = views[:, :1], (grid.abs().amax(dim=-1) <= 1)[:, None]
    images = _bend_grey_levels(_draw_shadows(images, generator), generator)
    images = change_display(_coarsen(_add_speckle(images, generator), generator), generator)
    images = images * (inside & (views[:, :1] > 0))
    images, targets = _draw_margins(images, views[:, 1:], generator)
    return _write_words(images, generator), targets


def _uniform(n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return torch.rand(n, generator=generator) * (high - low) + low


def _choose(n: int, rate: float, generator: torch.Generator) -> Tensor:
    return (torch.rand(n, generator=generator) < rate).view(n, 1, 1, 1)


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


def _bend_grey_levels(images: Tensor, generator: torch.Generator) -> Tensor:
    """Give half of the images another grey map: a black and a white point, an S-curve between them or its inverse."""
    n = len(images)
    black, white = (_uniform(n, *ends, generator).view(n, 1, 1, 1) for ends in ((-0.05, 0.12), (0.6, 1.1)))
    bend = _uniform(n, -0.8, 0.8, generator).view(n, 1, 1, 1)
    level = ((images - black) / (white - black)).clamp(0, 1)
    bent = level + bend * level * (1 - level) * (2 * level - 1) * 2
    return torch.where(_choose(n, CURVE_RATE, generator), bent.clamp(0, 1), images)


def _add_speckle(images: Tensor, generator: torch.Generator) -> Tensor:
    """Multiply some images by speckle of another probe: grains of 2 to 4 pixels."""
    n, _, size, _ = images.shape
    grain = int(torch.randint(2, 5, (1,), generator=generator))
    coarse = torch.randn((n, 1, size // grain + 1, size // grain + 1), generator=generator)
    speckle = F.interpolate(coarse, size=(size, size), mode="bilinear", align_corners=False)
    strength = _uniform(n, 0.05, 0.3, generator).view(n, 1, 1, 1) * _choose(n, SPECKLE_RATE, generator)
    return (images * (1 + speckle * strength)).clamp(0, 1)


def _coarsen(images: Tensor, generator: torch.Generator) -> Tensor:
    """Bring some images to a lower resolution and back, as a small export or an old machine would."""
    n, _, size, _ = images.shape
    side = int(size * float(_uniform(1, COARSEST, 0.9, generator)))
    small = F.interpolate(images, size=(side, side), mode="bilinear", antialias=True, align_corners=False)
    back = F.interpolate(small, size=(size, size), mode="bilinear", align_corners=False)
    return torch.where(_choose(n, COARSE_RATE, generator), back, images)


def _draw_margins(images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Cover the edges of some views by a black, grey or white border; no lesion lies under it."""
    n, _, size, _ = images.shape
    places = ((torch.arange(size) + 0.5) / size)[None]
    left, right, top, bottom = (_uniform(4 * n, 0, MAX_MARGIN, generator)).view(4, n, 1)
    across, down = (places > left) & (places < 1 - right), (places > top) & (places < 1 - bottom)
    kept = (down[:, :, None] & across[:, None, :])[:, None] | ~_choose(n, MARGIN_RATE, generator)
    level = torch.where(torch.rand(n, generator=generator) < 0.7, 0.0, _uniform(n, 0, 1, generator)).view(n, 1, 1, 1)
    return torch.where(kept, images, level), targets * kept


def _write_words(images: Tensor, generator: torch.Generator) -> Tensor:
    """Burn up to three lines of a machine's text into some of the images."""
    strips = _render_words()
    for i in torch.nonzero(_choose(len(images), WORDS_RATE, generator).flatten()).flatten().tolist():
        count = int(torch.randint(1, 4, (1,), generator=generator))
        for number in torch.randint(0, len(strips), (count,), generator=generator).tolist():
            _write(images[i, 0], strips[number], generator)
    return images


def _write(image: Tensor, strip: Tensor, generator: torch.Generator) -> None:
    (height, width), (rows, columns) = strip.shape, image.shape
    y, x = (int(torch.randint(0, max(room, 1), (1,), generator=generator)) for room in (rows - height, columns - width))
    place = image[y : y + height, x : x + width]
    level = float(_uniform(1, 0.5, 1, generator))
    place.copy_(torch.maximum(place, level * strip[: place.shape[0], : place.shape[1]]))


@cache
def _render_words() -> tuple[Tensor, ...]:
    """Give each of `WORDS` in two sizes, float (height, width) in 0 to 1."""
    strips = []
    for text in WORDS:
        for points in (8, 11):
            font = ImageFont.load_default(points)
            box = font.getbbox(text)
            image = Image.new("L", (int(box[2]) + 1, int(box[3]) + 1))
            ImageDraw.Draw(image).text((0, 0), text, fill=255, font=font)
            strips.append(torch.from_numpy(np.asarray(image).copy()).float() / 255)
    return tuple(strips)
