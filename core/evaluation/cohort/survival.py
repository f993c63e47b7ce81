"""Recurrence-free survival by groups of the probability: curves and tests, and the models of the predicted group."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.evaluation.cohort.labels import label_variable, write_within
from core.evaluation.estimate import write_estimate, write_p
from core.evaluation.survival.concordance import (
    ConcordanceResult,
    compute_concordance,
    compute_uno_concordance,
)
from core.evaluation.survival.cox import CoxResult, compute_cox
from core.evaluation.survival.cumulative_incidence import IncidenceResult, compute_cumulative_incidence
from core.evaluation.survival.follow_up import FollowUpResult, RmstResult, compute_follow_up, compute_rmst
from core.evaluation.survival.kaplan_meier import KaplanMeierResult, compute_kaplan_meier
from core.evaluation.survival.logrank import LogRankResult, compute_logrank

END_POINT = ("rfs_months", "rfs_event")
HIGH, LOW = "high", "low"
TERTILES = ("lowest tertile", "middle tertile", "highest tertile")
ADJUSTED_FOR = ("age", "size_mm", "lnm")
NOT_PROPORTIONAL = 0.05
N_TIMES = 60


@dataclass(frozen=True, eq=False)
class SurvivalCurves:
    """Recurrence-free survival by groups that are known at time zero.

    Attributes
    ----------
    cuts : tuple of float
        Cuts of the probability between the groups.
    kaplan_meier : KaplanMeierResult
        Curves, numbers at risk, medians.
    logrank, logrank_by_centre : LogRankResult, LogRankResult or None
        Plain and, with several centres, stratified by centre.
    follow_up : FollowUpResult
        Median follow-up.
    rmst : RmstResult
        Restricted mean up to the last whole year in which every group is followed.
    """

    cuts: tuple[float, ...]
    kaplan_meier: KaplanMeierResult
    logrank: LogRankResult
    logrank_by_centre: LogRankResult | None
    follow_up: FollowUpResult
    rmst: RmstResult


@dataclass(frozen=True, eq=False)
class SurvivalModels:
    """Models of recurrence-free survival.

    Attributes
    ----------
    cox, cox_adjusted : CoxResult, CoxResult or None
        Group high against low; alone, and with age, size and node status where they are known.
    concordance, uno : ConcordanceResult
        C index of the probability, Harrell's, and Uno's up to the horizon of the restricted means.
    rmst : RmstResult
        Restricted means of the two groups, to read where hazards are not proportional.
    """

    cox: CoxResult
    cox_adjusted: CoxResult | None
    concordance: ConcordanceResult
    uno: ConcordanceResult
    rmst: RmstResult

    @property
    def named(self) -> dict[str, CoxResult]:
        """The Cox models by name."""
        adjusted = {} if self.cox_adjusted is None else {"Multivariable": self.cox_adjusted}
        return {"Univariable": self.cox, **adjusted}


def compute_survival_curves(table: pd.DataFrame, cuts: tuple[float, ...]) -> SurvivalCurves:
    """Compute recurrence-free survival by groups of the probability.

    Parameters
    ----------
    table : DataFrame
        With ``prob, rfs_months, rfs_event`` and, where known, ``centre``.
    cuts : tuple of float
        One cut makes the groups low and high, two make tertiles; a value at the cut lies above it.

    Returns
    -------
    SurvivalCurves
        Curves and tests.
    """
    known = table[table["prob"].notna()]
    time, event = known["rfs_months"], known["rfs_event"]
    group = _group(known["prob"], cuts)
    last = float(time.max()) if time.notna().any() else 0.0
    times = np.arange(0.0, last + 1e-9, choose_step(last))
    centre = known["centre"] if "centre" in known and known["centre"].nunique() > 1 else None
    return SurvivalCurves(
        cuts,
        compute_kaplan_meier(time, event, group, times=times),
        compute_logrank(time, event, group),
        None if centre is None else compute_logrank(time, event, group, strata=centre),
        compute_follow_up(time, event),
        compute_rmst(time, event, group, tau=_choose_tau(time, event, group)),
    )


def compute_survival_models(table: pd.DataFrame, cut: float) -> SurvivalModels:
    """Fit the Cox models of the predicted group, and compute the C index of the probability.

    Parameters
    ----------
    table : DataFrame
        With ``prob, rfs_months, rfs_event`` and, where known, ``age, size_mm, lnm``.
    cut : float
        Group high is prob >= cut.

    Returns
    -------
    SurvivalModels
        Models and index.
    """
    known = table[table["prob"].notna()]
    time, event = known["rfs_months"], known["rfs_event"]
    terms = pd.DataFrame({HIGH: (known["prob"] >= cut).astype(float)})
    adjusted = [name for name in ADJUSTED_FOR if name in known and known[name].nunique() > 1]
    group = _group(known["prob"], (cut,))
    tau = _choose_tau(time, event, group)
    return SurvivalModels(
        compute_cox(time, event, terms),
        compute_cox(time, event, terms.join(known[adjusted])) if adjusted else None,
        compute_concordance(time, event, known["prob"]),
        compute_uno_concordance(time, event, known["prob"], tau),
        compute_rmst(time, event, group, tau=tau),
    )


def _group(prob: "pd.Series[float]", cuts: tuple[float, ...]) -> "pd.Categorical[Any]":
    codes = np.searchsorted(np.asarray(cuts), prob, side="right")
    return pd.Categorical.from_codes(codes, categories=pd.Index((LOW, HIGH) if len(cuts) == 1 else TERTILES))


def _choose_tau(time: "pd.Series[float]", event: "pd.Series[float]", group: pd.Categorical) -> float:
    """Choose the last whole year in which every group is followed, at least half a year."""
    reached = time.where(event.notna()).groupby(group.codes).max().min()
    return float(max(12.0 * np.floor(reached / 12), 6.0)) if np.isfinite(reached) else 12.0


def compute_incidence_curves(table: pd.DataFrame, cut: float) -> IncidenceResult:
    """Compute the cumulative incidence of recurrence beside the competing event; group high is prob >= cut.

    At sixty times and those of the survival curves, from ``prob, rfs_months, rfs_event, rfs_competing``.
    """
    known = table[table["prob"].notna() & table["rfs_months"].notna()]
    last = float(known["rfs_months"].max())
    times = np.union1d(np.arange(0.0, last + 1e-9, choose_step(last)), np.linspace(0, last, N_TIMES))
    time, event, competing = (known[name] for name in (*END_POINT, "rfs_competing"))
    return compute_cumulative_incidence(time, event, competing, _group(known["prob"], (cut,)), times=times)


def choose_step(last: float) -> float:
    """Choose the months between the times at which survival is read, for a longest follow-up of `last` months."""
    return next((step for step, least in ((12.0, 36.0), (6.0, 12.0), (3.0, 6.0)) if last > least), 1.0)


def find_changing_terms(cox: CoxResult) -> dict[str, float]:
    """Find the terms whose hazards are not proportional: p below 0.05 in the score test; "GLOBAL" if only all are."""
    p_values = cox.proportional_hazards["p"]
    changing = {str(term): float(p) for term, p in p_values.items() if p < NOT_PROPORTIONAL}
    single = {term: p for term, p in changing.items() if term != "GLOBAL"}
    return single or changing


def describe_hazards(models: SurvivalModels) -> str:
    """Say which models' hazards are not proportional, with the restricted means beside; empty if all are."""
    parts = []
    for name, cox in models.named.items():
        changing = find_changing_terms(cox)
        if changing:
            terms = " and ".join(f"{_name_term(term)} ({write_p(p)})" for term, p in changing.items())
            parts.append(
                f"{name} Cox model: hazards are not proportional for {terms}; "
                "the hazard ratio is an average over a follow-up in which it changes."
            )
    return " ".join([*parts, describe_rmst(models.rmst)]) if parts else ""


def describe_rmst(rmst: RmstResult) -> str:
    """Say the restricted mean of each group up to one time, and the difference of two groups."""
    if rmst.table.empty:
        return f"No restricted mean could be computed. {rmst.reason or ''}".strip()
    rows = rmst.table.to_dict("records")
    means = [
        f"{row['group']} {write_estimate(row['rmst'], (row['ci_low'], row['ci_high']), explain_rmst(row), digits=1)}"
        for row in rows
    ]
    text = f"Mean recurrence-free time up to {rows[0]['tau']:g} months: {'; '.join(means)} months."
    if rmst.difference is None or len(rows) != 2:
        return text
    difference = write_estimate(rmst.difference, rmst.ci, digits=1)
    return (
        f"{text} {str(rows[0]['group']).capitalize()} minus {rows[1]['group']}: {difference} months, {write_p(rmst.p)}."
    )


def explain_rmst(row: Mapping[Hashable, object]) -> str:
    """Say why a group has no restricted mean, or none with an interval."""
    return "no event until then" if row["se"] == 0 else "not followed so long"


def _name_term(term: str) -> str:
    return "all terms together" if term == "GLOBAL" else write_within(label_variable(term))
