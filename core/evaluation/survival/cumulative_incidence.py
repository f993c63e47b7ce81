"""Cumulative incidence of an event beside a competing one, by group (Aalen and Johansen)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.errors import InputError
from core.evaluation.checks import Floats, check_conf_level, prepare_column, prepare_survival
from core.evaluation.proportion import normal_quantile
from core.evaluation.survival.kaplan_meier import form_limits
from core.evaluation.survival.life_table import build_life_table

COLUMNS = ["group", "time", "at_risk", "events", "competing", "incidence", "se", "ci_low", "ci_high"]


@dataclass(frozen=True, eq=False)
class IncidenceResult:
    """Cumulative incidence by group.

    Attributes
    ----------
    table : DataFrame
        ``group, time, at_risk, events, competing, incidence, se, ci_low, ci_high`` at the asked times; at risk is
        #(T >= t), counts are cumulative, limits are on the log-log scale and NaN while there is no event. NaN past a
        group's last follow-up.
    totals : DataFrame
        ``group, n, events, competing``.
    n_excluded : int
        Rows left out because time, event or group is missing.
    """

    table: pd.DataFrame
    totals: pd.DataFrame
    conf_level: float = 0.95
    n_excluded: int = 0


def compute_cumulative_incidence(
    time: ArrayLike,
    event: ArrayLike,
    competing: ArrayLike,
    group: ArrayLike,
    *,
    times: ArrayLike,
    conf_level: float = 0.95,
) -> IncidenceResult:
    """Compute the share of patients with the event by a time, where a competing event can come first.

    Parameters
    ----------
    time : array-like, shape (n,)
        Follow-up from time zero.
    event, competing : array-like, shape (n,)
        1 where the follow-up ends with the event, or with the competing one; both 0: censored.
    group : array-like, shape (n,)
        Labels known at time zero.
    times : array-like
        Times of the table.

    Returns
    -------
    IncidenceResult
        Groups in the order of their categories, or sorted.

    Raises
    ------
    InputError
        If lengths differ, a time is negative, an event is not 0/1 or one patient has both.

    Notes
    -----
    ``F(t) = sum over s <= t of S(s-) d(s) / r(s)``, S the survival free of both events. Standard error: infinitesimal
    jackknife, as R's ``survfit(Surv(time, factor(type)) ~ 1)``.
    """
    check_conf_level(conf_level)
    first, second = prepare_column(event, "event"), prepare_column(competing, "competing event")
    if ((first == 1) & (second == 1)).any():
        raise InputError("A patient has both the event and the competing one; the follow-up ends with the first.")
    moments, firsts, (seconds,), keep = prepare_survival(time, first, second)
    labels = pd.Series(group).reset_index(drop=True).astype("category")
    complete = keep & labels.notna().to_numpy()
    inner, asked = labels[keep].to_numpy(), prepare_column(np.atleast_1d(np.asarray(times)), "times")
    tables, totals = [], []
    for label in labels.cat.categories:
        own = inner == label
        if own.any():
            tables.append(_describe_group(label, moments[own], firsts[own], seconds[own], asked, conf_level))
            totals.append([label, int(own.sum()), int(firsts[own].sum()), int(seconds[own].sum())])
    return IncidenceResult(
        pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS),
        pd.DataFrame(totals, columns=["group", "n", "events", "competing"]),
        conf_level,
        int((~complete).sum()),
    )


def _describe_group(
    label: str, time: Floats, event: Floats, competing: Floats, asked: Floats, conf_level: float
) -> pd.DataFrame:
    incidence, se = _estimate(time, event, competing, asked)
    share = np.where(incidence > 0, incidence, np.nan)
    low, high = form_limits(share, (se / share) ** 2, normal_quantile(conf_level))
    ordered = np.sort(time)
    counts = [np.searchsorted(np.sort(time[kind == 1]), asked, side="right") for kind in (event, competing)]
    at_risk = len(time) - np.searchsorted(ordered, asked, side="left")
    frame = pd.DataFrame(dict(zip(COLUMNS[1:], [asked, at_risk, *counts, incidence, se, low, high], strict=True)))
    frame.insert(0, "group", label)
    return frame


def _estimate(time: Floats, event: Floats, competing: Floats, asked: Floats) -> tuple[Floats, Floats]:
    """Compute the incidence at the asked times with its standard error from each patient's influence."""
    table = build_life_table(time, event + competing)
    position = np.searchsorted(table.time, time)
    events = np.bincount(position, event, len(table.time))
    before = np.concatenate([[1.0], table.survival[:-1]])
    rise = before / table.at_risk
    incidence = np.cumsum(rise * events)
    left = table.at_risk - table.events
    leaving = np.where(left > 0, 1 / np.where(left > 0, left, 1), 0.0)
    drift_event = np.cumsum(rise * events / table.at_risk)
    drift_any = np.cumsum(leaving * table.events / table.at_risk)
    drift_both = np.cumsum(incidence * leaving * table.events / table.at_risk)
    values, errors = np.full(len(asked), np.nan), np.full(len(asked), np.nan)
    for index, moment in enumerate(asked):
        last = np.searchsorted(table.time, moment, side="right") - 1
        if moment > table.time[-1] and table.survival[-1] > 0:
            continue
        if last < 0:
            values[index] = errors[index] = 0.0
            continue
        reached, end = np.minimum(position, last), incidence[last]
        influence = -drift_event[reached] + end * drift_any[reached] - drift_both[reached]
        own = event * rise[reached] - (event + competing) * leaving[reached] * (end - incidence[reached])
        influence += np.where(position <= last, own, 0.0)
        values[index], errors[index] = end, np.sqrt((influence**2).sum())
    return values, errors
