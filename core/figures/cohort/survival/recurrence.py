"""Recurrence: Cox models of the predicted group, early recurrence, and the decision curve of the risk."""

from dataclasses import dataclass
from typing import ClassVar, Self

import pandas as pd
import plotly.graph_objects as go

from core.evaluation import (
    CoxResult,
    DecisionCurveResult,
    SurvivalModels,
    TimeAucResult,
    compute_survival_models,
    compute_time_auc,
)
from core.evaluation.cohort.labels import label_variable
from core.evaluation.cohort.net_benefit import (
    RecurrenceRisk,
    compute_recurrence_net_benefit,
    fit_recurrence_risk,
    list_horizons,
)
from core.evaluation.cohort.records import pair_limits
from core.evaluation.cohort.survival import END_POINT, describe_hazards, find_changing_terms
from core.evaluation.estimate import write_estimate, write_p
from core.figures.cohort.decision_curve import BenefitExhibit
from core.figures.cohort.exhibit import Exhibit, Patients
from core.figures.wording import caution_few, word_count, write_threshold

EVENTS_A_TERM = 10


@dataclass(frozen=True, eq=False)
class CoxExhibit(Exhibit):
    """Cox models of the predicted group, alone and adjusted, and the C index of the probability."""

    result: SurvivalModels  # the models
    cut: float  # probability from which a patient is in the group high
    name: ClassVar[str] = "cox"
    title: ClassVar[str] = "Cox models"
    needs: ClassVar[tuple[str, ...]] = END_POINT
    needs_groups: ClassVar[bool] = True
    ask: ClassVar[str] = "Compute Cox models and the C index"

    @classmethod
    def of(cls, patients: Patients, *, cuts: tuple[float, ...] = (), **_: object) -> Self:
        """Fit the models of the group above a page's one cut, else above the threshold."""
        cut = float(cuts[0] if len(cuts) == 1 else patients.threshold.threshold or 0)
        return cls(patients.name, compute_survival_models(patients.table, cut), cut)

    def sentence(self) -> str:
        """Say the C index, Harrell's and Uno's."""
        index, uno = self.result.concordance, self.result.uno
        harrell, weighed = (write_estimate(c.c, c.ci, (c.reason or "").rstrip(".")) for c in (index, uno))
        counts = f"n = {index.n:,}, {word_count(index.events, 'event')}"
        return (
            f"In {self.cohort} the C index of the probability was {harrell} (Harrell); up to {uno.horizon:g} months, "
            f"weighed for censoring, {weighed} (Uno); {counts}."
        )

    def cautions(self) -> list[str]:
        """Say which models have too few events for their terms, and whose hazards are not proportional.

        Fewer than 10 events a term: Peduzzi et al., J Clin Epidemiol 1995;48:1503-1510.
        """
        weak = " ".join(
            f"{name}: {word_count(cox.events, 'event')} for {word_count(len(cox.table), 'term')}, fewer than "
            f"{EVENTS_A_TERM} a term; read its hazard ratios as unstable."
            for name, cox in self.result.named.items()
            if cox.reason is None and cox.events < EVENTS_A_TERM * len(cox.table)
        )
        few = caution_few("C index", self.result.concordance.events)
        return [text for text in (*few, weak, describe_hazards(self.result)) if text]

    def notes(self) -> list[str]:
        """Say where the groups are cut: curves by tertiles have other groups."""
        return [f"In the Cox models high is a probability of {self.cut:.3f} or more."]

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give the hazard ratios with the test of proportional hazards."""
        rows = []
        for name, cox in self.result.named.items():
            for term, row in cox.table.iterrows():
                ratio = write_estimate(row["hr"], (row["ci_low"], row["ci_high"]), cox.reason, digits=2, level=None)
                tests = [write_p(row["p"]), write_p(cox.proportional_hazards["p"].get(term))]
                rows.append([name, f"{cox.n:,}", f"{cox.events:,}", label_variable(str(term)), ratio, *tests])
        names = ["Model", "n", "Events", "Term", "Hazard ratio (95 % CI)", "p", "Proportional hazards"]
        return {"Hazard ratios of the predicted group, alone and adjusted": pd.DataFrame(rows, columns=names)}

    def record(self) -> dict[str, object]:
        """Give the models with what is to be said of their hazards, and the C index."""
        models = self.result
        return {
            "survival": {
                "cox_cut": self.cut,
                "cox": _render_cox(models.cox),
                "cox_adjusted": models.cox_adjusted and _render_cox(models.cox_adjusted),
                "hazards": describe_hazards(models) or None,
                "c_index": vars(models.concordance),
                "c_index_uno": vars(models.uno),
            }
        }


@dataclass(frozen=True, eq=False)
class EarlyExhibit(Exhibit):
    """How well the probability tells early recurrence."""

    result: TimeAucResult
    name: ClassVar[str] = "early_recurrence"
    title: ClassVar[str] = "Early recurrence"
    keys: ClassVar[tuple[str, ...]] = ("early_recurrence",)
    needs: ClassVar[tuple[str, ...]] = END_POINT

    @classmethod
    def of(cls, patients: Patients, **_: object) -> Self:
        """Compute the time-dependent AUC at 6 months."""
        table = patients.table
        return cls(patients.name, compute_time_auc(table["rfs_months"], table["rfs_event"], table["prob"]))

    def sentence(self) -> str:
        """Say the AUC with its interval and events."""
        r = self.result
        followed = f"{word_count(r.at_risk, 'patient')} followed beyond"
        events = f"{word_count(r.events, 'recurrence')} by {r.horizon:g} months, {followed}"
        auc = write_estimate(r.auc, r.ci, r.reason)
        text = f"In {self.cohort} the time-dependent AUC at {r.horizon:g} months was {auc}; n = {r.n:,}, {events}."
        return f"{text} {r.reason}" if r.reason and r.ci else text

    def cautions(self) -> list[str]:
        """Say that few events make it unstable."""
        few = "Fewer than 10 early recurrences: read the estimate as unstable, not as evidence."
        return [few] if self.result.unstable else []

    def record(self) -> dict[str, object]:
        """Give the estimate."""
        return {"early_recurrence": vars(self.result)}


@dataclass(frozen=True, eq=False)
class RecurrenceBenefitExhibit(Exhibit):
    """Net benefit of the risk of recurrence by a horizon; without a risk it says why there is none."""

    risk: RecurrenceRisk
    benefit: BenefitExhibit | None
    name: ClassVar[str] = "recurrence_decision_curve"
    title: ClassVar[str] = "Decision curve for recurrence"
    needs: ClassVar[tuple[str, ...]] = END_POINT

    @classmethod
    def of(cls, patients: Patients, *, horizon: float | None = None, **_: object) -> Self:
        """Fit the risk on the cohort's development patients and compute its net benefit."""
        risk = fit_recurrence_risk(patients.whole, horizon or list_horizons(patients.table)[1])
        result = compute_recurrence_net_benefit(patients.table, risk)
        benefit = None if result is None else BenefitExhibit(patients.name, result, _find_range(result))
        return cls(patients.name, risk, benefit)

    def figure(self) -> go.Figure | None:
        """Draw net benefit over the thresholds that fit the risks."""
        return self.benefit and self.benefit.figure()

    def sentence(self) -> str:
        """Say where the risk is worth more than treating all and none."""
        return self.benefit.sentence() if self.benefit else self._describe_risk()

    def notes(self) -> list[str]:
        """Say where the risk and the range of thresholds come from."""
        return [self._describe_risk()] if self.benefit else []

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give net benefit at a few thresholds."""
        return self.benefit.tables() if self.benefit else {}

    def data(self) -> pd.DataFrame:
        """Give the curves."""
        return self.benefit.data() if self.benefit else pd.DataFrame()

    def record(self) -> dict[str, object]:
        """Give the risk model and the curves."""
        curve = {"decision_curve": self.benefit.result.table, "n": self.benefit.result.n} if self.benefit else {}
        return {"recurrence_decision_curve": {"risk": vars(self.risk), **curve}}

    def _describe_risk(self) -> str:
        if self.benefit is None:
            return describe_risk(self.risk)
        low, high = map(write_threshold, self.benefit.limits)
        return (
            f"{describe_risk(self.risk)} Thresholds from {low} to {high}: the range of the middle 95 % of these "
            "patients' predicted risks."
        )


def describe_risk(risk: RecurrenceRisk) -> str:
    """Say where a risk of recurrence comes from, or why there is none."""
    fitted = f"{risk.fitted_on} (n = {risk.n:,}, {word_count(risk.events, 'recurrence')})"
    if risk.coef is None or risk.baseline is None:
        return f"No risk of recurrence could be fitted on {fitted}: {risk.reason}"
    optimistic = " Evaluated on the same patients it is exploratory and optimistic." if risk.exploratory else ""
    return (
        f"Risk of recurrence within {risk.horizon:g} months by a Cox model on the probability of high Ki-67, "
        f"fitted on {fitted}.{optimistic}"
    )


def _find_range(result: DecisionCurveResult) -> tuple[float, float]:
    return float(result.table["threshold"].min()), float(result.table["threshold"].max())


def _render_cox(cox: CoxResult) -> dict[str, object]:
    first = cox.table.iloc[0]
    return {
        "term": str(cox.table.index[0]),
        **{name: first[name] for name in ("coef", "se", "hr", "p")},
        "ci": pair_limits(first["ci_low"], first["ci_high"]),
        "ties": cox.ties,
        "concordance": cox.concordance,
        "n": cox.n,
        "events": cox.events,
        "terms": cox.table.reset_index(),
        "proportional_hazards": cox.proportional_hazards.reset_index(),
        "not_proportional": sorted(find_changing_terms(cox)),
        "reason": cox.reason,
    }
