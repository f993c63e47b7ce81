"""Training of the lesion segmenter on BUS-BRA's masks: whole frames, Dice and cross-entropy."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from core.training.precision import train_in_bf16
from core.training.segmenter.augment import augment_frames
from models.letterbox import Letterbox
from models.segmenter import Segmenter

CANVAS_PX = 256
MEAN, STD = 0.28, 0.2
CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True)
class SegmenterRecipe:
    """How the segmenter is trained.

    Parameters
    ----------
    stages : tuple of (int, int)
        Image side in pixels and epochs at it, from coarse to fine.
    batch_size : int
        Images a step.
    learning_rate, weight_decay : float
        AdamW's; the rate warms up over one epoch and falls by a cosine.
    ema_decay : float
        Decay a step of the weights' moving average, which is what is kept.
    seed : int
        Seed of initial weights, order and augmentation.
    """

    stages: tuple[tuple[int, int], ...] = ((128, 16), (192, 8))
    batch_size: int = 16
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    ema_decay: float = 0.99
    seed: int = 20260507

    @property
    def epochs(self) -> int:
        """Epochs over all stages."""
        return sum(epochs for _, epochs in self.stages)

    @property
    def size(self) -> int:
        """Image side of the last stage, pixels: the network's input."""
        return self.stages[-1][0]

    def size_at(self, epoch: int) -> int:
        """Image side in pixels at an epoch, counted from 0."""
        for size, epochs in self.stages:
            if epoch < epochs:
                return size
            epoch -= epochs
        return self.size


@dataclass(frozen=True)
class Masks:
    """Frames and lesions on small squares.

    Parameters
    ----------
    frames, lesions : ndarray of uint8, (n, 256, 256)
        Letterboxed images and their masks (0 or 255).
    """

    frames: NDArray[np.uint8]
    lesions: NDArray[np.uint8]


def read_masks(paths: tuple[Path, ...]) -> Masks:
    """Read BUS-BRA's images and masks onto small squares.

    Parameters
    ----------
    paths : tuple of Path
        Image files in BUS-BRA's images/; the masks lie beside it.

    Returns
    -------
    Masks
        In the order of the paths.
    """
    frames, lesions = [], []
    for path in paths:
        image, mask = read_pair(path)
        letterbox = Letterbox(image.shape[1], image.shape[0], CANVAS_PX)
        frames.append(letterbox.apply(image))
        lesions.append(letterbox.apply(mask))
    return Masks(np.stack(frames), np.stack(lesions))


def read_pair(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Read an image of BUS-BRA and its mask (0 or 255), both uint8 (height, width)."""
    mask = path.parent.parent / "masks" / path.name.replace("bus_", "mask_", 1)
    return tuple(np.asarray(Image.open(file).convert("L")) for file in (path, mask))  # type: ignore[return-value]


def normalise(images: Tensor) -> Tensor:
    """Bring grey levels of 0 to 1 to the network's scale."""
    return (images - MEAN) / STD


def train_segmenter(
    masks: Masks,
    train: NDArray[np.bool_],
    out: Path,
    recipe: SegmenterRecipe,
    *,
    start: Path | None = None,
    on_step: Callable[[int, int], None] = lambda step, total: None,
) -> Segmenter:
    """Train the segmenter, resuming from a checkpoint in `out` if there is one.

    Parameters
    ----------
    masks : Masks
        All frames.
    train : ndarray of bool, (n,)
        Frames to train on.
    out : Path
        Folder of the checkpoint, written after each epoch.
    recipe : SegmenterRecipe
        Stages, optimiser, seed.
    start : Path, optional
        Checkpoint whose averaged weights are the initial ones.
    on_step : callable
        Called with step and number of steps.

    Returns
    -------
    Segmenter
        The network with averaged weights, in evaluation mode.
    """
    torch.manual_seed(recipe.seed)
    net = Segmenter().to(memory_format=torch.channels_last)
    if start is not None:
        net.load_state_dict(torch.load(start, map_location="cpu", weights_only=True)["average"])
    average = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema_decay), use_buffers=True)
    optimiser = torch.optim.AdamW(net.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    first = _resume(out / CHECKPOINT, net, average, optimiser)
    frames, lesions = torch.from_numpy(masks.frames), torch.from_numpy(masks.lesions)
    indices = np.flatnonzero(train)
    per_epoch = len(indices) // recipe.batch_size
    for epoch in range(first, recipe.epochs):
        generator = torch.Generator().manual_seed(recipe.seed * 1000 + epoch)
        for i, batch in enumerate(_draw_batches(indices, recipe, epoch)):
            step = epoch * per_epoch + i
            _set_rate(optimiser, recipe, step, per_epoch)
            images, targets = augment_frames(
                frames[batch], lesions[batch], size=recipe.size_at(epoch), generator=generator
            )
            _step(net, optimiser, images, targets)
            average.update_parameters(net)
            on_step(step + 1, recipe.epochs * per_epoch)
        _save(out / CHECKPOINT, epoch + 1, net, average, optimiser)
    return cast("Segmenter", average.module.eval())


def compute_loss(log_odds: Tensor, targets: Tensor) -> Tensor:
    """Mean of pixels' cross-entropy and of 1 - Dice by image; float32 (n, 1, H, W) each."""
    prob = log_odds.sigmoid()
    overlap = (prob * targets).sum(dim=(1, 2, 3))
    total = prob.sum(dim=(1, 2, 3)) + targets.sum(dim=(1, 2, 3))
    dice = (2 * overlap + 1) / (total + 1)
    return F.binary_cross_entropy_with_logits(log_odds, targets) + (1 - dice).mean()


def _draw_batches(indices: NDArray[np.int64], recipe: SegmenterRecipe, epoch: int) -> Iterator[Tensor]:
    order = np.random.default_rng([recipe.seed, epoch]).permutation(indices)
    for i in range(len(order) // recipe.batch_size):
        yield torch.from_numpy(order[i * recipe.batch_size : (i + 1) * recipe.batch_size])


def _set_rate(optimiser: torch.optim.Optimizer, recipe: SegmenterRecipe, step: int, per_epoch: int) -> None:
    total = recipe.epochs * per_epoch
    rate = min((step + 1) / per_epoch, 0.5 * (1 + math.cos(math.pi * step / total)))
    for group in optimiser.param_groups:
        group["lr"] = recipe.learning_rate * rate


def _step(net: Segmenter, optimiser: torch.optim.Optimizer, images: Tensor, targets: Tensor) -> None:
    net.train()
    images = normalise(images).contiguous(memory_format=torch.channels_last)
    with train_in_bf16(images.device):
        log_odds = net(images)
    loss = compute_loss(log_odds.float(), targets)
    optimiser.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 5.0)
    optimiser.step()


def _resume(path: Path, net: nn.Module, average: AveragedModel, optimiser: torch.optim.Optimizer) -> int:
    """Load the checkpoint; return the epoch to go on with."""
    if not path.exists():
        return 0
    saved = torch.load(path, map_location="cpu", weights_only=True)
    net.load_state_dict(saved["net"])
    average.module.load_state_dict(saved["average"])
    average.n_averaged.fill_(1)
    optimiser.load_state_dict(saved["optimiser"])
    return int(saved["epoch"])


def _save(path: Path, epoch: int, net: nn.Module, average: AveragedModel, optimiser: torch.optim.Optimizer) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    state = {
        "epoch": epoch,
        "net": net.state_dict(),
        "average": average.module.state_dict(),
        "optimiser": optimiser.state_dict(),
    }
    torch.save(state, partial)
    partial.replace(path)
