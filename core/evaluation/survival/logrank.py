"""The log-rank test, plain and stratified: lifelines' has no strata, and takes ten times as long."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from core.evaluation.checks import Floats, check_lengths, prepare_survival

ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class LogRankResult:
    """Difference of survival between groups.

    Attributes
    ----------
    chisq, p : float or None
        Test statistic and p value.
    df : int or None
        Groups - 1.
    table : DataFrame
        ``group, n, observed, expected``.
    strata : int
        Number of strata.
    n_excluded : int
        Rows left out because something is missing.
    reason : str or None
        Why there is no test.
    """

    chisq: float | None
    df: int | None
    p: float | None
    table: pd.DataFrame
    strata: int = 1
    n_excluded: int = 0
    reason: str | None = None


def compute_logrank(
    time: ArrayLike, event: ArrayLike, group: ArrayLike, *, strata: ArrayLike | None = None
) -> LogRankResult:
    """Compare survival between groups.

    Parameters
    ----------
    time, event : array-like, shape (n,)
        Follow-up and event (1) or censoring (0).
    group : array-like, shape (n,)
        Labels known at time zero.
    strata : array-like, shape (n,), optional
        Labels within which groups are compared, such as the centre.

    Returns
    -------
    LogRankResult
        The test; None with a reason when there is one group or no event.

    Raises
    ------
    InputError
        If lengths differ, a time is negative or an event is not 0/1.

    Notes
    -----
    ``(O - E)' V^-1 (O - E)`` with the hypergeometric variance, summed over strata; Mantel 1966, Peto and Peto 1972.
    """
    times, events, _, keep = prepare_survival(time, event)
    labels = pd.Series(np.asarray(group))
    layers = pd.Series(np.zeros(len(keep)) if strata is None else np.asarray(strata))
    check_lengths([keep, labels.to_numpy(), layers.to_numpy()])
    complete = keep & labels.notna().to_numpy() & layers.notna().to_numpy()
    inner = complete[keep]
    times, events = times[inner], events[inner]
    code, names = pd.factorize(labels[complete], sort=True)
    layer, layer_names = pd.factorize(layers[complete])
    size = len(names)
    observed = np.bincount(code, events, size) if size else np.empty(0)
    expected, variance = np.zeros(size), np.zeros((size, size))
    for index in range(len(layer_names)):
        chosen = layer == index
        part = _sum_stratum(times[chosen], events[chosen], code[chosen], size)
        expected, variance = expected + part[0], variance + part[1]
    counts = np.bincount(code, minlength=size)
    table = pd.DataFrame({"group": names, "n": counts, "observed": observed, "expected": expected})
    excluded = int((~complete).sum())
    informative = expected > 0
    df = int(informative.sum()) - 1
    reason = _describe_no_test(size, float(observed.sum()), df)
    if not reason:
        free = np.flatnonzero(informative)[1:]
        gap, spread = (observed - expected)[free], variance[np.ix_(free, free)]
        if np.linalg.matrix_rank(spread, tol=ROUNDING * np.trace(variance)) == df:
            chisq = float(gap @ np.linalg.solve(spread, gap))
            return LogRankResult(chisq, df, float(chdtrc(df, chisq)), table, len(layer_names), excluded)
        reason = "The groups are never at risk together, so they can't be compared."
    return LogRankResult(None, None, None, table, len(layer_names), excluded, reason)


def _describe_no_test(groups: int, events: float, df: int) -> str | None:
    if groups < 2:
        return "Fewer than two groups."
    if events == 0:
        return "No events."
    return "The groups are never at risk together, so they can't be compared." if df < 1 else None


def _sum_stratum(time: Floats, event: Floats, code: np.ndarray, size: int) -> tuple[Floats, Floats]:
    moments = np.unique(time[event == 1])
    at_risk, deaths = np.zeros((size, len(moments))), np.zeros((size, len(moments)))
    for index in range(size):
        own = np.sort(time[code == index])
        at_risk[index] = len(own) - np.searchsorted(own, moments, side="left")
        dead = np.sort(time[(code == index) & (event == 1)])
        deaths[index] = np.searchsorted(dead, moments, "right") - np.searchsorted(dead, moments, "left")
    total, died = at_risk.sum(axis=0), deaths.sum(axis=0)
    share = at_risk / np.where(total > 0, total, 1)
    spread = np.where(total > 1, died * (total - died) / np.where(total > 1, total - 1, 1), 0.0)
    variance = np.diag((share * spread).sum(axis=1)) - (share * spread) @ share.T
    return (share * died).sum(axis=1), variance
