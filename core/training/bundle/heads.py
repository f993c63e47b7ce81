"""The heads of a bundle, from the whole fit and its refits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.training.bundle.fusion import draw_lost_coefs, fit_ridge_logistic
from core.training.bundle.image_score import FeatureSpace, ImageFit, draw_lost_weights
from core.training.bundle.internal_validation import measure_optimism
from core.training.bundle.stability import measure_instability
from core.training.bundle.whole_fit import FusionFit, Model, Study, Watch, WholeFit, fit_whole, refit_whole
from models.fusion import FusionHead, ImageHead, Term

Floats = NDArray[np.float64]
ALMOST_NO_PENALTY = 1e-4


@dataclass(frozen=True)
class Heads:
    """An image head with its refits, and the fusions on its score."""

    image: ImageHead  # mean of the cross-fitted heads
    out_of_fold: Floats  # (n,), score of each training patient by the head that never saw the patient
    refits: Floats  # (B, p + 1), weights and bias of the image head of each refit
    fusions: Mapping[str, FusionHead]  # by the names of the models
    penalties: Mapping[str, float]  # ridge penalty of "image score" and of each fusion
    # optimism, instability: of the first fusion (`measure_optimism`, `measure_instability`)
    optimism: Mapping[str, Any]
    instability: Mapping[str, object]
    unpenalised: Floats  # (2 + K,), coefficients of the first fusion at almost no penalty


def fit_heads(
    study: Study,
    models: Mapping[str, Model],
    terms: Sequence[Term],
    *,
    seed: int,
    n_refits: int,
    watch: Watch | None = None,
) -> Heads:
    """Fit the image score and the fusions on all training patients, and again on each draw of them.

    Parameters
    ----------
    study : Study
        Training patients.
    models : mapping of str to Model
        Fusions to fit.
    terms : sequence of Term, K
        Coding of the columns of `study.coded`.
    seed : int
        Seed of folds and draws.
    n_refits : int
        Refits.
    watch : callable, optional
        Called with the number of refits done and of all.

    Returns
    -------
    Heads
        The refits hold what the penalties may have taken away (`draw_lost_weights`). Their coefficients are centred at
        those of the whole fit: a draw holds 63 % of the patients, so that its image score says less and would draw
        every interval towards the mean.

    Raises
    ------
    WorkError
        If one class has fewer than three patients, or the images can't tell the patients apart.
    """
    refits = refit_whole(study, models, seed=seed, n_refits=n_refits, watch=watch)
    whole = fit_whole(study, models, np.ones(len(study.y)), np.random.default_rng(seed))
    rng = np.random.default_rng([seed, 1])
    lost = [draw_lost_weights(study.space, fit.image, fit.weight, rng) for fit in refits]
    images = [_to_head(study.space, fit.image, extra) for fit, extra in zip(refits, lost, strict=True)]
    weights = np.stack([fit.image.weights + extra for fit, extra in zip(refits, lost, strict=True)])
    scores = study.space.own @ weights.T + np.array([fit.image.bias for fit in refits])
    spread = float(np.sqrt(scores.var(axis=1).mean()))

    def make(name: str, fit: FusionFit, model: Model) -> FusionHead:
        bootstrap = np.stack([_draw_coefs(other, name, rng) for other in refits])
        chosen = tuple(terms[i] for i in model.columns)
        bootstrap += fit.coefs - bootstrap.mean(axis=0)
        if not model.image:
            bootstrap[:, 1] = 0.0
        image_coef = float(fit.coefs[1]) if model.image else 0.0
        moments = fit.inputs.mean, fit.inputs.cov
        return FusionHead(float(fit.coefs[0]), image_coef, chosen, fit.coefs[2:], bootstrap, *moments, spread)

    fusions = {name: make(name, fit, models[name]) for name, fit in whole.fusions.items()}
    penalties = {"image score": whole.image.penalty} | {name: fit.penalty for name, fit in whole.fusions.items()}
    table = np.stack([np.append(head.weights, head.bias) for head in images])
    first = next(iter(models))
    filled, ones = whole.fusions[first].inputs.filled, np.ones((1, len(study.y)))
    return Heads(
        image=_to_head(study.space, whole.image),
        out_of_fold=whole.image.out_of_fold,
        refits=table,
        fusions=fusions,
        penalties=penalties,
        optimism=measure_optimism(study, first, whole, refits),
        instability=measure_instability(study, first, whole, refits),
        unpenalised=fit_ridge_logistic(filled, study.y, ones, np.array([ALMOST_NO_PENALTY]))[0],
    )


def _draw_coefs(fit: WholeFit, name: str, rng: np.random.Generator) -> Floats:
    fusion = fit.fusions[name]
    lost = draw_lost_coefs(fusion.inputs.filled, fusion.coefs, fit.weight, fusion.penalty, rng)
    return np.asarray(fusion.coefs + lost)


def _to_head(space: FeatureSpace, fit: ImageFit, extra: Floats | float = 0.0) -> ImageHead:
    """Give a fit as weights on the pooled features."""
    weights = space.axes @ (fit.weights + extra)
    return ImageHead(weights, float(fit.bias - space.centre @ weights))
