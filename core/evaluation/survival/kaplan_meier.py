"""Kaplan-Meier curves by group, with numbers at risk and medians as in R, which lifelines' differ from."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core.evaluation.checks import Floats, check_conf_level, check_lengths, prepare_column, prepare_survival
from core.evaluation.proportion import normal_quantile
from core.evaluation.survival.life_table import LifeTable, build_life_table, read_survival

COLUMNS = ["group", "time", "at_risk", "events", "censored", "survival", "se", "ci_low", "ci_high"]
HALF_TOLERANCE = np.finfo(float).eps ** 0.5


@dataclass(frozen=True, eq=False)
class KaplanMeierResult:
    """Survival by group.

    Attributes
    ----------
    curve : DataFrame
        ``group, time, at_risk, events, censored, survival, se, ci_low, ci_high`` at every distinct follow-up time, from
        time 0; limits on the log-log scale, NaN once survival is 0. Before the first event they are 1 and 1 as in R:
        `hide_unseen` takes them away where people read them.
    at_times : DataFrame
        The same columns at the asked times; at risk is #(T >= t), events and censored are cumulative, survival is NaN
        past a group's last follow-up unless it is 0.
    medians : DataFrame
        ``group, n, events, median, ci_low, ci_high``; NaN where survival, or its limit, stays above one half.
    n_excluded : int
        Rows left out because time, event or group is missing.
    reason : str or None
        Why something could not be estimated.
    """

    curve: pd.DataFrame
    at_times: pd.DataFrame
    medians: pd.DataFrame
    conf_level: float = 0.95
    n_excluded: int = 0
    reason: str | None = None


def compute_kaplan_meier(
    time: ArrayLike,
    event: ArrayLike,
    group: ArrayLike | None = None,
    *,
    times: ArrayLike | None = None,
    conf_level: float = 0.95,
) -> KaplanMeierResult:
    """Compute Kaplan-Meier curves.

    Parameters
    ----------
    time : array-like, shape (n,)
        Follow-up from time zero.
    event : array-like, shape (n,)
        1 event, 0 censored.
    group : array-like, shape (n,), optional
        Labels known at time zero; without them there is one group, "all".
    times : array-like, optional
        Times of the table `at_times`.

    Returns
    -------
    KaplanMeierResult
        Groups in the order of their categories, or sorted.

    Raises
    ------
    InputError
        If lengths differ, a time is negative or an event is not 0/1.

    Notes
    -----
    Greenwood's variance; limits ``S^exp(-+ z se / (S log S))`` (log-log), medians as in R's survfit.
    """
    check_conf_level(conf_level)
    members, keep = split_groups(time, event, group)
    asked = np.empty(0) if times is None else prepare_column(np.atleast_1d(np.asarray(times)), "times")
    z = normal_quantile(conf_level)
    curves, tables, medians = [], [], []
    for label, (t, e) in members.items():
        table = build_life_table(t, e)
        curves.append(_form_curve(label, table, z))
        tables.append(_read_at_times(label, table, t, asked, z))
        middle = find_median(table, z)
        medians.append([label, len(t), int(e.sum()), *middle])
    reason = None if members else "No patient has a time and an event."
    return KaplanMeierResult(
        pd.concat(curves, ignore_index=True) if curves else pd.DataFrame(columns=COLUMNS),
        pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS),
        pd.DataFrame(medians, columns=["group", "n", "events", "median", "ci_low", "ci_high"]),
        conf_level,
        int((~keep).sum()),
        reason,
    )


def hide_unseen(table: pd.DataFrame) -> pd.DataFrame:
    """Take the limits away where no event has been seen: an interval from 1 to 1 is none."""
    unseen = table["survival"] == 1
    return table.assign(ci_low=table["ci_low"].mask(unseen), ci_high=table["ci_high"].mask(unseen))


def find_common_time(result: KaplanMeierResult) -> float | None:
    """Find the last of the asked times at which every group still has somebody at risk; None if there is none."""
    followed = result.at_times[(result.at_times["at_risk"] > 0) & result.at_times["survival"].notna()]
    groups = followed.groupby("time")["group"].nunique()
    common = groups.index[(groups == len(result.medians)) & (groups.index > 0)]
    return float(common.max()) if len(common) else None


def split_groups(
    time: ArrayLike, event: ArrayLike, group: ArrayLike | None
) -> tuple[dict[str, tuple[Floats, Floats]], NDArray[np.bool_]]:
    """Split complete follow-up by group, in the order of the labels' categories."""
    times, events, _, keep = prepare_survival(time, event)
    if group is None:
        return ({"all": (times, events)} if len(times) else {}), keep
    labels = pd.Series(group).reset_index(drop=True).astype("category")
    check_lengths([keep, labels.to_numpy()])
    complete = keep & labels.notna().to_numpy()
    inner = labels[keep].to_numpy()
    members = {}
    for label in labels.cat.categories:
        chosen = inner == label
        if chosen.any():
            members[label] = (times[chosen], events[chosen])
    return members, complete


