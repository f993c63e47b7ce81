"""Results as plain JSON values: numbers, strings, lists and None."""

import math
from typing import Any

import numpy as np
import pandas as pd

from core.evaluation.calibration.measures import CalibrationResult
from core.evaluation.cohort.lymph_nodes import LymphNodeResult
from core.evaluation.cohort.split import ModelComparison, SplitEvaluation
from core.evaluation.cohort.survival import (
    SurvivalCurves,
    SurvivalEvaluation,
    SurvivalModels,
    describe_hazards,
    find_changing_terms,
)
from core.evaluation.discrimination.confusion import ConfusionResult
from core.evaluation.discrimination.roc import RocResult
from core.evaluation.survival.cox import CoxResult
from core.evaluation.survival.kaplan_meier import hide_unseen


def render_plain(value: Any) -> Any:
    """Turn a value into plain JSON: no NaN, no infinity, no numpy types.

    Parameters
    ----------
    value : object
        Number, string, None, tuple, list, dict or DataFrame.

    Returns
    -------
    object
        Plain value; a DataFrame becomes a list of dicts.
    """
    if isinstance(value, pd.DataFrame):
        return [render_plain(row) for row in value.to_dict("records")]
    if isinstance(value, dict):
        return {str(key): render_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [render_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def render_split(result: SplitEvaluation) -> dict[str, Any]:
    """Write the results of one split as plain JSON values."""
    threshold = result.threshold
    early = result.early_recurrence
    curve = result.decision_curve
    return render_plain(
        {
            "patients": result.patients,
            "n": result.n,
            "events": result.events,
            "discrimination": render_roc(result.roc),
            "comparisons": [render_comparison(comparison) for comparison in result.comparisons],
            "threshold": {
                "value": threshold.threshold,
                "rule": threshold.rule,
                "chosen_on": threshold.chosen_on,
                "exploratory": threshold.exploratory,
                "reason": threshold.reason,
            },
            "confusion": None if result.confusion is None else render_confusion(result.confusion),
            "calibration": render_calibration(result.calibration),
            "decision_curve": curve.table,
            "decision_curve_n": curve.n,
            "survival": None if result.survival is None else render_survival(result.survival),
            "early_recurrence": None if early is None else vars(early),
            "lymph_nodes": None if result.lymph_nodes is None else render_nodes(result.lymph_nodes),
            "reasons": result.reasons,
        }
    )


def render_roc(roc: RocResult | None) -> dict[str, Any] | None:
    """Write a ROC result, without its curve."""
    if roc is None:
        return None
    fields = ("auc", "auc_se", "auc_ci", "method", "n", "n_pos", "reason")
    return {name: getattr(roc, name) for name in fields}


def render_comparison(comparison: ModelComparison) -> dict[str, Any]:
    """Write the comparison of two models."""
    roc, mcnemar = comparison.roc, comparison.mcnemar
    fields = ("n", "n_pos", "auc_a", "auc_b", "difference", "se", "ci", "z", "p", "reason")
    return {
        "model": comparison.model,
        **{name: getattr(roc, name) for name in fields},
        "p_holm": comparison.p_holm,
        "mcnemar": None if mcnemar is None else vars(mcnemar),
    }


def render_confusion(confusion: ConfusionResult) -> dict[str, Any]:
    """Write a confusion matrix and its metrics."""
    counts = {name: getattr(confusion, name) for name in ("tp", "fp", "fn", "tn")}
    metrics = {
        str(name): {"value": row["value"], "ci": _pair_limits(row["ci_low"], row["ci_high"]), "reason": row["reason"]}
        for name, row in confusion.metrics.to_dict("index").items()
    }
    return {**counts, **metrics}


def _pair_limits(low: float, high: float) -> tuple[float, float] | None:
    return (low, high) if math.isfinite(low) and math.isfinite(high) else None


def render_calibration(calibration: CalibrationResult) -> dict[str, Any]:
    """Write a calibration result, without its curve."""
    terms = {
        name: {
            "est": getattr(calibration, name),
            "se": getattr(calibration, f"{name}_se"),
            "ci": getattr(calibration, f"{name}_ci"),
        }
        for name in ("intercept", "slope")
    }
    fields = (
        "brier",
        "scaled_brier",
        "log_loss",
        "ici",
        "e50",
        "e90",
        "emax",
        "smoother",
        "oe",
        "oe_ci",
        "role",
        "reasons",
        "note",
    )
    return {
        **terms,
        **{name: getattr(calibration, name) for name in fields},
        "hosmer_lemeshow": vars(calibration.hosmer_lemeshow),
        "spiegelhalter": {"z": calibration.spiegelhalter_z, "p": calibration.spiegelhalter_p},
    }


def render_survival(survival: SurvivalEvaluation) -> dict[str, Any]:
    """Write the survival of the predicted groups."""
    return {
        **render_survival_curves(survival.curves),
        **render_survival_models(survival.models, survival.curves),
    }


def render_survival_curves(curves: SurvivalCurves) -> dict[str, Any]:
    """Write curves, tests, restricted means and follow-up; limits where nothing has happened are none."""
    plain, stratified, rmst = curves.logrank, curves.logrank_by_centre, curves.rmst
    return {
        "cuts": curves.cuts,
        "km": hide_unseen(curves.kaplan_meier.curve),
        "at_risk": hide_unseen(curves.kaplan_meier.at_times),
        "medians": curves.kaplan_meier.medians,
        "logrank": {"chisq": plain.chisq, "df": plain.df, "p": plain.p, "table": plain.table, "reason": plain.reason},
        "logrank_by_centre": None
        if stratified is None
        else {"chisq": stratified.chisq, "df": stratified.df, "p": stratified.p, "reason": stratified.reason},
        "rmst": {name: getattr(rmst, name) for name in ("table", "difference", "se", "ci", "p", "reason")},
        "follow_up": vars(curves.follow_up),
    }


def render_survival_models(models: SurvivalModels, curves: SurvivalCurves) -> dict[str, Any]:
    """Write the Cox models with what is to be said of their hazards, and the C index."""
    return {
        "cox": _render_cox(models.cox),
        "cox_adjusted": None if models.cox_adjusted is None else _render_cox(models.cox_adjusted),
        "hazards": describe_hazards(models, curves) or None,
        "c_index": vars(models.concordance),
    }


def _render_cox(cox: CoxResult) -> dict[str, Any]:
    first = cox.table.iloc[0]
    return {
        "term": str(cox.table.index[0]),
        **{name: first[name] for name in ("coef", "se", "hr", "p")},
        "ci": _pair_limits(first["ci_low"], first["ci_high"]),
        "ties": cox.ties,
        "concordance": cox.concordance,
        "n": cox.n,
        "events": cox.events,
        "terms": cox.table.reset_index(),
        "proportional_hazards": cox.proportional_hazards.reset_index(),
        "not_proportional": sorted(find_changing_terms(cox)),
        "reason": cox.reason,
    }


def render_nodes(nodes: LymphNodeResult) -> dict[str, Any]:
    """Write node metastasis by predicted group."""
    fields = ("n", "events", "difference", "difference_ci", "test", "chisq", "p", "p_fisher", "note", "reason")
    comparisons = {
        name: {field: getattr(test, field) for field in ("difference", "se", "ci", "z", "p", "reason")}
        for name, test in nodes.comparisons.items()
    }
    return {
        **{name: getattr(nodes, name) for name in fields},
        "rates": {
            row["group"]: {
                "n": row["n"],
                "events": row["events"],
                "rate": row["rate"],
                "ci": _pair_limits(row["ci_low"], row["ci_high"]),
            }
            for row in nodes.rates.to_dict("records")
        },
        "group_as_classifier": render_confusion(nodes.group_classifier),
        "ki67_probability": render_roc(nodes.ki67_probability),
        "head": render_roc(nodes.head),
        "head_without_aln": render_roc(nodes.head_without_aln),
        "ultrasound": None if nodes.ultrasound is None else render_confusion(nodes.ultrasound),
        "comparisons": comparisons,
    }
