"""Logistic regression that joins the image score with clinical terms: ridge, its penalty by leave-one-centre-out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit

from models.fusion import condition

Floats = NDArray[np.float64]
FUSION_PENALTIES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
MAX_STEPS = 100
TOLERANCE = 1e-9
EM_STEPS = 6


@dataclass(frozen=True)
class Inputs:
    """Normal approximation of the image score and the coded terms, and the terms with their gaps filled by it."""

    mean: Floats  # (1 + K,), mean of the score and of each term
    cov: Floats  # (1 + K, 1 + K), their covariance
    filled: Floats  # (n, 1 + K), score and terms; a value that is not known is its expectation given those that are


def complete_inputs(inputs: Floats, weight: Floats) -> Inputs:
    """Estimate mean and covariance of inputs with gaps by expectation-maximisation, and fill the gaps.

    Parameters
    ----------
    inputs : ndarray of float64, (n, 1 + K)
        Image score and coded terms, NaN where not known. The outcome never enters.
    weight : ndarray of float64, (n,)
        How often each patient counts.

    Returns
    -------
    Inputs
        Mean, covariance, filled inputs.
    """
    gaps = np.isnan(inputs)
    patterns, which = np.unique(gaps, axis=0, return_inverse=True)
    which = which.ravel()
    total = weight.sum()
    counted = np.where(gaps, 0.0, weight[:, None] + 1e-12)
    filled = np.where(gaps, (counted * np.nan_to_num(inputs)).sum(0) / counted.sum(0), inputs)
    mean, cov = _weigh_moments(filled, weight)
    for _ in range(EM_STEPS if gaps.any() else 0):
        extra = np.zeros_like(cov)
        for i, gap in enumerate(patterns):
            if not gap.any():
                continue
            rows = which == i
            slope, left = condition(cov, gap)
            filled[np.ix_(rows, gap)] = mean[gap] + (filled[np.ix_(rows, ~gap)] - mean[~gap]) @ slope.T
            extra[np.ix_(gap, gap)] += weight[rows].sum() * left
        mean, cov = _weigh_moments(filled, weight)
        cov = cov + extra / total
    return Inputs(mean, cov, filled)


def _weigh_moments(x: Floats, weight: Floats) -> tuple[Floats, Floats]:
    mean = weight @ x / weight.sum()
    centred = x - mean
    return mean, (centred * weight[:, None]).T @ centred / weight.sum()


def fit_ridge_logistic(X: Floats, y: Floats, weights: Floats, penalties: Floats) -> Floats:
    """Fit several ridge-penalised logistic regressions at once, by Newton's method.

    Each minimises ``-loglik(b0, b) + penalty / 2 * sum_j (sd_j b_j)^2``; the intercept is not penalised, so that the
    mean probability is the observed share. With n patients of weight 1 it equals glmnet's ridge at
    ``lambda = penalty / n`` and scikit-learn's on standardised columns at ``C = 1 / penalty``.

    Parameters
    ----------
    X : ndarray of float64, (n, k)
        Columns without a constant.
    y : ndarray of float64, (n,)
        Outcome, 0 or 1.
    weights : ndarray of float64, (m, n)
        How often each patient counts, in each of m fits; sd_j is that of the first.
    penalties : ndarray of float64, (m,)
        Penalty of each fit.

    Returns
    -------
    ndarray of float64, (m, 1 + k)
        Intercept and coefficients.
    """
    mean, cov = _weigh_moments(X, weights[0])
    spread = np.sqrt(np.diag(cov))
    spread = np.where(spread > 1e-9, spread, np.inf)
    design = np.column_stack([np.ones(len(y)), (X - mean) / spread])
    k = design.shape[1]
    outer = (design[:, :, None] * design[:, None, :]).reshape(len(y), -1)
    ridge = np.concatenate([[0.0], np.ones(k - 1)]) * penalties[:, None]
    coefs = np.zeros((len(weights), k))
    loss = _measure_loss(design, y, weights, ridge, coefs)
    for _ in range(MAX_STEPS):
        prob = expit(coefs @ design.T)
        gradient = (weights * (y - prob)) @ design - ridge * coefs
        information = ((weights * prob * (1 - prob)) @ outer).reshape(-1, k, k)
        information[:, range(k), range(k)] += ridge + 1e-10
        step = np.linalg.solve(information, gradient[:, :, None])[:, :, 0]
        for _ in range(20):
            after = _measure_loss(design, y, weights, ridge, coefs + step)
            worse = after > loss + 1e-9 * np.abs(loss)
            if not worse.any():
                break
            step[worse] /= 2
        coefs, loss = coefs + step, after
        if np.abs(step).max() < TOLERANCE:
            break
    slopes = coefs[:, 1:] / spread
    return np.column_stack([coefs[:, 0] - slopes @ mean, slopes])


def draw_lost_coefs(X: Floats, coefs: Floats, weight: Floats, penalty: float, rng: np.random.Generator) -> Floats:
    """Draw what the penalty may have taken from the coefficients, as `draw_lost_weights` does for the image score."""
    mean, cov = _weigh_moments(X, weight)
    ridge = np.concatenate([[0.0], penalty * np.diag(cov)])
    design = np.column_stack([np.ones(len(X)), X - mean])
    prob = expit(coefs[0] + X @ coefs[1:])
    information = (design * (weight * prob * (1 - prob))[:, None]).T @ design + np.diag(ridge + 1e-10)
    lost = np.linalg.solve(information, np.sqrt(ridge) * rng.normal(size=len(ridge)))
    return np.concatenate([[lost[0] - lost[1:] @ mean], lost[1:]])


def _measure_loss(design: Floats, y: Floats, weights: Floats, ridge: Floats, coefs: Floats) -> Floats:
    linear = coefs @ design.T
    loglik = (weights * log_expit(np.where(y == 1, linear, -linear))).sum(1)
    return -loglik + (ridge * coefs**2).sum(1) / 2


def choose_penalty(X: Floats, y: Floats, weight: Floats, group: NDArray[np.int64]) -> float:
    """Choose the ridge penalty with the least deviance on left-out groups."""
    held = group == np.unique(group)[:, None]
    out = np.repeat(held, len(FUSION_PENALTIES), axis=0)
    grid = np.tile(np.array(FUSION_PENALTIES), len(held))
    coefs = fit_ridge_logistic(X, y, np.where(out, 0.0, weight), grid)
    linear = coefs[:, :1] + coefs[:, 1:] @ X.T
    deviance = -(np.where(out, weight, 0.0) * log_expit(np.where(y == 1, linear, -linear))).sum(1)
    return FUSION_PENALTIES[int(deviance.reshape(len(held), -1).sum(0).argmin())]
