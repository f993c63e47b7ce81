"""The whole fit of one image score and its fusions, and its refits on patients drawn with replacement."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import WorkError
from core.training.bundle.fusion import Inputs, choose_penalty, complete_inputs, fit_ridge_logistic
from core.training.bundle.image_score import FeatureSpace, ImageFit, draw_folds, fit_image_score

Floats = NDArray[np.float64]
LEAST_OF_A_CLASS = 3
LEAST_CENTRES = 3
Watch = Callable[[int, int], None]


@dataclass(frozen=True)
class Study:
    """What a whole fit is made from: the training patients, in one order."""

    space: FeatureSpace  # their images
    target: Floats  # (n,), what the image score follows
    y: Floats  # (n,), outcome, 0 or 1
    coded: Floats  # (n, K), coded clinical terms, NaN where not known
    centre: NDArray[np.int64]  # (n,), number of each patient's centre

    @property
    def has_balanced_centres(self) -> bool:
        """Whether each centre can be left out of an image head: three or more, none with over half of the patients."""
        sizes = np.bincount(self.centre)
        return bool(np.count_nonzero(sizes) >= LEAST_CENTRES and sizes.max() <= len(self.centre) / 2)


@dataclass(frozen=True)
class Model:
    """Which inputs a fusion has: the image or not, and columns of `Study.coded`."""

    image: bool
    columns: tuple[int, ...]


@dataclass(frozen=True)
class FusionFit:
    """Intercept, image and clinical coefficients (2 + K,), the penalty, and the inputs that they were fitted on."""

    coefs: Floats
    penalty: float
    inputs: Inputs


@dataclass(frozen=True)
class WholeFit:
    """An image score and the fusions fitted on its out-of-fold scores, by name."""

    weight: Floats
    image: ImageFit
    fusions: Mapping[str, FusionFit]


def fit_whole(study: Study, models: Mapping[str, Model], weight: Floats, rng: np.random.Generator) -> WholeFit:
    """Fit the image score, score the patients out of fold, fill gaps, choose each penalty, fit each fusion."""
    fold = study.centre if study.has_balanced_centres else draw_folds(study.target, weight, rng)
    image = fit_image_score(study.space, study.target, weight, fold)
    group = _group_patients(study, weight, rng)
    fusions = {name: _fit_fusion(study, model, image.out_of_fold, weight, group) for name, model in models.items()}
    return WholeFit(weight, image, fusions)


def refit_whole(
    study: Study, models: Mapping[str, Model], *, seed: int, n_refits: int, watch: Watch | None = None
) -> list[WholeFit]:
    """Repeat the whole fit on patients drawn with replacement, not stratified by anything."""
    n = len(study.y)
    if min(study.y.sum(), n - study.y.sum()) < LEAST_OF_A_CLASS:
        raise WorkError(
            f"Of {n} training patients {int(study.y.sum())} are positive: at least {LEAST_OF_A_CLASS} of each class "
            "are needed."
        )
    rng = np.random.default_rng(seed)
    fits: list[WholeFit] = []
    while len(fits) < n_refits:
        weight = np.bincount(rng.integers(n, size=n), minlength=n).astype(np.float64)
        if min(weight @ study.y, weight @ (1 - study.y)) < LEAST_OF_A_CLASS:
            continue
        fits.append(fit_whole(study, models, weight, rng))
        if watch is not None:
            watch(len(fits), n_refits)
    return fits


def _fit_fusion(study: Study, model: Model, score: Floats, weight: Floats, group: NDArray[np.int64]) -> FusionFit:
    columns = [score] if model.image else [np.zeros_like(score)]
    inputs = complete_inputs(np.column_stack([*columns, study.coded[:, list(model.columns)]]), weight)
    penalty = choose_penalty(inputs.filled, study.y, weight, group)
    coefs = fit_ridge_logistic(inputs.filled, study.y, weight[None], np.array([penalty]))[0]
    return FusionFit(coefs, penalty, inputs)


def _group_patients(study: Study, weight: Floats, rng: np.random.Generator) -> NDArray[np.int64]:
    """Give the centres, or folds of patients where there is one, or a centre that can't be left out."""
    present = weight > 0
    events = np.bincount(study.centre, weight * study.y)
    others = np.bincount(study.centre, weight * (1 - study.y))
    here = np.unique(study.centre[present])
    left = np.minimum(events.sum() - events[here], others.sum() - others[here])
    if len(here) > 1 and left.min() >= LEAST_OF_A_CLASS:
        return study.centre
    return draw_folds(study.y, weight, rng)
