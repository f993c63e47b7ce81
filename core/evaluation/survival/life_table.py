"""The life table behind every Kaplan-Meier figure; lifelines' reverse curve keeps those with an event then at risk."""

from dataclasses import dataclass

import numpy as np

from core.evaluation.checks import Floats


@dataclass(frozen=True, eq=False)
class LifeTable:
    """Counts and survival at the distinct follow-up times."""

    # time, at_risk, events, censored: (k,), distinct times in order; at risk just before, events and censorings there
    time: Floats
    at_risk: Floats
    events: Floats
    censored: Floats
    # survival, greenwood: (k,), Kaplan-Meier estimate and the cumulative sum of ``d / (r (r - d))``; infinite once
    # nobody is left
    survival: Floats
    greenwood: Floats


def build_life_table(time: Floats, event: Floats, *, censoring: bool = False) -> LifeTable:
    """Build the life table of the event, or of censoring."""
    times, index = np.unique(time, return_inverse=True)
    events = np.bincount(index, event, len(times)).astype(np.float64)
    censored = np.bincount(index, 1 - event, len(times)).astype(np.float64)
    leaving = events + censored
    at_risk = np.flip(np.flip(leaving).cumsum()).astype(np.float64)
    if censoring:
        events, censored, at_risk = censored, events, at_risk - events
    with np.errstate(divide="ignore", invalid="ignore"):
        survival = np.cumprod(np.where(events > 0, 1 - events / at_risk, 1.0)).astype(np.float64)
        greenwood = np.cumsum(np.where(events > 0, events / (at_risk * (at_risk - events)), 0.0)).astype(np.float64)
    return LifeTable(times, at_risk, events, censored, survival, greenwood)


def read_survival(table: LifeTable, times: Floats, *, just_before: bool = False) -> Floats:
    """Read survival at given times."""
    position = np.searchsorted(table.time, times, side="left" if just_before else "right")
    survival = np.concatenate([[1.0], table.survival])[position]
    last = table.time[-1] if len(table.time) else -np.inf
    return np.where((times > last) & (survival > 0), np.nan, survival)
