"""From the clinics' folders to the networks: the backbone with its applicability gate, and the lesion segmenter."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray

from core.errors import UsageError
from core.training.backbone.build import BackboneWriter, train_backbones
from core.training.backbone.imagenet import load_imagenet
from core.training.backbone.pretrain import PretrainNet, Recipe
from core.training.clinics import N_FOLDS, Lesions, read_lesions
from core.training.features import Progress
from core.training.loop import Schedule
from core.training.segmenter.build import SegmenterWriter, train_segmenters
from core.training.segmenter.frames import read_outlined_frames
from models.architectures import ARCHITECTURES
from models.efficientnet import LITE2, EfficientNetLite

ENCODER = "efficientnet-lite2"
BACKBONE, SEGMENTER = "backbone", "lesion-segmenter"


@dataclass(frozen=True)
class Plan:
    """What the person who trains decides."""

    folds: tuple[int, ...]  # folds of patients to hold out in turn, 1 to 5
    leave_out: tuple[str, ...]  # clinics to leave out in turn
    recipe: Recipe  # how each backbone is trained
    segmenter: Schedule  # how each segmenter is trained

    def __post_init__(self) -> None:
        if not set(self.folds) <= set(range(1, N_FOLDS + 1)):
            raise UsageError(f"Folds are 1 to {N_FOLDS}, not {', '.join(map(str, self.folds))}.")
        if self.recipe.architecture not in ARCHITECTURES:
            raise UsageError(
                f"There is no network '{self.recipe.architecture[:40]}': choose {', '.join(ARCHITECTURES)}."
            )

    def hold_out(self, clinic: NDArray[np.str_], fold: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
        """Give the rows of each part that is held out, by its name; bool (n,)."""
        unknown = set(self.leave_out) - set(clinic)
        if unknown:
            names = ", ".join(np.unique(clinic))
            raise UsageError(f"There is no clinic '{min(unknown)[:40]}' to leave out; there are {names}.")
        folds = {f"fold {number}": fold == number for number in self.folds}
        return folds | {name: clinic == name for name in self.leave_out}


@dataclass(frozen=True)
class Sources:
    """Where the images lie."""

    busbra: Path  # BUS-BRA's folder
    clinics: tuple[Path, ...] = ()  # folders of further clinics, as `core.training.clinics.read_index` reads them

    def read_lesions(self) -> Lesions:
        """Read the lesions of all clinics."""
        return read_lesions(self.busbra, self.clinics)


def pretrain_networks(sources: Sources, out: Path, work: Path, plan: Plan, *, progress: Progress) -> dict[str, Any]:
    """Train, measure and write the networks; a stopped run goes on."""
    lesions = sources.read_lesions()
    frames = read_outlined_frames(sources.busbra, sources.clinics)
    held, held_frames = (plan.hold_out(data.clinic, data.fold) for data in (lesions, frames))
    with _distributed():
        backbones = train_backbones(lesions, held, work / BACKBONE, plan.recipe, progress=progress)
        encoders = {name: _start_encoder(net, plan.recipe) for name, net in backbones.nets.items()}
        segmenters = train_segmenters(
            frames, held_frames, encoders, work / SEGMENTER, plan.segmenter, progress=progress
        )
    if int(os.environ.get("RANK", "0")) != 0:
        return {}
    backbone = BackboneWriter(backbones, plan.recipe, sources.clinics)
    summary = {"backbone": backbone.write(out / BACKBONE, work / BACKBONE)}
    writer = SegmenterWriter(frames, held_frames, segmenters, plan.segmenter, backbone)
    return summary | {"segmenter": writer.write(out / SEGMENTER, work / SEGMENTER)}


def _start_encoder(net: PretrainNet, recipe: Recipe) -> EfficientNetLite:
    """Give the segmenter's encoder: the backbone where it is of the same make, else what the backbone started from."""
    if recipe.architecture == ENCODER and isinstance(net.backbone, EfficientNetLite):
        return net.backbone
    encoder = EfficientNetLite(LITE2)
    if recipe.imagenet:
        load_imagenet(encoder, ENCODER)
    return encoder


@contextmanager
def _distributed() -> Iterator[None]:
    """Join the other processes when torchrun started several."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()
