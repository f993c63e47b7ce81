"""The lesion segmenter: a light U-Net on the whole B-mode frame, read from and written to its folder."""

import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from models.bundle import hash_file
from models.segmenter_card import CARD_JSON, SCHEMA_VERSION, WEIGHTS, misfit, read_card

CHANNELS = (24, 48, 96, 128, 160)
STRIDE = 2 ** len(CHANNELS)


class Block(nn.Module):
    """Two convolutions with batch norm, added to a projection of their input.

    Parameters
    ----------
    n_in, n_out : int
        Channels.
    stride : int
        Of the first convolution.
    """

    def __init__(self, n_in: int, n_out: int, *, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(n_out)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(n_out)
        self.project = nn.Conv2d(n_in, n_out, 1, stride=stride, bias=False)
        self.bn3 = nn.BatchNorm2d(n_out)

    def forward(self, x: Tensor) -> Tensor:
        """Give maps (n, n_out, H / stride, W / stride)."""
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.bn3(self.project(x)))


class Segmenter(nn.Module):
    """A U-Net from stride 2 to stride 32 and back.

    Parameters
    ----------
    channels : tuple of int
        Channels at strides 2, 4, 8, 16 and 32.
    """

    def __init__(self, channels: tuple[int, ...] = CHANNELS) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, channels[0], 5, stride=2, padding=2, bias=False)
        self.stem_bn = nn.BatchNorm2d(channels[0])
        pairs = list(itertools.pairwise(channels))
        self.first = Block(channels[0], channels[0])
        self.down = nn.ModuleList(Block(a, b, stride=2) for a, b in pairs)
        self.bottom = Block(channels[-1], channels[-1])
        self.up = nn.ModuleList(Block(a + b, a) for a, b in reversed(pairs))
        self.head = nn.Conv2d(channels[0], 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Give the log-odds that a pixel belongs to a lesion.

        Parameters
        ----------
        x : Tensor
            Normalised grey images, float (n, 1, H, W), H and W multiples of 32.

        Returns
        -------
        Tensor
            Log-odds, float (n, 1, H, W).
        """
        maps = [self.first(F.relu(self.stem_bn(self.stem(x))))]
        for block in self.down:
            maps.append(block(maps[-1]))
        y = self.bottom(maps.pop())
        for block in self.up:
            skip = maps.pop()
            y = F.interpolate(y, size=skip.shape[-2:], mode="bilinear", align_corners=False)
            y = block(torch.cat([skip, y], dim=1))
        return F.interpolate(self.head(y), size=x.shape[-2:], mode="bilinear", align_corners=False)


def read_segmenter(folder: Path) -> tuple[Segmenter, Mapping[str, Any]]:
    """Read and verify a segmenter.

    Parameters
    ----------
    folder : Path
        Holds segmenter.safetensors (fp16) and segmenter.json.

    Returns
    -------
    tuple of Segmenter and mapping
        The network in fp32 and evaluation mode, and its card (see `models.segmenter_card.read_card`).

    Raises
    ------
    BundleError
        If a file is missing, was changed, or has another schema.
    """
    card = read_card(folder)
    net = Segmenter()
    try:
        net.load_state_dict(load_file(folder / WEIGHTS))
    except (RuntimeError, SafetensorError):
        raise misfit() from None
    return net.eval(), card


def write_segmenter(net: Segmenter, folder: Path, card: Mapping[str, Any]) -> None:
    """Write the weights in fp16 and segmenter.json with their hash.

    Parameters
    ----------
    net : Segmenter
        The network.
    folder : Path
        Where to write; it is made if it isn't there.
    card : mapping
        Everything but the schema version and the hash, JSON types.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: value.half() if value.is_floating_point() else value for name, value in net.state_dict().items()}
    save_file({name: value.detach().contiguous() for name, value in tensors.items()}, folder / WEIGHTS)
    full = {"schema_version": SCHEMA_VERSION, "sha256": hash_file(folder / WEIGHTS), **card}
    (folder / CARD_JSON).write_text(json.dumps(full, indent=1) + "\n", encoding="utf-8")
