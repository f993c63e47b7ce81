"""The confusion matrix at a threshold, its metrics with intervals, and McNemar's test between two models."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from core.evaluation.checks import check_conf_level, prepare_outcome
from core.evaluation.proportion import compute_difference_interval, compute_proportion, normal_quantile

Metric = tuple[float, float, float, str | None]
NO_VARIANCE = 1e-15
NOT_DEFINED: tuple[float, float, float] = (math.nan, math.nan, math.nan)


@dataclass(frozen=True, eq=False)
class ConfusionResult:
    """Counts at a threshold and what follows from them.

    Attributes
    ----------
    tp, fp, fn, tn : int
        Counts; positive is score >= threshold.
    threshold : float
        The threshold.
    metrics : DataFrame
        ``value, ci_low, ci_high, reason`` indexed by name; NaN with a reason where a metric is not defined.
    n_excluded : int
        Rows left out because the outcome or the score is missing.
    """

    tp: int
    fp: int
    fn: int
    tn: int
    threshold: float
    metrics: pd.DataFrame
    conf_level: float = 0.95
    n_excluded: int = 0

    @property
    def n(self) -> int:
        """Number of patients."""
        return self.tp + self.fp + self.fn + self.tn


@dataclass(frozen=True)
class McNemarResult:
    """Discordant decisions of two models.

    Attributes
    ----------
    only_a, only_b : int
        Patients whom only the first, or only the second, classifies correctly.
    statistic, p : float or None
        Chi-squared without correction and its p value; p is exact (binomial) with fewer than 25 discordant patients.
    exact : bool
        Whether p is exact.
    reason : str or None
        Why there is no test.
    """

    only_a: int
    only_b: int
    statistic: float | None
    p: float | None
    exact: bool
    reason: str | None = None


def compute_confusion(y: ArrayLike, score: ArrayLike, threshold: float, *, conf_level: float = 0.95) -> ConfusionResult:
    """Count decisions at a threshold and compute the metrics that follow.

    Parameters
    ----------
    y : array-like, shape (n,)
        Outcome, 1 for the positive class.
    score : array-like, shape (n,)
        Score; positive is score >= threshold.
    threshold : float
        The threshold.

    Returns
    -------
    ConfusionResult
        Counts and metrics.

    Raises
    ------
    InputError
        If the outcome is not 0/1 or lengths differ.

    Notes
    -----
    Proportions: Wilson. Balanced accuracy: square-and-add of two Wilson intervals. F1: monotone in TP/(TP+FP+FN), whose
    Wilson interval is carried over. Likelihood ratios: Simel, J Clin Epidemiol 1991;44:763-770. Odds ratio: Woolf 1955.
    Kappa: Fleiss, Cohen and Everitt, Psychol Bull 1969;72:323-327. MCC: the variance of phi of Bishop, Fienberg and
    Holland, Discrete Multivariate Analysis, 1975, section 11.3.
    """
    check_conf_level(conf_level)
    outcome, (values,), keep = prepare_outcome(y, score)
    positive = values >= threshold
    tp, fp = int((positive & (outcome == 1)).sum()), int((positive & (outcome == 0)).sum())
    fn, tn = int((~positive & (outcome == 1)).sum()), int((~positive & (outcome == 0)).sum())
    metrics = compute_metrics(tp, fp, fn, tn, conf_level)
    return ConfusionResult(tp, fp, fn, tn, float(threshold), metrics, conf_level, int((~keep).sum()))


def compute_metrics(tp: int, fp: int, fn: int, tn: int, conf_level: float) -> pd.DataFrame:
    """Compute the metrics of four counts, as `compute_confusion` does."""
    z = normal_quantile(conf_level)
    n, nobody = tp + fp + fn + tn, "Nobody to count it on."
    shares = {
        "sensitivity": (tp, tp + fn, "No patient is positive."),
        "specificity": (tn, tn + fp, "No patient is negative."),
        "ppv": (tp, tp + fp, "Nobody is classified as positive."),
        "npv": (tn, tn + fn, "Nobody is classified as negative."),
        "accuracy": (tp + tn, n, nobody),
    }
    rows: dict[str, Metric] = {
        name: (*compute_proportion(count, size, conf_level), None if size else reason)
        for name, (count, size, reason) in shares.items()
    }
    sensitivity, specificity = rows["sensitivity"][:3], rows["specificity"][:3]
    mean = (sensitivity[0] + specificity[0]) / 2
    both = compute_difference_interval(sensitivity, specificity, (0.5, 0.5))
    one_class = None if tp + fn and tn + fp else "Both classes are needed."
    rows["balanced_accuracy"] = (mean, *both, one_class) if one_class is None else (*NOT_DEFINED, one_class)
    overlap = compute_proportion(tp, tp + fp + fn, conf_level)
    f1 = [2 * share / (1 + share) for share in overlap]
    rows["f1"] = (f1[0], f1[1], f1[2], None if tp + fp + fn else "Nobody is positive or classified as positive.")
    rows["lr_pos"] = _compute_ratio((tp, tp + fn), (fp, fp + tn), z)
    rows["lr_neg"] = _compute_ratio((fn, tp + fn), (tn, fp + tn), z)
    rows["dor"] = _compute_odds_ratio(tp, fp, fn, tn, z)
    rows["kappa"] = _compute_kappa(tp, fp, fn, tn, z)
    rows["mcc"] = _compute_mcc(tp, fp, fn, tn, z)
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["value", "ci_low", "ci_high", "reason"])
    return table.rename_axis("metric")


def compute_mcnemar(y: ArrayLike, positive_a: ArrayLike, positive_b: ArrayLike) -> McNemarResult:
    """Compare the decisions of two models on the same patients.

    Parameters
    ----------
    y : array-like, shape (n,)
        Outcome, 1 for the positive class.
    positive_a, positive_b : array-like of 0/1, shape (n,)
        Decisions of the two models.

    Returns
    -------
    McNemarResult
        ``(b - c)^2 / (b + c)`` on the discordant patients; McNemar, Psychometrika 1947;12:153-157.
    """
    outcome, (first, second), _ = prepare_outcome(y, positive_a, positive_b, probability=True)
    only_a = int(((first == outcome) & (second != outcome)).sum())
    only_b = int(((second == outcome) & (first != outcome)).sum())
    discordant = only_a + only_b
    if discordant == 0:
        return McNemarResult(0, 0, None, None, False, "The two models decide alike for every patient.")
    statistic = (only_a - only_b) ** 2 / discordant
    if discordant < 25:
        from scipy.stats import binomtest  # noqa: PLC0415 - takes as long to import as a page to come

        return McNemarResult(only_a, only_b, statistic, float(binomtest(only_a, discordant).pvalue), True)
    return McNemarResult(only_a, only_b, statistic, float(chdtrc(1, statistic)), False)


def _compute_ratio(first: tuple[int, int], second: tuple[int, int], z: float) -> Metric:
    (count_a, size_a), (count_b, size_b) = first, second
    if not size_a or not size_b:
        return (*NOT_DEFINED, "Both classes are needed.")
    if count_b == 0:
        return (*NOT_DEFINED, "The ratio would divide by zero.")
    ratio = (count_a / size_a) / (count_b / size_b)
    if count_a == 0:
        return (0.0, math.nan, math.nan, "A ratio of zero has no interval on the log scale.")
    spread = z * math.sqrt(1 / count_a - 1 / size_a + 1 / count_b - 1 / size_b)
    return (ratio, ratio * math.exp(-spread), ratio * math.exp(spread), None)


def _compute_odds_ratio(tp: int, fp: int, fn: int, tn: int, z: float) -> Metric:
    if fp * fn == 0:
        return (*NOT_DEFINED, "The odds ratio would divide by zero.")
    ratio = tp * tn / (fp * fn)
    if ratio == 0:
        return (0.0, math.nan, math.nan, "An odds ratio of zero has no interval on the log scale.")
    spread = z * math.sqrt(1 / tp + 1 / fp + 1 / fn + 1 / tn)
    return (ratio, ratio * math.exp(-spread), ratio * math.exp(spread), None)


def _compute_kappa(tp: int, fp: int, fn: int, tn: int, z: float) -> Metric:
    n = tp + fp + fn + tn
    if n <= 1:
        return (*NOT_DEFINED, "One patient gives no kappa." if n else "Nobody to count it on.")
    both = {(tp + fp) / n, (tp + fn) / n}
    if both in ({0.0}, {1.0}):
        return (*NOT_DEFINED, "Decisions and outcomes do not vary.")
    from statsmodels.stats.inter_rater import cohens_kappa  # noqa: PLC0415 - takes as long to import as a page

    with np.errstate(divide="ignore", invalid="ignore"):  # empty cells, in figures that are not asked for
        result = cohens_kappa([[tp, fp], [fn, tn]])
    return (float(result.kappa), *_clip_normal(float(result.kappa), float(result.var_kappa), z))


def _compute_mcc(tp: int, fp: int, fn: int, tn: int, z: float) -> Metric:
    n = tp + fp + fn + tn
    margins = (tp + fp) * (fn + tn) * (tp + fn) * (fp + tn)
    if margins == 0:
        return (*NOT_DEFINED, "A whole row or column of the matrix is empty.")
    phi = (tp * tn - fp * fn) / math.sqrt(margins)
    called, other = (tp + fp) / n, (fn + tn) / n
    true, false = (tp + fn) / n, (fp + tn) / n
    skew_called, skew_true = (called - other) ** 2 / (called * other), (true - false) ** 2 / (true * false)
    product = (called - other) * (true - false) / math.sqrt(called * other * true * false)
    variance = (1 - phi**2 + (phi + phi**3 / 2) * product - 0.75 * phi**2 * (skew_called + skew_true)) / n
    return (phi, *_clip_normal(phi, variance, z))


def _clip_normal(value: float, variance: float, z: float) -> tuple[float, float, str | None]:
    if variance < NO_VARIANCE:
        return math.nan, math.nan, "The two differ nowhere, or everywhere, so the interval would have no width."
    half = z * math.sqrt(variance)
    return max(-1.0, value - half), min(1.0, value + half), None
