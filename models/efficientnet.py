"""EfficientNet-Lite on one grey channel (Tan and Le 2019; Lite: no squeeze-and-excitation, ReLU6)."""

import math
from typing import NamedTuple

import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor, nn

from models.network import Backbone

STRIDE = 32
LEVELS = (4, 8, 16, 32)
N_FEATURES = 1280
STEM = 32
NORM_EPSILON = 1e-3


class Stage(NamedTuple):
    """Blocks of one resolution: how many, their kernel, stride of the first, expansion, channels out."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    channels: int


class Scaling(NamedTuple):
    """Factors of channels and of repeats against EfficientNet-Lite0."""

    width: float
    depth: float


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
LITE0, LITE2 = Scaling(1.0, 1.0), Scaling(1.1, 1.2)


class ConvNorm(nn.Module):
    """Convolution and batch norm; at stride 2 padded as TensorFlow does, on the right and below."""

    def __init__(self, n_in: int, n_out: int, kernel: int, *, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        before = (kernel - stride) // 2 if stride == 2 else kernel // 2
        self.pad = (before, kernel - stride - before) * 2 if stride == 2 else None
        padding = 0 if self.pad else before
        self.conv = nn.Conv2d(n_in, n_out, kernel, stride=stride, padding=padding, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(n_out, eps=NORM_EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """Give maps (n, n_out, H / stride, W / stride)."""
        return self.norm(self.conv(F.pad(x, self.pad) if self.pad else x))


class Block(nn.Module):
    """Inverted bottleneck: expand, filter each channel, project; added to its input where the shapes agree."""

    def __init__(self, n_in: int, n_out: int, *, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = n_in * expansion
        self.expand = ConvNorm(n_in, wide, 1) if expansion > 1 else None
        self.depthwise = ConvNorm(wide, wide, kernel, stride=stride, groups=wide)
        self.project = ConvNorm(wide, n_out, 1)
        self.residual = stride == 1 and n_in == n_out

    def forward(self, x: Tensor) -> Tensor:
        """Give maps (n, n_out, H / stride, W / stride)."""
        y = F.relu6(self.expand(x)) if self.expand is not None else x
        y = self.project(F.relu6(self.depthwise(y)))
        return x + y if self.residual else y


class EfficientNetLite(Backbone):
    """EfficientNet-Lite without its classifier.

    Parameters
    ----------
    scaling : Scaling
        Which of the family.
    """

    n_features = N_FEATURES

    def __init__(self, scaling: Scaling) -> None:
        super().__init__()
        self.stem = ConvNorm(1, STEM, 3, stride=2)
        self.blocks, n_in, stride = nn.ModuleList(), STEM, 2
        ends: dict[int, tuple[int, int]] = {}
        for number, stage in enumerate(STAGES):
            n_out = _round_channels(stage.channels * scaling.width)
            fixed = number in (0, len(STAGES) - 1)
            for i in range(stage.repeats if fixed else math.ceil(stage.repeats * scaling.depth)):
                first = stage.stride if i == 0 else 1
                block = Block(n_in, n_out, kernel=stage.kernel, stride=first, expansion=stage.expansion)
                self.blocks.append(block)
                n_in, stride = n_out, stride * first
            ends[stride] = len(self.blocks), n_out
        self.head = ConvNorm(n_in, N_FEATURES, 1)
        self._ends, self.level_channels = zip(*(ends[stride] for stride in LEVELS), strict=True)
        self.channels = self.level_channels[1:3]

    def extract_levels(self, x: Tensor) -> list[Tensor]:
        """Give the maps of `level_channels` channels at strides 4, 8, 16 and 32, before the head."""
        x = F.relu6(self.stem(x))
        kept = []
        for number, block in enumerate(self.blocks, start=1):
            x = block(x)
            if number in self._ends:
                kept.append(x)
        return kept

    def extract_pyramid(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Give the maps at strides 8, 16 and 32 (see `Backbone`)."""
        _, stride8, stride16, stride32 = self.extract_levels(x)
        return stride8, stride16, F.relu6(self.head(stride32))


def _round_channels(channels: float) -> int:
    """Give the nearest multiple of 8 that is at least 90 % of the number."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded
