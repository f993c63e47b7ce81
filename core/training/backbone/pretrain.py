"""Pre-training of the backbone: malignancy, and beside it BI-RADS, histology, descriptors, outline."""

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel

from core.training.augment import augment
from core.training.backbone.imagenet import MEAN, STD, load_imagenet
from core.training.busbra import BIRADS, CROP_CONTEXT, HISTOLOGY
from core.training.clinics import UNKNOWN, Lesions
from core.training.descriptors import NAMES
from core.training.precision import run_depthwise_in_fp32, train_in_bf16
from models.architectures import make_backbone

CONTEXT = 1.75
TASK_WEIGHTS = {"malignant": 1.0, "birads": 0.3, "histology": 0.2, "descriptors": 0.3, "outline": 0.5}
CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True)
class Recipe:
    """How the backbone is trained.

    Parameters
    ----------
    stages : tuple of (int, int)
        Image side in pixels and epochs at it, from coarse to fine.
    batch_size : int
        Images a step, over all devices.
    learning_rate, weight_decay : float
        AdamW's; the rate warms up over one epoch and falls by a cosine.
    ema_decay : float
        Decay a step of the weights' moving average, which is what is kept.
    seed : int
        Seed of initial weights, order and augmentation.
    architecture : str
        One of `models.backbone.ARCHITECTURES`.
    imagenet : bool
        Start from ImageNet weights.
    """

    stages: tuple[tuple[int, int], ...] = ((128, 2), (192, 4))
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    ema_decay: float = 0.995
    seed: int = 20260507
    architecture: str = "efficientnet-lite2"
    imagenet: bool = True

    @property
    def epochs(self) -> int:
        """Epochs over all stages."""
        return sum(epochs for _, epochs in self.stages)

    def size_at(self, epoch: int) -> int:
        """Image side in pixels at an epoch, counted from 0."""
        for size, epochs in self.stages:
            if epoch < epochs:
                return size
            epoch -= epochs
        return self.stages[-1][0]


class PretrainNet(nn.Module):
    """The backbone with a head for each task; all but the malignancy head are dropped afterwards."""

    def __init__(self, architecture: str) -> None:
        super().__init__()
        self.backbone = make_backbone(architecture)
        n_features = self.backbone.n_features
        self.malignant = nn.Linear(n_features, 1)
        self.birads = nn.Linear(n_features, len(BIRADS))
        self.histology = nn.Linear(n_features, len(HISTOLOGY) + 1)
        self.descriptors = nn.Linear(n_features, len(NAMES))
        self.outline8, self.outline16 = (nn.Conv2d(channels, 1, 1) for channels in self.backbone.channels)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Give the raw output of every task for normalised images (n, 1, H, W); the outline at stride 8."""
        stride8, stride16, maps = self.backbone.extract_pyramid(x)
        pooled = maps.mean(dim=(2, 3))
        coarse = F.interpolate(self.outline16(stride16), size=stride8.shape[-2:], mode="bilinear", align_corners=False)
        return {
            "malignant": self.malignant(pooled).flatten(),
            "birads": self.birads(pooled),
            "histology": self.histology(pooled),
            "descriptors": self.descriptors(pooled),
            "outline": self.outline8(stride8) + coarse,
        }


def normalise(images: Tensor) -> Tensor:
    """Bring grey levels of 0 to 1 to the backbone's scale."""
    return (images - MEAN) / STD


def pretrain(
    data: Lesions,
    train: NDArray[np.bool_],
    out: Path,
    recipe: Recipe,
    *,
    on_step: Callable[[int, int, float], None] = lambda step, total, loss: None,
) -> PretrainNet:
    """Train the backbone, resuming from a checkpoint in `out` if there is one.

    Parameters
    ----------
    data : Lesions
        All lesions.
    train : ndarray of bool, (n,)
        Lesions to train on.
    out : Path
        Folder of the checkpoint.
    recipe : Recipe
        Stages, optimiser, seed.
    on_step : callable
        Called with step, number of steps and loss.

    Returns
    -------
    PretrainNet
        The network with averaged weights, in evaluation mode, on the CPU.
    """
    torch.manual_seed(recipe.seed)
    device = _choose_device()
    net = PretrainNet(recipe.architecture).to(device).to(memory_format=torch.channels_last)
    if recipe.imagenet:
        load_imagenet(net.backbone, recipe.architecture)
    average = AveragedModel(net, avg_fn=average_by(recipe.ema_decay), use_buffers=True)
    optimiser = torch.optim.AdamW(_split_decay(net, recipe.weight_decay), lr=recipe.learning_rate, fused=True)
    if device.type == "cpu":
        run_depthwise_in_fp32(net)
    state = _Progress(out / CHECKPOINT, net, average, optimiser)
    first = state.resume()
    wrapped: nn.Module = DistributedDataParallel(net) if dist.is_initialized() else net
    targets = _make_targets(data, train, device)
    indices = np.flatnonzero(train)
    per_epoch = len(indices) // recipe.batch_size
    for epoch in range(first, recipe.epochs):
        size = recipe.size_at(epoch)
        generator = torch.Generator().manual_seed(recipe.seed * 1000 + epoch)
        for i, batch in enumerate(_draw_batches(indices, recipe, epoch)):
            step = epoch * per_epoch + i
            _set_rate(optimiser, recipe, step, per_epoch)
            images, outlines = augment(
                targets["crops"][batch],
                targets["masks"][batch],
                size=size,
                zoom=CONTEXT / CROP_CONTEXT,
                generator=generator,
            )
            loss = _step(wrapped, optimiser, images, {k: v[batch] for k, v in targets.items()} | {"outline": outlines})
            average.update_parameters(net)
            on_step(step + 1, recipe.epochs * per_epoch, loss)
        state.save(epoch + 1)
    return cast("PretrainNet", average.module.to("cpu").eval())


