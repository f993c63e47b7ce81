"""Pre-training of the backbone: malignancy, and beside it BI-RADS, histology, descriptors, outline."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from numpy.typing import NDArray
from torch import Tensor, nn

from core.training.augment import augment
from core.training.backbone.imagenet import MEAN, STD, load_imagenet
from core.training.busbra import BIRADS, CROP_CONTEXT, HISTOLOGY
from core.training.clinics import UNKNOWN, Lesions
from core.training.descriptors import NAMES
from core.training.loop import Batch, OnStep, Schedule, choose_device, fit
from core.training.precision import train_in_bf16
from models.architectures import make_backbone

CONTEXT = 1.75
TASK_WEIGHTS = {"malignant": 1.0, "birads": 0.3, "histology": 0.2, "descriptors": 0.3, "outline": 0.5}


@dataclass(frozen=True)
class Recipe:
    """How the backbone is trained."""

    # image side in pixels and passes over the images at it, from coarse to fine
    stages: tuple[tuple[int, int], ...] = ((128, 2), (192, 4))
    batch_size: int = 32  # images a step, over all devices
    # learning_rate, weight_decay, ema_decay: see `core.training.loop.Schedule`; the rate warms up over one pass
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    ema_decay: float = 0.995
    seed: int = 20260507  # seed of initial weights, order and augmentation
    architecture: str = "efficientnet-lite2"  # one of `models.architectures.ARCHITECTURES`
    imagenet: bool = True  # start from ImageNet weights

    @property
    def size(self) -> int:
        """Image side of the last stage, pixels: the network's input."""
        return self.stages[-1][0]

    def lasting(self, passes: int) -> "Recipe":
        """Give the recipe with so many passes over the images, a third of them at the coarse size."""
        (coarse, _), (fine, _) = self.stages
        shares = ((coarse, passes // 3), (fine, passes - passes // 3))
        return replace(self, stages=tuple((size, count) for size, count in shares if count))

    def schedule(self, n_images: int) -> Schedule:
        """Give the steps for a number of images."""
        per_pass = max(n_images // self.batch_size, 1)
        return Schedule(
            stages=tuple((size, passes * per_pass) for size, passes in self.stages),
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            ema_decay=self.ema_decay,
            warm_up=1 / sum(passes for _, passes in self.stages),
            seed=self.seed,
        )


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
    folder: Path,
    recipe: Recipe,
    *,
    on_step: OnStep = lambda *_: None,
) -> PretrainNet:
    """Train the backbone on some of the lesions, going on from a checkpoint in `folder` if there is one.

    The network has averaged weights, in evaluation mode, on the CPU; `on_step` takes step, number of steps and loss.
    """
    torch.manual_seed(recipe.seed)
    net = PretrainNet(recipe.architecture)
    if recipe.imagenet:
        load_imagenet(net.backbone, recipe.architecture)
    targets = _make_targets(data, train, choose_device())

    def compute(net: nn.Module, batch: Batch) -> Tensor:
        images, outlines = augment(
            targets["crops"][batch.rows],
            targets["masks"][batch.rows],
            size=batch.size,
            zoom=CONTEXT / CROP_CONTEXT,
            generator=batch.generator,
        )
        return _compute_loss(net, images, {k: v[batch.rows] for k, v in targets.items()} | {"outline": outlines})

    rows = np.flatnonzero(train)
    return fit(net, compute, rows, recipe.schedule(len(rows)), folder, on_step)


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


def _compute_loss(net: nn.Module, images: Tensor, target: dict[str, Tensor]) -> Tensor:
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
    return sum((TASK_WEIGHTS[name] * value for name, value in losses.items()), torch.zeros((), device=images.device))


def _classify(output: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy over the images whose class is known, averaged over all."""
    summed = F.cross_entropy(output, target, label_smoothing=0.1, ignore_index=UNKNOWN, reduction="sum")
    return summed / len(target)
