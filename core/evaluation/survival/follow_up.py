"""Restricted mean survival time, whose standard error lifelines gets wrong, and the length of follow-up."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import ndtr

from core.errors import InputError
from core.evaluation.checks import Interval, prepare_survival
from core.evaluation.proportion import Z
from core.evaluation.survival.kaplan_meier import find_median, split_groups
from core.evaluation.survival.life_table import LifeTable, build_life_table, read_survival


@dataclass(frozen=True, eq=False)
class RmstResult:
    """Restricted mean survival time.

    Attributes
    ----------
    table : DataFrame
        ``group, tau, rmst, se, ci_low, ci_high``; no interval where a group has no event by `tau`.
    difference, se, ci, p : float, float, tuple, float or None
        First group minus second, when there are two.
    reason : str or None
        Why something could not be estimated.
    """

    table: pd.DataFrame
    difference: float | None = None
    se: float | None = None
    ci: Interval | None = None
    p: float | None = None
    reason: str | None = None


@dataclass(frozen=True)
class FollowUpResult:
    """Median follow-up by the reverse Kaplan-Meier method.

    Attributes
    ----------
    n, events : int
        Patients and events.
    median : float or None
        Median time to censoring.
    ci : tuple of float or None
        Its interval; a limit that is not reached is NaN.
    reason : str or None
        Why there is none.
    """

    n: int
    events: int
    median: float | None
    ci: Interval | None
    reason: str | None = None


def compute_rmst(
    time: ArrayLike,
    event: ArrayLike,
    group: ArrayLike | None = None,
    *,
    tau: float,
    unit: str = "months",
) -> RmstResult:
    """Compute the restricted mean survival time up to `tau`.

    Parameters
    ----------
    time, event : array-like, shape (n,)
        Follow-up and event (1) or censoring (0).
    group : array-like, shape (n,), optional
        Labels.
    tau : float
        Upper limit of time.
    unit : str
        Unit of `time`, for the sentences.

    Returns
    -------
    RmstResult
        NaN, with the reason, for a group that is not followed to `tau`.

    Raises
    ------
    InputError
        If `tau` is not above 0 or the columns do not fit.

    Notes
    -----
    Area under the Kaplan-Meier curve; variance ``sum A_i^2 d_i / (r_i (r_i - d_i))``, A_i the area from t_i to tau.
    """
    if not tau > 0:
        raise InputError(f"tau is {tau:g}; give a time above 0.")
    rows: list[list[object]] = []
    for label, (t, e) in split_groups(time, event, group)[0].items():
        mean, se = _integrate(build_life_table(t, e), tau)
        half = Z * se if se > 0 else np.nan
        rows.append([label, tau, mean, se, mean - half, mean + half])
    table = pd.DataFrame(rows, columns=["group", "tau", "rmst", "se", "ci_low", "ci_high"])
    short = table["rmst"].isna()
    reason = f"Not every group is followed to {tau:g} {unit}." if short.any() or table.empty else None
    if not reason and (table["se"] == 0).any():
        reason = f"A group without an event by {tau:g} {unit} has no interval."
    if len(table) != 2 or short.any() or (table["se"] == 0).all():
        return RmstResult(table, reason=reason)
    difference = float(table["rmst"].iloc[0] - table["rmst"].iloc[1])
    se = float(np.hypot(*table["se"]))
    interval = (difference - Z * se, difference + Z * se)
    return RmstResult(table, difference, se, interval, float(2 * ndtr(-abs(difference / se))), reason)


def compute_follow_up(time: ArrayLike, event: ArrayLike) -> FollowUpResult:
    """Compute the median follow-up (reverse Kaplan-Meier; Schemper and Smith, Control Clin Trials 1996;17:343-346).

    Parameters
    ----------
    time, event : array-like, shape (n,)
        Follow-up and event (1) or censoring (0).

    Returns
    -------
    FollowUpResult
        Median None, with the reason, when too few are censored.
    """
    times, events, _, _ = prepare_survival(time, event)
    n, total = len(times), int(events.sum())
    table = build_life_table(times, events, censoring=True)
    middle, low, high = find_median(table, Z)
    if np.isnan(middle):
        return FollowUpResult(n, total, None, None, "Too few patients are censored for a median follow-up.")
    return FollowUpResult(n, total, middle, (low, high))


def _integrate(table: LifeTable, tau: float) -> tuple[float, float]:
    if np.isnan(read_survival(table, np.array([tau]))[0]):
        return float("nan"), float("nan")
    inside = table.time <= tau
    edges = np.concatenate([[0.0], table.time[inside], [tau]])
    areas = np.diff(edges) * np.concatenate([[1.0], table.survival[inside]])
    remaining = areas[::-1].cumsum()[::-1][1:]
    risk, events = table.at_risk[inside], table.events[inside]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where((events > 0) & (risk > events), events / (risk * (risk - events)), 0.0)
    return float(areas.sum()), float(np.sqrt((remaining**2 * share).sum()))
