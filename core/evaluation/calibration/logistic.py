"""Maximum-likelihood logistic regression, small enough to be read and exact enough to be compared with R's glm."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_expit, logit

from core.evaluation.checks import Floats

MAX_STEPS = 50
FLAT = 1e-4  # mean score that counts as zero
TOLERANCE = 1e-10
SINGULAR = 1e14
NEARLY_CERTAIN = 1e-8


@dataclass(frozen=True, eq=False)
class LogisticFit:
    """A fitted model."""

    coef: Floats  # (k,), coefficients, in the order of the design's columns
    cov: Floats  # (k, k), inverse of the information
    loglik: float  # log-likelihood

    @property
    def se(self) -> Floats:
        """Standard errors."""
        return np.sqrt(np.diag(self.cov))


def fit_logistic(design: Floats, y: Floats, offset: Floats | None = None) -> LogisticFit | None:
    """Fit a logistic regression without penalty by Newton's method."""
    shift = np.zeros(len(y)) if offset is None else offset
    if len(y) == 0 or y.min() == y.max():
        return None
    coef = np.zeros(design.shape[1])
    loglik = compute_log_likelihood(shift, y)
    for _ in range(MAX_STEPS):
        linear = design @ coef + shift
        prob = expit(linear)
        try:
            step = _solve(_compute_information(design, prob), design.T @ (y - prob))
        except np.linalg.LinAlgError:
            return None
        step, loglik = _halve_step(design, y, linear, step, loglik)
        coef = coef + step
        if np.abs(step).max() < TOLERANCE * (1 + np.abs(coef).max()):
            is_flat = np.abs(design.T @ (y - expit(design @ coef + shift))).max() < FLAT * len(y)
            return _finish_fit(design, y, shift, coef) if is_flat else None
    return None


def _finish_fit(design: Floats, y: Floats, shift: Floats, coef: Floats) -> LogisticFit | None:
    linear = design @ coef
    separated = np.where(y == 1, linear, -linear).min() > 0
    information = _compute_information(design, expit(linear + shift))
    if separated or np.linalg.cond(information) > SINGULAR:
        return None
    return LogisticFit(coef, _solve(information, np.eye(len(coef))), compute_log_likelihood(linear + shift, y))


def compute_log_likelihood(linear: Floats, y: Floats) -> float:
    """Compute the log-likelihood of a logistic model, sum_i log expit(+-linear_i)."""
    return float(log_expit(np.where(y == 1, linear, -linear)).sum())


def compute_log_odds(prob: Floats) -> Floats:
    """Compute log-odds; 0 counts as 1e-8 and 1 as 1 - 1e-8, as in R's CalibrationCurves."""
    clipped = np.where(prob == 0, NEARLY_CERTAIN, np.where(prob == 1, 1 - NEARLY_CERTAIN, prob))
    return np.asarray(logit(clipped), dtype=np.float64)


def _solve(information: Floats, right: Floats) -> Floats:
    return np.asarray(np.linalg.solve(information, right), dtype=np.float64)


def _compute_information(design: Floats, prob: Floats) -> Floats:
    return (design * (prob * (1 - prob))[:, None]).T @ design


def _halve_step(design: Floats, y: Floats, linear: Floats, step: Floats, before: float) -> tuple[Floats, float]:
    """Shorten a Newton step until the likelihood does not fall; give the step and the likelihood after it."""
    for _ in range(30):
        after = compute_log_likelihood(linear + design @ step, y)
        if after >= before - 1e-12 * abs(before):
            return step, after
        step = step / 2
    return np.zeros_like(step), before