def form_limits(survival: Floats, greenwood: Floats, z: float) -> tuple[Floats, Floats]:
    """Form log-log limits of survival; (1, 1) where it is 1 and NaN where it is 0."""
    inside = (survival > 0) & (survival < 1)
    safe = np.where(inside, survival, 0.5)
    spread = z * np.sqrt(np.where(inside, greenwood, 0.0)) / np.log(safe)
    edge = np.where(survival == 1, 1.0, np.nan)
    low = np.where(inside, safe ** np.exp(-spread), edge)
    high = np.where(inside, safe ** np.exp(spread), edge)
    return low, high


def find_median(table: LifeTable, z: float) -> tuple[float, float, float]:
    """Find the median and its limits: where survival and its limits first fall to one half."""
    low, high = form_limits(table.survival, table.greenwood, z)
    return _cross_half(table.time, table.survival), _cross_half(table.time, low), _cross_half(table.time, high)


def _cross_half(time: Floats, level: Floats) -> float:
    below = np.flatnonzero(level < 0.5 + HALF_TOLERANCE)
    if not len(below):
        return float("nan")
    first = below[0]
    lower = below[level[below] < level[first]]
    if abs(level[first] - 0.5) < HALF_TOLERANCE and len(lower):
        return float((time[first] + time[lower[0]]) / 2)
    return float(time[first])


def _compute_error(survival: Floats, greenwood: Floats) -> Floats:
    return np.where(survival > 0, survival * np.sqrt(np.where(survival > 0, greenwood, 0.0)), np.nan)


def _form_curve(label: str, table: LifeTable, z: float) -> pd.DataFrame:
    low, high = form_limits(table.survival, table.greenwood, z)
    error = _compute_error(table.survival, table.greenwood)
    columns = [table.time, table.at_risk, table.events, table.censored, table.survival, error, low, high]
    curve = pd.DataFrame(dict(zip(COLUMNS[1:], columns, strict=True)))
    if len(table.time) and table.time[0] > 0:
        start = pd.DataFrame([[0.0, table.at_risk[0], 0.0, 0.0, 1.0, 0.0, 1.0, 1.0]], columns=COLUMNS[1:])
        curve = pd.concat([start, curve], ignore_index=True)
    curve.insert(0, "group", label)
    return curve.astype({"at_risk": int, "events": int, "censored": int})


def _read_at_times(label: str, table: LifeTable, time: Floats, asked: Floats, z: float) -> pd.DataFrame:
    position = np.searchsorted(table.time, asked, side="right")
    survival = read_survival(table, asked)
    greenwood = np.concatenate([[0.0], table.greenwood])[position]
    low, high = form_limits(survival, greenwood, z)
    ordered, events = np.sort(time), np.concatenate([[0.0], table.events.cumsum()])[position]
    censored = np.concatenate([[0.0], table.censored.cumsum()])[position]
    at_risk = len(time) - np.searchsorted(ordered, asked, side="left")
    columns = [asked, at_risk, events, censored, survival, _compute_error(survival, greenwood), low, high]
    frame = pd.DataFrame(dict(zip(COLUMNS[1:], columns, strict=True)))
    frame.insert(0, "group", label)
    return frame.astype({"at_risk": int, "events": int, "censored": int})
