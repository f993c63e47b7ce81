"""Harrell's and Uno's concordance index with their standard errors, which lifelines has not."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core.evaluation.checks import Floats, Interval, prepare_survival
from core.evaluation.proportion import Z
from core.evaluation.survival.life_table import build_life_table, read_survival


@dataclass(frozen=True)
class ConcordanceResult:
    """Agreement of a risk score with the order of events.

    Attributes
    ----------
    n, events, pairs : int
        Patients, events and comparable pairs.
    c : float or None
        Share of comparable pairs, by Uno weighed for censoring, whose earlier event has the higher score; ties in the
        score count one half.
    se, ci : float, tuple or None
        Infinitesimal-jackknife standard error and normal interval, clipped to [0, 1].
    reason : str or None
        Why there is none.
    horizon : float or None
        Time up to which earlier events count; None: all.
    """

    n: int
    events: int
    pairs: int
    c: float | None
    se: float | None = None
    ci: Interval | None = None
    reason: str | None = None
    horizon: float | None = None


def compute_concordance(time: ArrayLike, event: ArrayLike, score: ArrayLike) -> ConcordanceResult:
    """Compute Harrell's C index.

    Parameters
    ----------
    time, event : array-like, shape (n,)
        Follow-up and event (1) or censoring (0).
    score : array-like, shape (n,)
        Higher means earlier event.

    Returns
    -------
    ConcordanceResult
        As R's ``survival::concordance(Surv(time, event) ~ score, reverse = TRUE)``.

    Notes
    -----
    A pair is comparable when the earlier time is an event; an event comes before a censoring at the same time, and two
    events at the same time are not comparable. Harrell et al., JAMA 1982;247:2543-2546.
    """
    times, events, (scores,), _ = prepare_survival(time, event, score)
    return _form_index(times, events, scores, events)


def compute_uno_concordance(time: ArrayLike, event: ArrayLike, score: ArrayLike, horizon: float) -> ConcordanceResult:
    """Compute Uno's C index up to a horizon, which does not depend on how long patients were followed.

    Parameters
    ----------
    time, event : array-like, shape (n,)
        Follow-up and event (1) or censoring (0).
    score : array-like, shape (n,)
        Higher means earlier event.
    horizon : float
        In the unit of `time`; a pair counts whose earlier event comes by then.

    Returns
    -------
    ConcordanceResult
        As R's ``survival::concordance(Surv(time, event) ~ score, timewt = "n/G2", ymax = horizon, reverse = TRUE)``;
        its standard error takes the weights as known.

    Notes
    -----
    A pair weighs ``1 / G(T-)^2``, T the earlier time, G by Kaplan-Meier of censoring. Uno et al., Stat Med
    2011;30:1105-1117.
    """
    times, events, (scores,), _ = prepare_survival(time, event, score)
    counted = (events == 1) & (times <= horizon)
    weights = np.zeros(len(times))
    if counted.any():
        censoring = build_life_table(times, events, censoring=True)
        weights[counted] = read_survival(censoring, times[counted], just_before=True) ** -2
    return replace(_form_index(times, events, scores, weights), horizon=horizon)


def _form_index(time: Floats, event: Floats, score: Floats, weight: Floats) -> ConcordanceResult:
    """Form the index of pairs that weigh as much as their earlier event."""
    agreeing, comparable = count_pairs(time, event, score, weight)
    n, total = len(time), int(event.sum())
    if comparable.sum() == 0:
        return ConcordanceResult(n, total, 0, None, reason="No two patients can be compared: too few events.")
    pairs = int(count_pairs(time, event, score, (weight > 0).astype(np.float64))[1].sum() / 2)
    c = float(agreeing.sum() / comparable.sum())
    se = float(np.sqrt((((agreeing - c * comparable) / (comparable.sum() / 2)) ** 2).sum()))
    if se == 0 or math.isnan(se):
        return ConcordanceResult(n, total, pairs, c, reason="The index does not vary between patients.")
    half = Z * se
    return ConcordanceResult(n, total, pairs, c, se, (max(0.0, c - half), min(1.0, c + half)))


def count_pairs(time: Floats, event: Floats, score: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Sum the weights of each patient's concordant and comparable pairs, O(n log^2 n); a censoring's weight is 0."""
    as_first, with_later = (weight * counts for counts in count_later_pairs(time, event, score))
    moment = _order_moments(time, event)
    earlier_higher = _count_later_lower(-moment, -score, weight)
    earlier_lower = _count_later_lower(-moment, score, weight)
    earlier = _count_beyond(-moment, weight)
    as_second = earlier_higher + (earlier - earlier_higher - earlier_lower) / 2
    return as_first + as_second, with_later + earlier


def count_later_pairs(time: Floats, event: Floats, score: Floats) -> tuple[Floats, Floats]:
    """Count each patient's concordant and comparable pairs with those who come later, O(n log^2 n)."""
    moment, everyone = _order_moments(time, event), np.ones(len(time))
    later_lower = _count_later_lower(moment, score, everyone)
    later_higher = _count_later_lower(moment, -score, everyone)
    later = _count_beyond(moment, everyone)
    return event * (later_lower + (later - later_lower - later_higher) / 2), event * later


def _order_moments(time: Floats, event: Floats) -> NDArray[np.int64]:
    """Give each moment its number; a censoring comes after an event at the same time."""
    return np.asarray(pd.factorize(time, sort=True)[0] * 2 + (1 - event).astype(np.int64))


def _count_beyond(key: NDArray[np.int64], weight: Floats) -> Floats:
    """Sum the weights of rows with a greater key."""
    _, code = np.unique(key, return_inverse=True)
    totals = np.bincount(code, weight).astype(np.float64)
    beyond: Floats = np.flip(np.flip(totals).cumsum()) - totals
    return beyond[code]


def _count_later_lower(key: NDArray[np.int64], value: Floats, weight: Floats) -> Floats:
    """Sum the weights of rows with a greater key and a lower value, by merging ever longer blocks."""
    n = len(key)
    order = np.lexsort((value, key))
    rank = np.unique(value, return_inverse=True)[1][order].astype(np.int64)
    ordered_weight, sums, position = weight[order], np.zeros(n), np.arange(n)
    width = 1
    while width < n:
        block, right = position // (2 * width), (position // width) % 2 == 1
        label = block * (n + 1) + rank
        inside = np.flatnonzero(right)
        by_label = inside[np.argsort(label[inside], kind="stable")]
        cumulative = np.concatenate([[0.0], ordered_weight[by_label].cumsum()])
        sorted_label = label[by_label]
        left = np.flatnonzero(~right)
        upto = np.searchsorted(sorted_label, label[left], side="left")
        start = np.searchsorted(sorted_label, block[left] * (n + 1), side="left")
        sums[left] += cumulative[upto] - cumulative[start]
        width *= 2
    result = np.empty(n)
    result[order] = sums
    return result
