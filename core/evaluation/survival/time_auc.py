"""Time-dependent discrimination: who has an event by a horizon, among those followed."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from core.errors import InputError
from core.evaluation.checks import Floats, Interval, prepare_survival
from core.evaluation.discrimination.roc import FEW_EVENTS, form_auc_interval
from core.evaluation.ranks import rank_scores
from core.evaluation.survival.life_table import build_life_table, read_survival

EARLY_MONTHS = 6.0


@dataclass(frozen=True)
class TimeAucResult:
    """Area under the time-dependent ROC curve.

    Attributes
    ----------
    horizon : float
        Time by which the event counts.
    events, at_risk : int
        Events by the horizon and patients still followed after it.
    auc, se : float or None
        Estimate and standard error.
    ci : tuple of float or None
        Interval.
    method : {"ipcw", "ipcw-logit"}
        Scale of the interval: the AUC's own, clipped, or the logit with fewer than 10 events.
    unstable : bool
        True with fewer than 10 events.
    n, censored : int
        Complete patients, and those censored by the horizon.
    reason : str or None
        Why something could not be estimated, or what to bear in mind.
    """

    horizon: float
    events: int
    at_risk: int
    auc: float | None
    se: float | None
    ci: Interval | None
    method: str = "ipcw"
    unstable: bool = False
    n: int = 0
    censored: int = 0
    reason: str | None = None


def compute_time_auc(
    time: ArrayLike,
    event: ArrayLike,
    score: ArrayLike,
    horizon: float = EARLY_MONTHS,
    *,
    unit: str = "months",
) -> TimeAucResult:
    """Compute the cumulative/dynamic AUC at a horizon, with inverse-probability-of-censoring weights.

    Parameters
    ----------
    time, event : array-like, shape (n,)
        Follow-up and event (1) or censoring (0).
    score : array-like, shape (n,)
        Higher means earlier event.
    horizon : float
        In the unit of `time`.
    unit : str
        Unit of `time`, for the sentences.

    Returns
    -------
    TimeAucResult
        AUC None with a reason when there is no event by the horizon or nobody is followed beyond it.

    Raises
    ------
    InputError
        If the horizon is not above 0 or the columns do not fit.

    Notes
    -----
    Cases: T <= horizon with an event, weight ``1 / G(T-)``; controls: T > horizon; G by Kaplan-Meier of censoring,
    events before censorings at ties. Standard error from the influence function, the estimated G included; Blanche,
    Dartigues and Jacqmin-Gadda, Stat Med 2013;32:5381-5397.
    """
    if not horizon > 0:
        raise InputError(f"The horizon is {horizon:g}; give a time above 0.")
    times, events, (scores,), _ = prepare_survival(time, event, score)
    case, control = (times <= horizon) & (events == 1), times > horizon
    cases, controls, n = int(case.sum()), int(control.sum()), len(times)
    censored, end = n - cases - controls, f"{horizon:g} {unit}"
    if not cases or not controls:
        reason = f"No event by {end}." if not cases else f"Nobody is followed beyond {end}."
        return TimeAucResult(horizon, cases, controls, None, None, None, n=n, censored=censored, reason=reason)
    auc, influence = _estimate(times, events, scores, case, control)
    few = cases < FEW_EVENTS
    method = "ipcw-logit" if few else "ipcw"
    note = f"Only {cases} {'event' if cases == 1 else 'events'} by {end}: the estimate is unstable." if few else None
    se = float(influence.std(ddof=1) / math.sqrt(n))
    if min(cases, controls) < 2 or se < 1e-12 or auc in {0.0, 1.0}:
        note = (
            f"No standard error can be computed from {cases} {'event' if cases == 1 else 'events'} by {end} and "
            f"{controls} {'patient' if controls == 1 else 'patients'} followed beyond it, at an AUC of {auc:.2f}."
        )
        return TimeAucResult(horizon, cases, controls, auc, None, None, method, few, n, censored, note)
    interval = form_auc_interval(auc, se, 0.95, logit_scale=few)
    return TimeAucResult(horizon, cases, controls, auc, se, interval, method, few, n, censored, note)


def _estimate(
    time: Floats, event: Floats, score: Floats, case: np.ndarray, control: np.ndarray
) -> tuple[float, Floats]:
    """Compute the AUC and each patient's influence on it."""
    n = len(time)
    censoring = build_life_table(time, event, censoring=True)
    weight = np.zeros(n)
    weight[case] = 1 / read_survival(censoring, time[case], just_before=True)
    below = _count_below(score[case], score[control]) / control.sum()
    above = 1 - _count_below(score[control], score[case], weight[case]) / weight.sum()
    auc = float(weight[case] @ below / weight.sum())
    mass = weight.sum() / n
    excess = np.zeros(n)
    excess[case] = weight[case] * (below - auc)
    influence = excess / mass
    influence[control] += (above - auc) / control.mean()
    return auc, influence + trace_censoring(time, event, excess) / (n * mass)


def trace_censoring(time: Floats, event: Floats, excess: Floats) -> Floats:
    """Influence through the estimated censoring: each patient's censoring martingale over the cases after it."""
    n = len(time)
    table = build_life_table(time, event, censoring=True)
    position = np.searchsorted(table.time, time)
    at_moment = np.bincount(position, excess, len(table.time))
    after = at_moment[::-1].cumsum()[::-1] - at_moment
    safe = np.where(table.at_risk > 0, table.at_risk, 1)
    own = np.where(event == 0, (after / safe * n)[position], 0.0)
    compensator = np.concatenate([[0.0], np.cumsum(table.events / safe**2 * after * n)])
    return own - compensator[position + (event == 0)]


def _count_below(score: Floats, others: Floats, weight: Floats | None = None) -> Floats:
    """For each score, sum the weights of the others below it, ties counting one half."""
    if weight is None:
        return (rank_scores(np.concatenate([score, others]))[: len(score)] - rank_scores(score)).astype(np.float64)
    order = np.argsort(others)
    cumulative = np.concatenate([[0.0], weight[order].cumsum()])
    low = cumulative[np.searchsorted(others[order], score, side="left")]
    high = cumulative[np.searchsorted(others[order], score, side="right")]
    return (low + high) / 2
