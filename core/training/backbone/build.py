"""From BUS-BRA's folder to the backbone's: held-out folds, a fit on all patients, figures, card."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist

from core.errors import UsageError
from core.imaging import read_frames
from core.inference.engines.interface import InputRule
from core.inference.engines.torch import TorchEngine
from core.training.appearance import describe_looks
from core.training.backbone.card import write_readable_card
from core.training.backbone.folder import (
    evaluate_fold,
    make_reference,
    score_images,
    write_backbone_card,
    write_weights,
)
from core.training.backbone.pretrain import CHECKPOINT, CONTEXT, MEAN, STD, Recipe, pretrain
from core.training.busbra import Busbra, read_busbra
from core.training.features import Progress

N_FOLDS = 5
LOOKS_FOLD = 1  # left out of what the images look like, so that the rates on it are those of unseen images
SEED = 20260507
FINAL_EPOCHS = 3
FINAL_RATE = 3e-4
SOURCE = (
    "BUS-BRA: 1,875 breast ultrasound images of 1,064 patients, with pathology (Gomez-Flores W, Gregorio-Calas MJ, "
    "Coelho de Albuquerque Pereira W. Medical Physics 2023)."
)


@dataclass(frozen=True)
class BackbonePlan:
    """What the person who trains decides.

    Parameters
    ----------
    folds : tuple of int
        Folds to hold out in turn, 1 to 5; none for the fit on all patients alone.
    recipe : Recipe
        How each network is trained.
    """

    folds: tuple[int, ...]
    recipe: Recipe

    def __post_init__(self) -> None:
        if not set(self.folds) <= set(range(1, N_FOLDS + 1)):
            raise UsageError(f"Folds are 1 to {N_FOLDS}, not {', '.join(map(str, self.folds))}.")

    @property
    def final_recipe(self) -> Recipe:
        """Recipe of the fit on all patients: short, from the first fold's weights, where there are some."""
        if not self.folds:
            return self.recipe
        size = self.recipe.stages[-1][0]
        return replace(self.recipe, stages=((size, FINAL_EPOCHS),), learning_rate=FINAL_RATE)


def build_backbone(folder: Path, out: Path, work: Path, plan: BackbonePlan, *, progress: Progress) -> dict[str, Any]:
    """Train, measure and write the backbone; every part resumes from its checkpoint.

    Parameters
    ----------
    folder : Path
        BUS-BRA.
    out : Path
        Folder of the weights, backbone.json and CARD.md.
    work : Path
        Folder of the checkpoints.
    plan : BackbonePlan
        Folds and recipe.
    progress : callable
        Called with steps done and all steps.

    Returns
    -------
    dict
        "backbone" (folder) and "figures" by fold.
    """
    data = read_busbra(folder)
    with _distributed():
        figures = [_run_fold(data, fold, work, plan, progress) for fold in plan.folds]
        start = work / f"fold-{plan.folds[0]}" / CHECKPOINT if plan.folds else None
        everyone = np.ones(len(data), dtype=bool)
        net = pretrain(data, everyone, work / "final", plan.final_recipe, start=start, on_step=_without_loss(progress))
    if int(os.environ.get("RANK", "0")) == 0:
        engine = TorchEngine(write_weights(net, out), _input_rule(plan.recipe), precision="fp32")
        pooled = score_images(engine, read_frames(data.paths), data.boxes).pooled
        training_data = {"description": SOURCE, "images": len(data), "patients": len(np.unique(data.patient))}
        recipes = {"cross_validation": asdict(plan.recipe), "final": asdict(plan.final_recipe)}
        looks = describe_looks(read_frames(data.paths[i] for i in np.flatnonzero(data.fold != LOOKS_FOLD)), seed=SEED)
        write_backbone_card(
            out, training_data, recipes, make_reference(pooled), looks, figures, size=plan.recipe.stages[-1][0]
        )
        write_readable_card(out, training_data, figures)
    return {"backbone": str(out), "figures": figures}


def _run_fold(data: Busbra, fold: int, work: Path, plan: BackbonePlan, progress: Progress) -> dict[str, Any]:
    folder = work / f"fold-{fold}"
    net = pretrain(data, data.fold != fold, folder, plan.recipe, on_step=_without_loss(progress))
    engine = TorchEngine(write_weights(net, folder), _input_rule(plan.recipe), precision="fp32")
    return evaluate_fold(engine, data, fold)


def _input_rule(recipe: Recipe) -> InputRule:
    return InputRule(recipe.stages[-1][0], CONTEXT, MEAN, STD)


def _without_loss(progress: Progress) -> Any:
    return lambda step, total, _loss: progress(step, total)


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
