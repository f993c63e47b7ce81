"""The lesion segmenter: a light U-Net on the whole B-mode frame, its letterbox, and its folder, verified by hash."""

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from numpy.typing import NDArray
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from models.bundle import BundleError, hash_file

SCHEMA_VERSION = 1
CHANNELS = (24, 48, 96, 128, 160)
STRIDE = 2 ** len(CHANNELS)
WEIGHTS, CARD_JSON = "segmenter.safetensors", "segmenter.json"


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


@dataclass(frozen=True)
class Letterbox:
    """How a frame lies in the square input: its longer side fills it, its aspect is kept, the rest is black.

    Parameters
    ----------
    width, height : int
        Of the frame, pixels.
    size : int
        Side of the square, pixels.
    """

    width: int
    height: int
    size: int

    @property
    def inner(self) -> tuple[int, int]:
        """Width and height of the frame within the square, pixels."""
        scale = self.size / max(self.width, self.height)
        return max(1, round(self.width * scale)), max(1, round(self.height * scale))

    @property
    def corner(self) -> tuple[int, int]:
        """Left and top edge of the frame within the square, pixels."""
        width, height = self.inner
        return (self.size - width) // 2, (self.size - height) // 2

    def apply(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Put the frame into the square, resized once, bilinear with antialiasing.

        Parameters
        ----------
        pixels : ndarray of uint8, (height, width)
            Grey levels.

        Returns
        -------
        ndarray of uint8, (size, size)
            The square.
        """
        square = np.zeros((self.size, self.size), dtype=np.uint8)
        (x, y), (width, height) = self.corner, self.inner
        resized = Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR)
        square[y : y + height, x : x + width] = np.asarray(resized)
        return square

    def cut(self, square: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the frame's part of a map over the square, float32 (inner height, inner width)."""
        (x, y), (width, height) = self.corner, self.inner
        return square[y : y + height, x : x + width]

    def to_square(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map points (n, 2) of x, y from pixels of the frame to pixels of the square."""
        return points * self._scale + np.array(self.corner)

    def to_frame(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map points (n, 2) of x, y from pixels of the square to pixels of the frame."""
        return (points - np.array(self.corner)) / self._scale

    @property
    def _scale(self) -> NDArray[np.float64]:
        return np.array(self.inner) / np.array([self.width, self.height])


def read_segmenter(folder: Path) -> tuple[Segmenter, Mapping[str, Any]]:
    """Read and verify a segmenter.

    Parameters
    ----------
    folder : Path
        Holds segmenter.safetensors (fp16) and segmenter.json.

    Returns
    -------
    tuple of Segmenter and mapping
        The network in fp32 and evaluation mode, and its card: schema_version, input (size, mean, std, letterbox),
        threshold, least_confidence, sha256, seed, training_data, figures.

    Raises
    ------
    BundleError
        If a file is missing, was changed, or has another schema.
    """
    try:
        card = dict(json.loads((folder / CARD_JSON).read_text(encoding="utf-8")))
        matches = hash_file(folder / WEIGHTS) == card["sha256"]
    except (FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError, KeyError):
        raise BundleError(
            f"The folder holds no lesion segmenter ({WEIGHTS} and {CARD_JSON}): make one by "
            "'python -m core pretrain-segmenter'."
        ) from None
    if card.get("schema_version") != SCHEMA_VERSION:
        raise BundleError(
            f"The lesion segmenter has schema version {card.get('schema_version')}, this program reads "
            f"{SCHEMA_VERSION}: train it anew or take the program's other version."
        )
    if not matches:
        raise BundleError(f"{WEIGHTS} was changed after training (its hash differs): fetch it anew.")
    net = Segmenter()
    try:
        net.load_state_dict(load_file(folder / WEIGHTS))
    except (RuntimeError, SafetensorError):
        raise BundleError(f"{WEIGHTS} holds another network than the lesion segmenter: fetch it anew.") from None
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