def average_by(decay: float) -> Callable[[Tensor, Tensor, Tensor | int], Tensor]:
    """Give the moving average's step: at each, older weights fade by `decay`; the first have no extra weight."""

    def step(average: Tensor, current: Tensor, n_averaged: Tensor | int) -> Tensor:
        share = (1 - decay) / (1 - decay ** (float(n_averaged) + 1))
        return average + (current - average) * share if average.is_floating_point() else current

    return step


def _choose_device() -> torch.device:
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


def _split_decay(net: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Weights decay; biases and batch-norm parameters don't."""
    decayed = [p for p in net.parameters() if p.ndim > 1]
    plain = [p for p in net.parameters() if p.ndim <= 1]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": plain, "weight_decay": 0.0}]


def _make_targets(data: Lesions, train: NDArray[np.bool_], device: torch.device) -> dict[str, Tensor]:
    centre, spread = data.descriptors[train].mean(0), np.maximum(data.descriptors[train].std(0), 1e-6)
    arrays = {
        "crops": data.crops,
        "masks": data.masks,
        "malignant": data.malignant,
        "birads": data.birads,
        "histology": data.histology,
        "descriptors": ((data.descriptors - centre) / spread).clip(-3, 3),
    }
    return {name: torch.from_numpy(values).to(device) for name, values in arrays.items()}


def _draw_batches(indices: NDArray[np.int64], recipe: Recipe, epoch: int) -> Iterator[Tensor]:
    """Shuffle the images and give this process its share of each full batch."""
    order = np.random.default_rng([recipe.seed, epoch]).permutation(indices)
    rank, world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    for i in range(len(order) // recipe.batch_size):
        yield torch.from_numpy(order[i * recipe.batch_size : (i + 1) * recipe.batch_size][rank::world])


def _set_rate(optimiser: torch.optim.Optimizer, recipe: Recipe, step: int, per_epoch: int) -> None:
    total = recipe.epochs * per_epoch
    rate = min((step + 1) / per_epoch, 0.5 * (1 + math.cos(math.pi * step / total)))
    for group in optimiser.param_groups:
        group["lr"] = recipe.learning_rate * rate


def _step(net: nn.Module, optimiser: torch.optim.Optimizer, images: Tensor, target: dict[str, Tensor]) -> float:
    net.train()
    images = normalise(images).contiguous(memory_format=torch.channels_last)
    with train_in_bf16(images.device):
        output = {name: value.float() for name, value in net(images).items()}
    smooth = target["malignant"] * 0.95 + 0.025
    outline = F.interpolate(target["outline"], size=output["outline"].shape[-2:], mode="area")
    losses = {
        "malignant": F.binary_cross_entropy_with_logits(output["malignant"], smooth),
        "birads": _classify(output["birads"], target["birads"]),
        "histology": _classify(output["histology"], target["histology"]),
        "descriptors": F.smooth_l1_loss(output["descriptors"], target["descriptors"]),
        "outline": F.binary_cross_entropy_with_logits(output["outline"], outline),
    }
    loss = sum((TASK_WEIGHTS[name] * value for name, value in losses.items()), torch.zeros((), device=images.device))
    optimiser.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 5.0)
    optimiser.step()
    return float(loss.detach())


def _classify(output: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy over the images whose class is known, averaged over all."""
    summed = F.cross_entropy(output, target, label_smoothing=0.1, ignore_index=UNKNOWN, reduction="sum")
    return summed / len(target)


@dataclass(frozen=True)
class _Progress:
    """The checkpoint: written whole after each epoch by the first process, read by all."""

    path: Path
    net: nn.Module
    average: AveragedModel
    optimiser: torch.optim.Optimizer

    def resume(self) -> int:
        """Load the checkpoint; return the epoch to go on with."""
        if not self.path.exists():
            return 0
        saved = torch.load(self.path, map_location="cpu", weights_only=True)
        self.net.load_state_dict(saved["net"])
        self.average.module.load_state_dict(saved["average"])
        self.average.n_averaged.copy_(saved["n_averaged"])
        self.optimiser.load_state_dict(saved["optimiser"])
        return int(saved["epoch"])

    def save(self, epoch: int) -> None:
        """Replace the checkpoint by the present state."""
        if dist.is_initialized() and dist.get_rank() != 0:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix(".partial")
        state = {
            "epoch": epoch,
            "net": self.net.state_dict(),
            "average": self.average.module.state_dict(),
            "n_averaged": self.average.n_averaged,
            "optimiser": self.optimiser.state_dict(),
        }
        torch.save(state, partial)
        partial.replace(self.path)
