"""The lesion segmenter: an EfficientNet-Lite2 as the encoder, a light decoder back to stride 4."""

import itertools

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor, nn

from models.efficientnet import LITE2, ConvNorm, EfficientNetLite

DECODER = (96, 64, 32)


class Segmenter(nn.Module):
    """Log-odds that a pixel of a whole B-mode frame belongs to a lesion."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = EfficientNetLite(LITE2)
        self.encoder.head = nn.Identity()  # type: ignore[assignment] # the decoder reads the levels before it
        *skips, deepest = self.encoder.level_channels
        channels = itertools.pairwise((deepest, *DECODER))
        self.up = nn.ModuleList(
            ConvNorm(below + skip, out, 3) for (below, out), skip in zip(channels, reversed(skips), strict=True)
        )
        self.lesion = nn.Conv2d(DECODER[-1], 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Give the log-odds of a lesion."""
        *skips, y = self.encoder.extract_levels(x)
        for block, skip in zip(self.up, reversed(skips), strict=True):
            y = F.interpolate(y, scale_factor=2.0, mode="bilinear", align_corners=False)
            y = F.relu6(block(torch.cat([skip, y], dim=1)))
        return F.interpolate(self.lesion(y), scale_factor=4.0, mode="bilinear", align_corners=False)
