"""Net benefit from a prediction table: of the Ki-67 models, of what predicts node metastasis, and for recurrence."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.evaluation.checks import Floats, prepare_survival
from core.evaluation.cohort.split import DEVELOPMENT, MAIN, NODE_HEADS, PREFIX, list_models
from core.evaluation.decision_curve import (
    DecisionCurveResult,
    NetBenefitDifference,
    compute_decision_curve,
    compute_net_benefit_difference,
    compute_survival_decision_curve,
)
from core.evaluation.survival.cox import compute_cox

GRID = np.arange(1, 100) / 100
NODE_LABELS = {
    NODE_HEADS[0]: "Node model, with axillary ultrasound",
    NODE_HEADS[1]: "Node model, without axillary ultrasound",
    "aln_us": "Axillary ultrasound",
}
RISK = "Recurrence risk from the probability"
HORIZONS, USUAL_HORIZON = (12, 24, 36, 60), 36
LEAST_RISK = 1e-3


@dataclass(frozen=True)
class RecurrenceRisk:
    """A one-term Cox model that turns the probability of high Ki-67 into a risk of recurrence by a horizon."""

    horizon: float  # months
    # coef, baseline: log hazard ratio of the probability (0 to 1), and the cumulative baseline hazard at the horizon
    # (Breslow)
    coef: float | None
    baseline: float | None
    # n, events: patients and recurrences that it was fitted on
    n: int
    events: int
    fitted_on: str  # their splits
    exploratory: bool  # true when there were no development patients and the whole table had to serve
    reason: str | None = None  # why there is no model


def compute_net_benefit(table: pd.DataFrame, prevalence: float | None = None, harm: float = 0.0) -> DecisionCurveResult:
    """Compute net benefit of every model at thresholds from 0.01 to 0.99."""
    models = {MAIN: table["prob"], **{name: table[PREFIX + name] for name in list_models(table)}}
    harms = dict.fromkeys(models, harm) if harm else None
    return compute_decision_curve(table["y"], models, GRID, prevalence=prevalence, harm=harms)


def compute_gain(table: pd.DataFrame, other: str, low: float, high: float) -> NetBenefitDifference:
    """Compute the net benefit of the main model minus that of another one, with a bootstrap band."""
    grid = GRID[(low - 1e-9 <= GRID) & (high + 1e-9 >= GRID)]
    return compute_net_benefit_difference(table["y"], table["prob"], table[PREFIX + other], grid)


def compute_node_net_benefit(table: pd.DataFrame) -> DecisionCurveResult:
    """Compute net benefit for node metastasis of the dedicated heads and of axillary ultrasound."""
    names = [name for name in NODE_LABELS if name in table and table[name].notna().any()]
    return compute_decision_curve(table["lnm"], {NODE_LABELS[name]: table[name] for name in names}, GRID)


def fit_recurrence_risk(table: pd.DataFrame, horizon: float) -> RecurrenceRisk:
    """Fit the risk of recurrence by a horizon on the development patients of a prediction table."""
    development = table[table["split"].isin(DEVELOPMENT)]
    exploratory = development.empty
    used = table if exploratory else development
    fitted_on = "these data" if exploratory else " + ".join(s for s in DEVELOPMENT if s in set(used["split"]))
    cox = compute_cox(used["rfs_months"], used["rfs_event"], {"prob": used["prob"]})
    coef = float(cox.table["coef"].iloc[0])
    if math.isnan(coef):
        return RecurrenceRisk(horizon, None, None, cox.n, cox.events, fitted_on, exploratory, cox.reason)
    time, event, (prob,), _ = prepare_survival(used["rfs_months"], used["rfs_event"], used["prob"])
    order = np.argsort(-time, kind="stable")
    at_risk = np.cumsum(np.exp(coef * prob[order]))
    moments = time[(event == 1) & (time <= horizon)]
    if not len(moments):
        reason = f"Nobody recurs within {horizon:g} months."
        return RecurrenceRisk(horizon, None, None, cox.n, cox.events, fitted_on, exploratory, reason)
    last = np.searchsorted(-time[order], -moments, side="right") - 1
    baseline = float((1 / at_risk[last]).sum())
    return RecurrenceRisk(horizon, coef, baseline, cox.n, cox.events, fitted_on, exploratory)


def predict_recurrence(table: pd.DataFrame, risk: RecurrenceRisk) -> "pd.Series[float] | None":
    """Predict each patient's risk of recurrence by the horizon; None without a model."""
    if risk.coef is None or risk.baseline is None:
        return None
    return 1 - np.exp(-risk.baseline * np.exp(risk.coef * table["prob"]))


def list_horizons(table: pd.DataFrame) -> tuple[list[int], int]:
    """List the months that patients are followed beyond, and which of them to start with."""
    last = table["rfs_months"].max()
    followed = [months for months in HORIZONS if months < last] or [HORIZONS[0]]
    return followed, USUAL_HORIZON if USUAL_HORIZON in followed else followed[-1]


def compute_recurrence_net_benefit(table: pd.DataFrame, risk: RecurrenceRisk) -> DecisionCurveResult | None:
    """Compute net benefit for recurrence by the horizon of a risk model."""
    predicted = predict_recurrence(table, risk)
    if predicted is None:
        return None
    grid = choose_risk_grid(predicted)
    return compute_survival_decision_curve(
        table["rfs_months"], table["rfs_event"], {RISK: predicted}, grid, risk.horizon
    )


def choose_risk_grid(risk: ArrayLike) -> Floats:
    """Choose thresholds that fit predicted risks: outside their range every patient is decided alike."""
    known = np.asarray(risk, dtype=np.float64)
    known = known[np.isfinite(known)]
    low, middle, high = np.quantile(known, [0.025, 0.5, 0.975]) if len(known) else (0.05, 0.15, 0.3)
    middle = min(max(middle, LEAST_RISK), 1 - LEAST_RISK)
    if high - low < middle / 10:
        low, high = middle / 2, min(1.5 * middle, (1 + middle) / 2)
    step = min(10.0 ** np.floor(np.log10((high - low) / 10)), 0.01)
    first, last = max(np.floor(low / step + 1e-6), 1), min(np.ceil(high / step - 1e-6), np.floor(1 / step + 1e-6) - 1)
    return np.arange(first, last + 1) * step
