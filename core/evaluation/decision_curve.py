"""Decision curves: the net benefit of acting on a model, on everybody and on nobody."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.errors import InputError
from core.evaluation.checks import Floats, prepare_column, prepare_outcome, prepare_survival
from core.evaluation.survival.life_table import build_life_table, read_survival

ALL, NONE = "all", "none"


@dataclass(frozen=True, eq=False)
class DecisionCurveResult:
    """Net benefit over thresholds.

    Attributes
    ----------
    table : DataFrame
        ``model, threshold, n, tp_rate, fp_rate, net_benefit, standardized_net_benefit, interventions_avoided`` (per 100
        patients, against treating all); the models "all" and "none" are in it.
    n : int
        Patients complete for the outcome and every model.
    n_excluded : int
        Patients left out.
    prevalence : float or None
        Share of positives, observed or given; Kaplan-Meier risk at the horizon for a survival outcome.
    horizon : float or None
        Time of a survival outcome.
    reason : str or None
        Why something could not be estimated.
    """

    table: pd.DataFrame
    n: int
    n_excluded: int
    prevalence: float | None
    horizon: float | None = None
    reason: str | None = None


@dataclass(frozen=True, eq=False)
class NetBenefitDifference:
    """Difference in net benefit of two models, with a pointwise bootstrap band.

    Attributes
    ----------
    table : DataFrame
        ``threshold, difference, ci_low, ci_high``; first model minus second.
    n, n_boot : int
        Patients and replicates.
    reason : str or None
        Why there is none.
    """

    table: pd.DataFrame
    n: int
    n_boot: int
    reason: str | None = None


def compute_decision_curve(
    y: ArrayLike,
    models: Mapping[str, ArrayLike],
    thresholds: ArrayLike,
    *,
    prevalence: float | None = None,
    harm: Mapping[str, float] | None = None,
) -> DecisionCurveResult:
    """Compute net benefit for several models of the same patients.

    Parameters
    ----------
    y : array-like, shape (n,)
        Outcome, 1 for the positive class.
    models : mapping of str to array-like, shape (n,)
        Name to predicted probability.
    thresholds : array-like
        Threshold probabilities strictly inside (0, 1).
    prevalence : float, optional
        Prevalence of the target population, for a case-control sample.
    harm : mapping of str to float, optional
        Model name to the harm of using it, in units of net benefit.

    Returns
    -------
    DecisionCurveResult
        The table; NaN with a reason where there is nobody, or one class under a given prevalence.

    Raises
    ------
    InputError
        If a threshold, a probability, the outcome or a name does not fit.

    Notes
    -----
    ``TP/n - FP/n pt / (1 - pt) - harm``; Vickers and Elkin, Med Decis Making 2006;26:565-574.
    """
    grid = prepare_thresholds(thresholds)
    _check_models(models, harm, prevalence)
    outcome, columns, keep = prepare_outcome(y, *models.values(), probability=True)
    n, events = len(outcome), float(outcome.sum())
    rate = prevalence if prevalence is not None else (events / n if n else None)
    reason = "No patient has an outcome and every probability." if not n else None
    if prevalence is not None and events in {0, n}:
        reason = "A given prevalence needs patients of both classes."
    table = []
    for name, column in {ALL: np.ones(n), NONE: np.zeros(n), **dict(zip(models, columns, strict=True))}.items():
        tp, fp = _count_positive(outcome, column, grid, prevalence)
        if reason:
            tp, fp = np.full(len(grid), np.nan), np.full(len(grid), np.nan)
        table.append(_form_rows(name, grid, n, tp, fp, (harm or {}).get(name, 0.0)))
    return DecisionCurveResult(_add_comparisons(table, rate), n, int((~keep).sum()), rate, reason=reason)


def compute_survival_decision_curve(
    time: ArrayLike,
    event: ArrayLike,
    models: Mapping[str, ArrayLike],
    thresholds: ArrayLike,
    horizon: float,
    *,
    unit: str = "months",
) -> DecisionCurveResult:
    """Compute net benefit for an outcome by a horizon, with censoring.

    Parameters
    ----------
    time, event : array-like, shape (n,)
        Follow-up and event (1) or censoring (0).
    models : mapping of str to array-like, shape (n,)
        Name to predicted risk of an event by the horizon.
    thresholds : array-like
        Threshold probabilities strictly inside (0, 1).
    horizon : float
        In the unit of `time`.
    unit : str
        Unit of `time`, for the sentences.

    Returns
    -------
    DecisionCurveResult
        NaN with a reason where nobody above a threshold is followed to the horizon.

    Raises
    ------
    InputError
        If an input does not fit.

    Notes
    -----
    ``TP = F(x >= pt) P(x >= pt)``, F the Kaplan-Meier risk among those above the threshold; Vickers et al., BMC Med
    Inform Decis Mak 2008;8:53.
    """
    grid = prepare_thresholds(thresholds)
    _check_models(models, None, None)
    if not horizon > 0:
        raise InputError(f"The horizon is {horizon:g}; give a time above 0.")
    times, events, columns, keep = prepare_survival(time, event, *models.values())
    for column in columns:
        prepare_outcome(events, column, probability=True)
    n = len(times)
    rate = _compute_risk(times, events, horizon)
    table = []
    for name, column in {ALL: np.ones(n), NONE: np.zeros(n), **dict(zip(models, columns, strict=True))}.items():
        share = np.array([(column >= t).mean() if n else np.nan for t in grid])
        risk = np.array([_compute_risk(times[column >= t], events[column >= t], horizon) for t in grid], dtype=float)
        tp = np.where(share == 0, 0.0, risk * share)
        table.append(_form_rows(name, grid, n, tp, share - tp, 0.0))
    reason = None
    if rate is None:
        reason = (
            f"Nobody is followed to {horizon:g} {unit}." if n else "No patient has a time, an event and every risk."
        )
    elif any(rows["net_benefit"].isna().any() for rows in table):
        reason = f"Above some thresholds nobody is followed to {horizon:g} {unit}: no net benefit there."
    return DecisionCurveResult(_add_comparisons(table, rate), n, int((~keep).sum()), rate, float(horizon), reason)


def compute_net_benefit_difference(
    y: ArrayLike,
    prob_a: ArrayLike,
    prob_b: ArrayLike,
    thresholds: ArrayLike,
    *,
    n_boot: int = 1000,
    seed: int = 0,
) -> NetBenefitDifference:
    """Compute the difference in net benefit of two models with a bootstrap band.

    Parameters
    ----------
    y : array-like, shape (n,)
        Outcome, 1 for the positive class.
    prob_a, prob_b : array-like, shape (n,)
        Predicted probabilities of the same patients.
    thresholds : array-like
        Threshold probabilities strictly inside (0, 1).
    n_boot, seed : int
        Replicates (patients drawn with replacement) and seed.

    Returns
    -------
    NetBenefitDifference
        First minus second.

    Notes
    -----
    Patients of one outcome whose probabilities lie between the same thresholds are interchangeable, so that groups of
    them are drawn, with multinomial counts, in place of single patients.
    """
    grid = prepare_thresholds(thresholds)
    outcome, (first, second), _ = prepare_outcome(y, prob_a, prob_b, probability=True)
    n = len(outcome)
    if not n:
        empty = pd.DataFrame(columns=["threshold", "difference", "ci_low", "ci_high"], dtype=np.float64)
        return NetBenefitDifference(empty, 0, n_boot, "No patient has an outcome and both probabilities.")
    worth, count = _group_alike(outcome, first, second, grid)
    draws = np.random.default_rng(seed).multinomial(n, count / n, size=n_boot) @ worth / n
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    table = pd.DataFrame({"threshold": grid, "difference": count @ worth / n, "ci_low": low, "ci_high": high})
    return NetBenefitDifference(table, n, n_boot)


def prepare_thresholds(thresholds: ArrayLike) -> Floats:
    """Check threshold probabilities: strictly inside (0, 1)."""
    grid = np.atleast_1d(prepare_column(np.atleast_1d(np.asarray(thresholds)), "thresholds"))
    if not len(grid) or not ((grid > 0) & (grid < 1)).all():
        raise InputError(
            "A threshold probability lies outside 0 to 1 or on its edge; give values such as 0.05 to 0.95."
        )
    return grid


def _check_models(models: Mapping[str, ArrayLike], harm: Mapping[str, float] | None, prevalence: float | None) -> None:
    taken = {ALL, NONE} & set(models)
    if taken:
        raise InputError(f"A model is named '{taken.pop()}', which stands for treating {ALL} or {NONE}; rename it.")
    unknown = set(harm or {}) - set(models)
    if unknown:
        raise InputError(f"A harm is given for '{unknown.pop()}', which is not among the models.")
    if prevalence is not None and not 0 < prevalence < 1:
        raise InputError(f"The prevalence is {prevalence:g}; give a share between 0 and 1.")


def _group_alike(y: Floats, first: Floats, second: Floats, grid: Floats) -> tuple[Floats, Floats]:
    """Group patients whom no threshold tells apart: what each group adds at each threshold (g, t), its size (g,)."""
    order = np.argsort(grid)
    passed = [np.searchsorted(grid[order], prob, side="right") for prob in (first, second)]
    kinds, count = np.unique(np.column_stack([y, *passed]), axis=0, return_counts=True)
    rank = np.argsort(order)
    gain = (kinds[:, 1:2] > rank).astype(np.float64) - (kinds[:, 2:3] > rank)
    return gain * np.where(kinds[:, :1] == 1, 1.0, -grid / (1 - grid)), count.astype(np.float64)


def _count_positive(y: Floats, prob: Floats, grid: Floats, prevalence: float | None) -> tuple[Floats, Floats]:
    cases, controls = np.sort(prob[y == 1]), np.sort(prob[y == 0])
    tp = (len(cases) - np.searchsorted(cases, grid, side="left")).astype(float)
    fp = (len(controls) - np.searchsorted(controls, grid, side="left")).astype(float)
    if prevalence is None:
        return tp / max(len(y), 1), fp / max(len(y), 1)
    return tp / max(len(cases), 1) * prevalence, fp / max(len(controls), 1) * (1 - prevalence)


def _compute_risk(time: Floats, event: Floats, horizon: float) -> float | None:
    if not len(time):
        return None
    survival = float(read_survival(build_life_table(time, event), np.array([horizon]))[0])
    return None if np.isnan(survival) else 1 - survival


def _form_rows(name: str, grid: Floats, n: int, tp: Floats, fp: Floats, harm: float) -> pd.DataFrame:
    benefit = tp - fp * grid / (1 - grid) - harm
    return pd.DataFrame(
        {"model": name, "threshold": grid, "n": n, "tp_rate": tp, "fp_rate": fp, "net_benefit": benefit}
    )


def _add_comparisons(rows: list[pd.DataFrame], rate: float | None) -> pd.DataFrame:
    table = pd.concat(rows, ignore_index=True)
    treat_all = np.tile(rows[0]["net_benefit"].to_numpy(), len(rows))
    odds = table["threshold"] / (1 - table["threshold"])
    table["standardized_net_benefit"] = table["net_benefit"] / rate if rate else np.nan
    table["interventions_avoided"] = 100 * (table["net_benefit"] - treat_all) / odds
    return table
