"""Whether predicted risks of an event by a horizon hold: calibration and error, with patients lost before it."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.errors import InputError
from core.evaluation.calibration.hosmer_lemeshow import assign_quantiles
from core.evaluation.checks import Floats, Interval, check_conf_level, check_probability, prepare_survival
from core.evaluation.proportion import normal_quantile
from core.evaluation.survival.cox import compute_cox
from core.evaluation.survival.kaplan_meier import form_limits
from core.evaluation.survival.life_table import build_life_table, read_survival
from core.evaluation.survival.time_auc import trace_censoring

GROUPS = 5
GROUP_COLUMNS = ["n", "events", "mean_risk", "observed", "ci_low", "ci_high"]


@dataclass(frozen=True, eq=False)
class RiskResult:
    """Agreement of predicted risks with what was observed by the horizon; what can't be estimated is None.

    Attributes
    ----------
    horizon : float
        In the unit of the follow-up.
    n, events, censored : int
        Complete patients, events by the horizon, and patients censored before it.
    mean_risk : float or None
        Mean predicted risk.
    observed, observed_ci : float, tuple or None
        Risk by Kaplan-Meier with log-log limits.
    oe, oe_ci : float, tuple or None
        Observed over mean predicted risk; the limits are those of the observed risk over the mean.
    slope, slope_ci : float, tuple or None
        Coefficient of ``log(-log(1 - risk))`` in a Cox model of these patients; ideal 1.
    brier, brier_ci : float, tuple or None
        Mean squared error by the horizon, weighted for censoring.
    scaled_brier, scaled_brier_ci : float, tuple or None
        Its share below that of the Kaplan-Meier risk for everybody (IPA).
    groups : DataFrame
        ``n, events, mean_risk, observed, ci_low, ci_high`` by fifths of the risk.
    reasons : dict of str to str
        Field name to the reason why it is None.
    """

    horizon: float
    n: int
    events: int
    censored: int
    groups: pd.DataFrame
    reasons: dict[str, str]
    mean_risk: float | None = None
    observed: float | None = None
    observed_ci: Interval | None = None
    oe: float | None = None
    oe_ci: Interval | None = None
    slope: float | None = None
    slope_ci: Interval | None = None
    brier: float | None = None
    brier_ci: Interval | None = None
    scaled_brier: float | None = None
    scaled_brier_ci: Interval | None = None
    conf_level: float = 0.95


def compute_risk_calibration(
    time: ArrayLike, event: ArrayLike, risk: ArrayLike, horizon: float, *, conf_level: float = 0.95
) -> RiskResult:
    """Compute calibration and Brier score of predicted risks by a horizon.

    Parameters
    ----------
    time, event : array-like, shape (n,)
        Follow-up and event (1) or censoring (0).
    risk : array-like, shape (n,)
        Predicted risk of the event by the horizon, 0 to 1.
    horizon : float
        In the unit of `time`.

    Returns
    -------
    RiskResult
        The estimates; `reasons` says which could not be made and why.

    Raises
    ------
    InputError
        If the horizon is not above 0, a risk lies outside 0 to 1 or the columns do not fit.

    Notes
    -----
    Brier score: ``mean(w (d - risk)^2)``, d the event by the horizon, w = 1 / G(T-) with an event by then,
    1 / G(horizon) for those followed beyond it, else 0 (Graf et al., Stat Med 1999;18:2529-2545); its standard error
    from the influence function, the estimated G included. Slope: Royston and Altman, BMC Med Res Methodol 2013;13:33.
    """
    if not horizon > 0:
        raise InputError(f"The horizon is {horizon:g}; give a time above 0.")
    check_conf_level(conf_level)
    times, events, (risks,), _ = prepare_survival(time, event, risk)
    check_probability(risks, "risk")
    z = normal_quantile(conf_level)
    seen, beyond = (times <= horizon) & (events == 1), times > horizon
    counts = (len(times), int(seen.sum()), int((~seen & ~beyond).sum()))
    if not seen.any() or not beyond.any():
        reason = f"No event by {horizon:g}." if not seen.any() else f"Nobody is followed beyond {horizon:g}."
        empty = pd.DataFrame(columns=GROUP_COLUMNS, dtype=np.float64)
        return RiskResult(horizon, *counts, empty, {"n": reason}, conf_level=conf_level)
    fields: dict[str, Any] = {"mean_risk": float(risks.mean())}
    observed, interval = _observe(times, events, horizon, z)
    fields |= {"observed": observed, "observed_ci": interval, "oe": observed / fields["mean_risk"]}
    fields["oe_ci"] = (interval[0] / fields["mean_risk"], interval[1] / fields["mean_risk"])
    reasons = _add_slope(fields, times, events, risks, z)
    _add_brier(fields, times, events, risks, horizon, observed, z)
    groups = _group_by_risk(times, events, risks, horizon, z)
    return RiskResult(horizon, *counts, groups, reasons, conf_level=conf_level, **fields)


def _observe(time: Floats, event: Floats, horizon: float, z: float) -> tuple[float, Interval]:
    """Read the Kaplan-Meier risk by the horizon with its limits; NaN where nobody is followed so long."""
    table = build_life_table(time, event)
    survival = read_survival(table, np.array([horizon]))
    spread = np.concatenate([[0.0], table.greenwood])[[np.searchsorted(table.time, horizon, side="right")]]
    low, high = form_limits(survival, spread, z)
    return float(1 - survival[0]), (float(1 - high[0]), float(1 - low[0]))


def _add_slope(fields: dict[str, object], time: Floats, event: Floats, risk: Floats, z: float) -> dict[str, str]:
    if risk.min() <= 0 or risk.max() >= 1:
        return {"slope": "A predicted risk is exactly 0 or 1."}
    cox = compute_cox(time, event, {"risk": np.log(-np.log1p(-risk))})
    row = cox.table.iloc[0]
    if math.isnan(row["coef"]):
        return {"slope": cox.reason or "The model has no finite solution."}
    slope, half = float(row["coef"]), z * float(row["se"])
    fields |= {"slope": slope, "slope_ci": (slope - half, slope + half)}
    return {}


def _add_brier(
    fields: dict[str, object],
    time: Floats,
    event: Floats,
    risk: Floats,
    horizon: float,
    observed: float,
    z: float,
) -> None:
    """Add the Brier score and its share below the null model's, whose own risk is taken as known."""
    n, seen, beyond = len(time), (time <= horizon) & (event == 1), time > horizon
    censoring = build_life_table(time, event, censoring=True)
    weight = np.zeros(n)
    weight[seen] = 1 / read_survival(censoring, time[seen], just_before=True)
    weight[beyond] = 1 / read_survival(censoring, np.array([horizon]))
    until = np.minimum(time, np.nextafter(horizon, np.inf))
    influences, scores = [], []
    for predicted in (risk, np.full(n, observed)):
        errors = weight * (seen - predicted) ** 2
        scores.append(float(errors.mean()))
        influences.append(errors - scores[-1] + trace_censoring(until, event, errors) / n)
    (brier, null), root = scores, math.sqrt(n)
    half = z * float(influences[0].std(ddof=1)) / root
    fields |= {"brier": brier, "brier_ci": (max(0.0, brier - half), min(1.0, brier + half))}
    if null > 0:
        share = 1 - brier / null
        half = z * float((influences[0] / null - brier * influences[1] / null**2).std(ddof=1)) / root
        fields |= {"scaled_brier": share, "scaled_brier_ci": (share - half, min(1.0, share + half))}


def _group_by_risk(time: Floats, event: Floats, risk: Floats, horizon: float, z: float) -> pd.DataFrame:
    index = assign_quantiles(risk, GROUPS)
    rows = []
    for group in np.unique(index):
        own = index == group
        observed, (low, high) = _observe(time[own], event[own], horizon, z)
        events = int(((time[own] <= horizon) & (event[own] == 1)).sum())
        limits = (low, high) if events else (math.nan, math.nan)
        rows.append([int(own.sum()), events, float(risk[own].mean()), observed, *limits])
    return pd.DataFrame(rows, columns=GROUP_COLUMNS)
