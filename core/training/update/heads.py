"""The fusion after an update, with the refits that its interval comes from."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from core.errors import WorkError
from core.evaluation.calibration.closed_test import Method, ModelUpdate, compute_closed_test, fit_update
from core.evaluation.calibration.optimism import OptimismResult, Predict, compute_optimism
from models.fusion import FusionHead

Floats = NDArray[np.float64]
MOST_TRIES = 20
PER_COEFFICIENT = 10
N_OPTIMISM = 200


@dataclass(frozen=True)
class Draws:
    """Seed of the draws of patients, and what is told after each."""

    seed: int
    tell: Callable[[], object] = lambda: None


def count_needed(head: FusionHead) -> int:
    """Give how many patients of the rarer class an update needs: ten for each coefficient of the refit."""
    return PER_COEFFICIENT * (2 + len(head.terms))


def list_coefs(head: FusionHead) -> Floats:
    """Give intercept, image and clinical coefficients of a fusion, (2 + K,)."""
    return np.array([head.intercept, head.image_coef, *head.coefs])


def update_head(
    head: FusionHead, update: ModelUpdate, method: Method, inputs: Floats, y: Floats, *, draws: Draws
) -> FusionHead:
    """Give the fusion, with the same terms, after an update on patients' image score and coded terms, (n, 1 + K).

    Each refit is updated by the same method on patients drawn with replacement, and centred at the update: a
    recalibrated refit holds what the training patients and what these leave open, a refit anew what these leave open;
    the image score of the refits stays.
    """
    n_refits = len(head.bootstrap)
    drawn = _draw_updates(head, method, inputs, y, n_refits, draws)
    if method == "refit":
        bootstrap = np.stack([one.coefs for one in drawn])
        bootstrap += update.coefs - bootstrap.mean(axis=0)
    else:
        moved = np.array([(one.intercept, one.slope) for one in drawn])
        moved += np.array([update.intercept, update.slope]) - moved.mean(axis=0)
        bootstrap = moved[:, 1:] * head.bootstrap
        bootstrap[:, 0] += moved[:, 0]
    coefs = update.coefs
    return replace(
        head, intercept=float(coefs[0]), image_coef=float(coefs[1]), coefs=coefs[2:].copy(), bootstrap=bootstrap
    )


def measure_optimism(head: FusionHead, inputs: Floats, y: Floats, *, draws: Draws) -> OptimismResult:
    """Correct the updated model's figures for optimism: tests and update are repeated in each draw of the patients."""
    old = list_coefs(head)

    def fit(X: Floats, outcome: Floats) -> Predict | None:
        update = compute_closed_test(outcome, X, old).update
        draws.tell()
        if update is None:
            return None
        coefs = update.coefs
        return lambda other: np.asarray(expit(coefs[0] + other @ coefs[1:]))

    return compute_optimism(y, inputs, fit, n_boot=N_OPTIMISM, seed=draws.seed)


def _draw_updates(
    head: FusionHead, method: Method, inputs: Floats, y: Floats, count: int, draws: Draws
) -> list[ModelUpdate]:
    """Update the model on patients drawn with replacement, without strata."""
    rng, old = np.random.default_rng([draws.seed, 5]), list_coefs(head)
    updates: list[ModelUpdate] = []
    for _ in range(MOST_TRIES * count):
        rows = rng.integers(len(y), size=len(y))
        if (update := fit_update(y[rows], inputs[rows], old, method)) is not None:
            updates.append(update)
            draws.tell()
        if len(updates) == count:
            return updates
    raise WorkError("The update can't be repeated on patients drawn again, so it has no interval: too few patients.")
