"""From BUS-BRA's folder to the segmenter's: held-out folds, a fit on all patients, figures, card."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from core.errors import UsageError
from core.inference import Predictor
from core.inference.lesion_finder import LesionFinder
from core.training.busbra import Busbra, read_busbra
from core.training.features import Progress
from core.training.segmenter.boxes import Exchange, measure_busbra, measure_cohort
from core.training.segmenter.card import LETTERBOX, SOURCE, write_readable_card
from core.training.segmenter.figures import count_false_proposals, score_images, summarise_scores
from core.training.segmenter.pretrain import CHECKPOINT, MEAN, STD, Masks, SegmenterRecipe, read_masks, train_segmenter
from models.segmenter import Segmenter, write_segmenter

N_FOLDS = 5
THRESHOLD = 0.5
LEAST_CONFIDENCE = 0.8
FINAL_EPOCHS = 4
FINAL_RATE = 5e-4


@dataclass(frozen=True)
class SegmenterPlan:
    """What the person who trains decides.

    Parameters
    ----------
    folds : tuple of int
        Folds to hold out in turn, 1 to 5; none for the fit on all patients alone.
    recipe : SegmenterRecipe
        How each network is trained.
    bundle : Path, optional
        Bundle whose answers to the drawn and to the proposed box are compared on the first fold.
    cohort : Path, optional
        cohort.csv of a simulated cohort, whose external split is read with both boxes too.
    """

    folds: tuple[int, ...]
    recipe: SegmenterRecipe
    bundle: Path | None = None
    cohort: Path | None = None

    def __post_init__(self) -> None:
        if not set(self.folds) <= set(range(1, N_FOLDS + 1)):
            raise UsageError(f"Folds are 1 to {N_FOLDS}, not {', '.join(map(str, self.folds))}.")

    @property
    def final_recipe(self) -> SegmenterRecipe:
        """Recipe of the fit on all patients: short, from the first fold's weights, where there are some."""
        if not self.folds:
            return self.recipe
        return replace(self.recipe, stages=((self.recipe.size, FINAL_EPOCHS),), learning_rate=FINAL_RATE)


def build_segmenter(folder: Path, out: Path, work: Path, plan: SegmenterPlan, *, progress: Progress) -> dict[str, Any]:
    """Train, measure and write the segmenter; every part resumes from its checkpoint.

    Parameters
    ----------
    folder : Path
        BUS-BRA.
    out : Path
        Folder of the weights, segmenter.json and CARD.md.
    work : Path
        Folder of the checkpoints.
    plan : SegmenterPlan
        Folds, recipe, what the proposed box is tried on.
    progress : callable
        Called with steps done and all steps.

    Returns
    -------
    dict
        "segmenter" (folder), "held_out" (figures over all held-out folds, None without one) and "boxes" (what the
        proposed box changes).
    """
    data = read_busbra(folder)
    masks = read_masks(data.paths)
    finders = {fold: _run_fold(data, masks, fold, work, plan, progress) for fold in plan.folds}
    start = work / f"fold-{plan.folds[0]}" / CHECKPOINT if plan.folds else None
    everyone = np.ones(len(data), dtype=bool)
    net = train_segmenter(masks, everyone, work / "final", plan.final_recipe, start=start, on_step=progress)
    card = describe(plan.recipe) | {
        "training_data": {"description": SOURCE, "images": len(data), "patients": len(np.unique(data.patient))},
        "recipe": {"cross_validation": asdict(plan.recipe), "final": asdict(plan.final_recipe)},
        "parameters": sum(p.numel() for p in net.parameters()),
        "versions": {"torch": torch.__version__},
    }
    write_segmenter(net, out, card)
    figures = {
        "held_out": _measure(data, finders, plan.recipe.seed),
        "boxes": list(_compare_boxes(data, finders, LesionFinder.load(out), plan)),
    }
    write_segmenter(net, out, card | {"figures": figures})
    write_readable_card(out, card | {"figures": figures})
    return {"segmenter": str(out)} | figures


def describe(recipe: SegmenterRecipe) -> dict[str, Any]:
    """Give what the network's input and output mean: input, what counts as a lesion, seed."""
    return {
        "input": {"size": recipe.size, "mean": MEAN, "std": STD, "letterbox": LETTERBOX},
        "threshold": THRESHOLD,
        "least_confidence": LEAST_CONFIDENCE,
        "seed": recipe.seed,
    }


def _run_fold(
    data: Busbra, masks: Masks, fold: int, work: Path, plan: SegmenterPlan, progress: Progress
) -> LesionFinder:
    folder = work / f"fold-{fold}"
    net: Segmenter = train_segmenter(masks, data.fold != fold, folder, plan.recipe, on_step=progress)
    write_segmenter(net, folder, describe(plan.recipe))
    return LesionFinder.load(folder)


def _measure(data: Busbra, finders: dict[int, LesionFinder], seed: int) -> dict[str, Any] | None:
    """Score each fold by the network that did not see it, together and fold by fold."""
    if not finders:
        return None
    held = {fold: np.flatnonzero(data.fold == fold) for fold in finders}
    parts = [score_images(finder, data, held[fold]) for fold, finder in finders.items()]
    by_fold = [summarise_scores(part, seed=seed) for part in parts]
    lesion_free = [count_false_proposals(finder, data, held[fold]) for fold, finder in finders.items()]
    totals = {name: sum(counts[name] for counts in lesion_free) for name in ("strips", "proposals")}
    return summarise_scores(pd.concat(parts), seed=seed) | {"by_fold": by_fold, "lesion_free": totals}


def _compare_boxes(
    data: Busbra, finders: dict[int, LesionFinder], final: LesionFinder, plan: SegmenterPlan
) -> Iterable[dict[str, Any]]:
    if plan.bundle is None:
        return
    predictor = Predictor.load(plan.bundle)
    for fold, finder in list(finders.items())[:1]:
        yield measure_busbra(Exchange(predictor, finder), data, fold)
    if plan.cohort is not None:
        yield measure_cohort(Exchange(predictor, final), plan.cohort)
