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


@dataclass(frozen=True)
class RecurrenceRisk:
    """A one-term Cox model that turns the probability of high Ki-67 into a risk of recurrence by a horizon.

    Attributes
    ----------
    horizon : float
        Months.
    coef, baseline : float or None
        Log hazard ratio of the probability (0 to 1), and the cumulative baseline hazard at the horizon (Breslow).
    n, events : int
        Patients and recurrences that it was fitted on.
    fitted_on : str
        Their splits.
    exploratory : bool
        True when there were no development patients and the whole table had to serve.
    reason : str or None
        Why there is no model.
    """

    horizon: float
    coef: float | None
    baseline: float | None
    n: int
    events: int
    fitted_on: str
    exploratory: bool
    reason: str | None = None


def compute_net_benefit(table: pd.DataFrame, prevalence: float | None = None, harm: float = 0.0) -> DecisionCurveResult:
    """Compute net benefit of every model at thresholds from 0.01 to 0.99.

    Parameters
    ----------
    table : DataFrame
        With ``y, prob`` and ``prob_<model>``.
    prevalence : float, optional
        Prevalence of high Ki-67 where the model is to be used; else that of the table.
    harm : float
        Harm of using a model, in units of net benefit.

    Returns
    -------
    DecisionCurveResult
        On the patients that are complete for all models.
    """
    models = {MAIN: table["prob"], **{name: table[PREFIX + name] for name in list_models(table)}}
    harms = dict.fromkeys(models, harm) if harm else None
    return compute_decision_curve(table["y"], models, GRID, prevalence=prevalence, harm=harms)


def compute_gain(table: pd.DataFrame, other: str, low: float, high: float) -> NetBenefitDifference:
    """Compute the net benefit of the main model minus that of another one, with a bootstrap band.

    Parameters
    ----------
    table : DataFrame
        With ``y, prob`` and ``prob_<other>``.
    other : str
        The other model.
    low, high : float
        Range of thresholds.

    Returns
    -------
    NetBenefitDifference
        At thresholds 0.01 apart.
    """
    grid = GRID[(low - 1e-9 <= GRID) & (high + 1e-9 >= GRID)]
    return compute_net_benefit_difference(table["y"], table["prob"], table[PREFIX + other], grid)


def compute_node_net_benefit(table: pd.DataFrame) -> DecisionCurveResult:
    """Compute net benefit for node metastasis of the dedicated heads and of axillary ultrasound.

    Parameters
    ----------
    table : DataFrame
        With ``lnm`` and, where known, ``prob_lnm, prob_lnm_without_aln_us, aln_us``.

    Returns
    -------
    DecisionCurveResult
        On the patients that are complete for all of them.
    """
    names = [name for name in NODE_LABELS if name in table and table[name].notna().any()]
    return compute_decision_curve(table["lnm"], {NODE_LABELS[name]: table[name] for name in names}, GRID)


def fit_recurrence_risk(table: pd.DataFrame, horizon: float) -> RecurrenceRisk:
    """Fit the risk of recurrence by a horizon on the development patients of a prediction table.

    Parameters
    ----------
    table : DataFrame
        The whole table: ``split, prob, rfs_months, rfs_event``.
    horizon : float
        Months.

    Returns
    -------
    RecurrenceRisk
        Cox's model with Breslow's baseline hazard at the horizon.
    """
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
    last = np.searchsorted(-time[order], -moments, side="right") - 1
    baseline = float((1 / at_risk[last]).sum())
    return RecurrenceRisk(horizon, coef, baseline, cox.n, cox.events, fitted_on, exploratory)


def list_horizons(table: pd.DataFrame) -> tuple[list[int], int]:
    """List the months that patients are followed beyond, and which of them to start with.

    Parameters
    ----------
    table : DataFrame
        With ``rfs_months``.

    Returns
    -------
    tuple of (list of int, int)
        Of 12, 24, 36 and 60 those below the longest follow-up, at least 12; 36 or, if that is not among them, the last.
    """
    last = table["rfs_months"].max()
    followed = [months for months in HORIZONS if months < last] or [HORIZONS[0]]
    return followed, USUAL_HORIZON if USUAL_HORIZON in followed else followed[-1]


def compute_recurrence_net_benefit(table: pd.DataFrame, risk: RecurrenceRisk) -> DecisionCurveResult | None:
    """Compute net benefit for recurrence by the horizon of a risk model.

    Parameters
    ----------
    table : DataFrame
        With ``prob, rfs_months, rfs_event``.
    risk : RecurrenceRisk
        As `fit_recurrence_risk` gives it.

    Returns
    -------
    DecisionCurveResult or None
        ``1 - exp(-H0 exp(b prob))`` as the risk, at the thresholds of `choose_risk_grid`; None where there is no risk
        model.
    """
    if risk.coef is None or risk.baseline is None:
        return None
    predicted = 1 - np.exp(-risk.baseline * np.exp(risk.coef * table["prob"]))
    grid = choose_risk_grid(predicted)
    return compute_survival_decision_curve(
        table["rfs_months"], table["rfs_event"], {RISK: predicted}, grid, risk.horizon
    )


def choose_risk_grid(risk: ArrayLike) -> Floats:
    """Choose thresholds that fit predicted risks: outside their range every patient is decided alike.

    Parameters
    ----------
    risk : array-like, shape (n,)
        Predicted risks, 0 to 1; outcomes play no part.

    Returns
    -------
    ndarray
        10 to 110 evenly spread thresholds over the middle 95 % of the risks (type-7 quantiles), rounded outward to a
        power of ten. Risks that hardly differ are widened to between half and one and a half times their middle.
    """
    known = np.asarray(risk, dtype=np.float64)
    known = known[np.isfinite(known)]
    low, middle, high = np.quantile(known, [0.025, 0.5, 0.975]) if len(known) else (0.05, 0.15, 0.3)
    middle = min(max(middle, 1e-6), 1 - 1e-6)
    if high - low < middle / 10:
        low, high = middle / 2, min(1.5 * middle, (1 + middle) / 2)
    step = min(10.0 ** np.floor(np.log10((high - low) / 10)), 0.01)
    first, last = max(np.floor(low / step + 1e-6), 1), min(np.ceil(high / step - 1e-6), np.floor(1 / step + 1e-6) - 1)
    return np.arange(first, last + 1) * step
