"""Discrimination: the ROC curve and the area under it with its interval."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from core.errors import InputError
from core.evaluation.checks import Floats, Interval, check_conf_level, check_lengths, prepare_outcome
from core.evaluation.proportion import compute_wilson, normal_quantile
from core.evaluation.ranks import rank_scores

Method = Literal["delong", "logit", "bootstrap"]
FEW_EVENTS = 10
N_BOOT = 2000


@dataclass(frozen=True, eq=False)
class RocResult:
    """Discrimination of one score.

    Attributes
    ----------
    n, n_pos : int
        Complete rows and positives among them.
    auc, auc_se : float or None
        Area under the curve and its standard error.
    auc_ci : tuple of float or None
        Its interval.
    method : {"delong", "logit", "bootstrap"}
        How the interval was made.
    curve : DataFrame
        ``threshold, fpr, tpr, tpr_low, tpr_high`` from (0, 0) to (1, 1), Wilson limits at each threshold;
        positive is score >= threshold, and thresholds are mid-points between neighbouring scores.
    n_excluded : int
        Rows left out because the outcome or the score is missing.
    reason : str or None
        Why something could not be estimated, or what to bear in mind.
    """

    n: int
    n_pos: int
    auc: float | None
    auc_se: float | None
    auc_ci: Interval | None
    method: Method
    curve: pd.DataFrame
    conf_level: float = 0.95
    n_excluded: int = 0
    reason: str | None = None


def compute_roc(
    y: ArrayLike,
    score: ArrayLike,
    *,
    conf_level: float = 0.95,
    method: Method = "delong",
    patient: ArrayLike | None = None,
    n_boot: int = N_BOOT,
    seed: int = 0,
) -> RocResult:
    """Compute the ROC curve, the area under it and its interval.

    Parameters
    ----------
    y : array-like, shape (n,)
        Outcome, 1 for the positive class.
    score : array-like, shape (n,)
        Higher means more likely positive; never turned round.
    method : {"delong", "logit", "bootstrap"}
        ``delong``: normal on the AUC scale, clipped to [0, 1]; ``logit``: normal on the logit scale, taken in place of
        ``delong`` with fewer than 10 positives; ``bootstrap``: percentiles, patients drawn within each class.
    patient : array-like, shape (n,), optional
        Labels; rows of one patient count as one cluster.
    n_boot, seed : int
        Replicates and seed of the bootstrap.

    Returns
    -------
    RocResult
        The estimate; what can't be estimated is None, with the reason.

    Raises
    ------
    InputError
        If the outcome is not 0/1, lengths differ or the method is unknown.

    Notes
    -----
    AUC = P(S1 > S0) + P(S1 = S0) / 2 by midranks. Variance: DeLong et al., Biometrics 1988;44:837-845, by the algorithm
    of Sun and Xu, IEEE Signal Process Lett 2014;21:1389-1393; clusters: Obuchowski, Biometrics 1997;53:567-578.
    """
    if method not in {"delong", "logit", "bootstrap"}:
        raise InputError(f"The method '{method}' is not known; take delong, logit or bootstrap.")
    check_conf_level(conf_level)
    outcome, (values,), keep = prepare_outcome(y, score)
    cluster = _prepare_cluster(patient, keep)
    n, n_pos = len(outcome), int(outcome.sum())
    few = method == "delong" and n_pos < FEW_EVENTS
    used: Method = "logit" if few else method
    curve = _trace_curve(outcome, values, conf_level)
    base: dict[str, Any] = {"curve": curve, "conf_level": conf_level, "n_excluded": int((~keep).sum())}
    missing = describe_missing_class(n, n_pos)
    if missing:
        return RocResult(n, n_pos, None, None, None, used, reason=missing, **base)
    auc, se = compute_auc_se(outcome, values, cluster)
    reason = f"Fewer than {FEW_EVENTS} positives: the interval is on the logit scale and unstable." if few else None
    if se is None or se == 0:
        return RocResult(n, n_pos, auc, None, None, used, reason=describe_no_spread(auc, n_pos, n - n_pos), **base)
    interval = (
        _bootstrap_interval(outcome, values, cluster, conf_level, n_boot, seed)
        if used == "bootstrap"
        else form_auc_interval(auc, se, conf_level, logit_scale=used == "logit")
    )
    if interval is None:
        reason = "An AUC of 0 or 1 has no interval on the logit scale."
    return RocResult(n, n_pos, auc, se, interval, used, reason=reason, **base)


def describe_missing_class(n: int, n_pos: int) -> str | None:
    """Say why nothing can be discriminated, if so."""
    if n == 0:
        return "No row has both an outcome and a score."
    if n_pos in {0, n}:
        kind = "positive" if n_pos else "negative"
        whom = "The only patient is" if n == 1 else f"All {n} patients are"
        return f"{whom} {kind}: there is nothing to tell apart."
    return None


def describe_no_spread(auc: float, n_pos: int, n_neg: int) -> str:
    """Say why an AUC has no standard error."""
    if min(n_pos, n_neg) < 2:
        return "A class with a single patient gives no variance."
    if auc in {0.0, 1.0}:
        return f"The AUC is {auc:.0f}: the classes do not overlap, and the variance can't be estimated."
    return "The score does not vary within the classes, and the variance can't be estimated."


def form_auc_interval(auc: float, se: float, conf_level: float, *, logit_scale: bool) -> Interval | None:
    """Form a normal interval of an AUC on its own scale, clipped, or on the logit scale."""
    z = normal_quantile(conf_level)
    if not logit_scale:
        return max(0.0, auc - z * se), min(1.0, auc + z * se)
    if auc in {0.0, 1.0}:
        return None
    half = z * se / (auc * (1 - auc))
    return float(expit(logit(auc) - half)), float(expit(logit(auc) + half))


def compute_components(outcome: Floats, score: Floats) -> tuple[float, Floats, Floats]:
    """Compute the AUC and DeLong's structural components by midranks, O(n log n)."""
    positive = outcome == 1
    m, k = int(positive.sum()), int((~positive).sum())
    ranks = rank_scores(score)
    v10 = (ranks[positive] - rank_scores(score[positive])) / k
    v01 = 1 - (ranks[~positive] - rank_scores(score[~positive])) / m
    return float(v10.mean()), v10, v01


