"""DeLong tests between two areas under the ROC curve."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, stdtr, stdtrit

from core.evaluation.checks import Floats, Interval, prepare_outcome
from core.evaluation.discrimination.roc import compute_auc_se, compute_components, describe_missing_class
from core.evaluation.proportion import Z


@dataclass(frozen=True, eq=False)
class RocComparison:
    """Difference of two areas under the curve.

    Attributes
    ----------
    auc_a, auc_b, difference : float or None
        The areas and ``auc_a - auc_b``.
    se, ci, z, p : float, tuple of float or None
        Standard error and interval of the difference, test statistic and two-sided p value.
    n, n_pos : int
        Patients and positives (of the first cohort when unpaired).
    paired : bool
        Whether both scores belong to the same patients.
    df : float or None
        Degrees of freedom of an unpaired test, whose statistic follows a t distribution.
    reason : str or None
        Why something could not be estimated.
    """

    auc_a: float | None
    auc_b: float | None
    difference: float | None
    se: float | None
    ci: Interval | None
    z: float | None
    p: float | None
    n: int
    n_pos: int
    paired: bool = True
    df: float | None = None
    reason: str | None = None


def compare_roc(y: ArrayLike, score_a: ArrayLike, score_b: ArrayLike) -> RocComparison:
    """Compare two scores of the same patients (paired DeLong test).

    Parameters
    ----------
    y : array-like, shape (n,)
        Outcome, 1 for the positive class.
    score_a, score_b : array-like, shape (n,)
        The scores; patients that lack one of them are left out.

    Returns
    -------
    RocComparison
        A score against itself has z = 0 and p = 1.

    Notes
    -----
    ``z = (A - B) / sqrt(var A + var B - 2 cov)``; DeLong et al., Biometrics 1988;44:837-845.
    """
    outcome, (first, second), _ = prepare_outcome(y, score_a, score_b)
    n, n_pos = len(outcome), int(outcome.sum())
    missing = describe_missing_class(n, n_pos)
    if missing:
        return RocComparison(None, None, None, None, None, None, None, n, n_pos, reason=missing)
    auc_a, a10, a01 = compute_components(outcome, first)
    auc_b, b10, b01 = compute_components(outcome, second)
    difference = auc_a - auc_b
    if min(n_pos, n - n_pos) < 2:
        reason = "A class with a single patient gives no variance."
        return RocComparison(auc_a, auc_b, difference, None, None, None, None, n, n_pos, reason=reason)
    se = math.sqrt((a10 - b10).var(ddof=1) / n_pos + (a01 - b01).var(ddof=1) / (n - n_pos))
    if se < 1e-12:
        return _compare_without_variance(auc_a, auc_b, n, n_pos)
    z = difference / se
    half = Z * se
    interval = (difference - half, difference + half)
    return RocComparison(auc_a, auc_b, difference, se, interval, z, float(2 * ndtr(-abs(z))), n, n_pos)


def compare_roc_unpaired(y_a: ArrayLike, score_a: ArrayLike, y_b: ArrayLike, score_b: ArrayLike) -> RocComparison:
    """Compare one score in two separate groups of patients (unpaired DeLong test).

    Parameters
    ----------
    y_a, score_a : array-like, shape (n,)
        Outcome and score of the first group.
    y_b, score_b : array-like, shape (m,)
        Of the second group.

    Returns
    -------
    RocComparison
        `z` holds the statistic, which follows a t distribution with `df` degrees of freedom.

    Notes
    -----
    ``(A - B) / sqrt(var A + var B)`` with Welch's degrees of freedom, as pROC's ``roc.test(paired = FALSE)``.
    """
    outcome_a, (first,), _ = prepare_outcome(y_a, score_a)
    outcome_b, (second,), _ = prepare_outcome(y_b, score_b)
    n, n_pos = len(outcome_a), int(outcome_a.sum())
    auc_a, se_a = _estimate(outcome_a, first)
    auc_b, se_b = _estimate(outcome_b, second)
    difference = None if auc_a is None or auc_b is None else auc_a - auc_b
    if difference is None or not se_a or not se_b:
        reason = "One of the groups gives no AUC with a standard error."
        return RocComparison(auc_a, auc_b, difference, None, None, None, None, n, n_pos, paired=False, reason=reason)
    variance = se_a**2 + se_b**2
    df = variance**2 / (se_a**4 / (n - 1) + se_b**4 / (len(outcome_b) - 1))
    se = math.sqrt(variance)
    half = float(stdtrit(df, 0.975)) * se
    interval = (difference - half, difference + half)
    t = difference / se
    p = float(2 * stdtr(df, -abs(t)))
    return RocComparison(auc_a, auc_b, difference, se, interval, t, p, n, n_pos, paired=False, df=df)


def _estimate(outcome: Floats, score: Floats) -> tuple[float | None, float | None]:
    if describe_missing_class(len(outcome), int(np.sum(outcome))):
        return None, None
    return compute_auc_se(outcome, score)


def _compare_without_variance(auc_a: float, auc_b: float, n: int, n_pos: int) -> RocComparison:
    if math.isclose(auc_a, auc_b, abs_tol=1e-12):
        reason = "The two rank every patient alike, so the interval of the difference would have no width."
        return RocComparison(auc_a, auc_b, 0.0, 0.0, None, 0.0, 1.0, n, n_pos, reason=reason)
    reason = "The difference does not vary between patients, so its variance can't be estimated."
    return RocComparison(auc_a, auc_b, auc_a - auc_b, None, None, None, None, n, n_pos, reason=reason)
