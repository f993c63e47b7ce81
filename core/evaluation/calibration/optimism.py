"""Optimism of a model on the patients that it was fitted on, by the bootstrap."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import expit

from core.errors import InputError
from core.evaluation.calibration.logistic import compute_log_odds, fit_logistic
from core.evaluation.calibration.measures import compute_calibration_terms
from core.evaluation.checks import Floats, check_lengths, prepare_outcome
from core.evaluation.discrimination.roc import describe_missing_class
from core.evaluation.ranks import rank_scores

Predict = Callable[[Floats], Floats]
Fit = Callable[[Floats, Floats], Predict | None]
STATISTICS = ("auc", "brier", "intercept", "slope")
COMBINED = ("prob_image", "prob_clinical")


@dataclass(frozen=True, eq=False)
class OptimismResult:
    """Apparent and optimism-corrected performance.

    Attributes
    ----------
    table : DataFrame
        ``apparent, optimism, corrected`` indexed by statistic: auc, brier, intercept, slope.
    n, events : int
        Complete patients and positives.
    n_boot, n_used : int
        Replicates asked for, and those in which the model could be fitted.
    reason : str or None
        Why something could not be estimated.
    """

    table: pd.DataFrame
    n: int
    events: int
    n_boot: int
    n_used: int
    reason: str | None = None


def fit_plain_logistic(X: Floats, y: Floats) -> Predict | None:
    """Fit a logistic regression without penalty."""
    fit = fit_logistic(np.column_stack([np.ones(len(y)), X]), y)
    if fit is None:
        return None
    coef = fit.coef
    return lambda other: np.asarray(expit(coef[0] + other @ coef[1:]))


def compute_optimism(
    y: ArrayLike,
    X: ArrayLike | pd.DataFrame,
    fit: Fit = fit_plain_logistic,
    *,
    patient: ArrayLike | None = None,
    n_boot: int = 200,
    seed: int = 0,
) -> OptimismResult:
    """Correct development performance for optimism.

    Parameters
    ----------
    y : array-like, shape (n,)
        Outcome, 1 for the positive class.
    X : array-like, shape (n, k)
        Predictors of the development data; incomplete rows are left out.
    fit : callable
        ``fit(X, y)`` repeats every step of the model's making and returns a function from predictors to probabilities,
        or None. What is not repeated (a backbone, an image score) is not corrected for.
    patient : array-like, shape (n,), optional
        Labels; patients are drawn, not rows.
    n_boot, seed : int
        Replicates and seed.

    Returns
    -------
    OptimismResult
        NaN with a reason where the model can't be fitted.

    Raises
    ------
    InputError
        If lengths differ or the outcome is not 0/1.

    Notes
    -----
    Mean over replicates of performance in the bootstrap sample minus that of the same model in the original sample;
    Harrell, Lee and Mark, Stat Med 1996;15:361-387.
    """
    design = np.asarray(X, dtype=np.float64)
    if design.ndim != 2:
        raise InputError(f"The predictors have {design.ndim} dimensions; give a table of patients by terms.")
    outcome, columns, keep = prepare_outcome(y, *design.T)
    labels = np.arange(len(keep)) if patient is None else np.asarray(patient)
    check_lengths([keep, labels])
    design = np.column_stack(columns) if columns else np.empty((len(outcome), 0))
    code = pd.factorize(labels[keep])[0]
    n, events = len(outcome), int(outcome.sum())
    model = None if describe_missing_class(n, events) else fit(design, outcome)
    if model is None:
        reason = describe_missing_class(n, events) or "The model has no finite fit on these patients."
        table = pd.DataFrame(np.nan, index=list(STATISTICS), columns=["apparent", "optimism", "corrected"])
        return OptimismResult(table.rename_axis("statistic"), n, events, n_boot, 0, reason)
    apparent = _measure(outcome, model(design))
    gaps = _draw_gaps(outcome, design, code, fit, n_boot, seed)
    optimism = np.mean(gaps, axis=0) if gaps else np.full(len(STATISTICS), np.nan)
    table = pd.DataFrame(
        {"apparent": apparent, "optimism": optimism, "corrected": apparent - optimism}, index=list(STATISTICS)
    )
    failed = None if gaps else "The model could not be fitted in any bootstrap sample."
    return OptimismResult(table.rename_axis("statistic"), n, events, n_boot, len(gaps), failed)


def compute_combination_optimism(table: pd.DataFrame) -> OptimismResult:
    """Correct a logistic combination of the image's and the clinical model's log-odds for optimism."""
    prob = table[list(COMBINED)].astype(float)
    return compute_optimism(table["y"], prob.apply(lambda column: compute_log_odds(column.to_numpy())))


def _draw_gaps(y: Floats, design: Floats, code: np.ndarray, fit: Fit, n_boot: int, seed: int) -> list[Floats]:
    generator = np.random.default_rng(seed)
    order = np.argsort(code, kind="stable")
    rows = np.split(order, np.flatnonzero(np.diff(code[order])) + 1)
    gaps = []
    for _ in range(n_boot):
        drawn = np.concatenate([rows[i] for i in generator.integers(len(rows), size=len(rows))])
        sample, outcome = design[drawn], y[drawn]
        model = None if describe_missing_class(len(outcome), int(outcome.sum())) else fit(sample, outcome)
        if model is None:
            continue
        gap = _measure(outcome, model(sample), is_own=fit is fit_plain_logistic) - _measure(y, model(design))
        if np.isfinite(gap).all():
            gaps.append(gap)
    return gaps


def _measure(y: Floats, prob: Floats, *, is_own: bool = False) -> Floats:
    """Give AUC, Brier score, intercept and slope; on its own patients a likelihood's maximum has 0 and 1 exactly."""
    n, events = len(y), y.sum()
    auc = (rank_scores(prob)[y == 1].sum() - events * (events + 1) / 2) / (events * (n - events))
    if is_own:
        return np.array([auc, ((y - prob) ** 2).mean(), 0.0, 1.0])
    fields, _ = compute_calibration_terms(y, prob)
    return np.array([auc, *(fields.get(name, np.nan) for name in STATISTICS[1:])])