def compute_auc_se(
    outcome: Floats, score: Floats, cluster: NDArray[np.int64] | None = None
) -> tuple[float, float | None]:
    """Compute the AUC with DeLong's standard error, or that of Obuchowski where patients have several rows."""
    auc, v10, v01 = compute_components(outcome, score)
    positive = outcome == 1
    if cluster is None:
        if min(len(v10), len(v01)) < 2:
            return auc, None
        return auc, math.sqrt(v10.var(ddof=1) / len(v10) + v01.var(ddof=1) / len(v01))
    codes = cluster
    size = int(codes.max()) + 1
    sum10 = np.bincount(codes[positive], v10 - auc, size)
    sum01 = np.bincount(codes[~positive], v01 - auc, size)
    with10 = len(np.unique(codes[positive]))
    with01 = len(np.unique(codes[~positive]))
    if min(with10, with01) < 2:
        return auc, None
    m, k = len(v10), len(v01)
    variance = (
        with10 / (with10 - 1) * (sum10**2).sum() / m**2
        + with01 / (with01 - 1) * (sum01**2).sum() / k**2
        + 2 * size / (size - 1) * (sum10 * sum01).sum() / (m * k)
    )
    return auc, math.sqrt(max(variance, 0.0))


def _prepare_cluster(patient: ArrayLike | None, keep: NDArray[np.bool_]) -> NDArray[np.int64] | None:
    if patient is None:
        return None
    labels = np.asarray(patient)
    check_lengths([keep, labels])
    codes, names = pd.factorize(labels[keep], use_na_sentinel=False)
    return codes if len(names) < len(codes) else None


def _trace_curve(outcome: Floats, score: Floats, conf_level: float) -> pd.DataFrame:
    values, index = np.unique(score, return_inverse=True)
    positives = np.bincount(index, outcome, len(values))[::-1].cumsum()
    negatives = np.bincount(index, 1 - outcome, len(values))[::-1].cumsum()
    middle = values[:-1] + np.diff(values) / 2
    middle = np.where(middle > values[:-1], middle, values[1:])
    ends = [-np.inf] if len(values) else []
    with np.errstate(invalid="ignore"):
        fpr = np.concatenate([[0.0], negatives]) / (1 - outcome).sum()
        tpr = np.concatenate([[0.0], positives]) / outcome.sum()
    low, high = compute_wilson(np.concatenate([[0.0], positives]), outcome.sum(), conf_level)
    threshold = np.concatenate([[np.inf], middle[::-1], ends])
    return pd.DataFrame({"threshold": threshold, "fpr": fpr, "tpr": tpr, "tpr_low": low, "tpr_high": high})


def _bootstrap_interval(
    outcome: Floats, score: Floats, cluster: NDArray[np.int64] | None, conf_level: float, n_boot: int, seed: int
) -> Interval:
    codes = np.arange(len(outcome)) if cluster is None else cluster
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(score[order]) > 0])
    y, codes = outcome[order], codes[order]
    has_event = np.bincount(codes, y) > 0
    strata = [np.flatnonzero(has_event), np.flatnonzero(~has_event)]
    generator = np.random.default_rng(seed)
    draws = []
    for _ in range(n_boot):
        weight = np.zeros(len(has_event))
        for members in strata:
            np.add.at(weight, generator.choice(members, len(members)), 1) if len(members) else None
        row = weight[codes]
        positive, negative = np.add.reduceat(row * y, starts), np.add.reduceat(row * (1 - y), starts)
        below = negative.cumsum() - negative
        pairs = positive.sum() * negative.sum()
        if pairs > 0:
            draws.append((positive * (below + negative / 2)).sum() / pairs)
    tail = (1 - conf_level) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return float(low), float(high)
