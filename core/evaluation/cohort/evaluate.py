"""The evaluation of a prediction table as plain JSON values, split by split."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.cohort.predictions import read_predictions
from core.errors import TableError
from core.evaluation.calibration.measures import CalibrationResult
from core.evaluation.cohort.lymph_nodes import LymphNodeResult
from core.evaluation.cohort.split import (
    FITTED_ON,
    ModelComparison,
    SplitEvaluation,
    SurvivalEvaluation,
    choose_cohort_threshold,
    compute_split,
)
from core.evaluation.cohort.subgroups import compute_subgroups, cut_levels
from core.evaluation.cohort.table_one import ORDER
from core.evaluation.discrimination.confusion import ConfusionResult
from core.evaluation.discrimination.roc import RocResult
from core.evaluation.discrimination.threshold import ThresholdResult
from core.evaluation.survival.cox import CoxResult
from core.evaluation.survival.kaplan_meier import hide_unseen

SUBGROUP_EDGES = {"age": ([50.0, 65.0], "years"), "size_mm": ([20.0, 50.0], "mm")}


def evaluate_file(path: Path, *, by: str | None = None, threshold: float | None = None) -> dict[str, Any]:
    """Evaluate a file of predictions.

    Parameters
    ----------
    path : Path
        CSV or XLSX, one row a patient.
    by : str, optional
        Column of subgroups, such as ``centre``.
    threshold : float, optional
        Threshold fixed beforehand; else it is chosen on the development splits.

    Returns
    -------
    dict
        As `evaluate_cohort` gives it.
    """
    return evaluate_cohort(read_predictions(path).table, by=by, threshold=threshold)


def evaluate_cohort(
    table: pd.DataFrame, *, by: str | None = None, threshold: float | ThresholdResult | None = None
) -> dict[str, Any]:
    """Evaluate a prediction table.

    Parameters
    ----------
    table : DataFrame
        One row a patient: ``split, y, prob`` and what else the table of predictions may hold.
    by : str, optional
        Column of subgroups; age and size are cut at fixed edges.
    threshold : float or ThresholdResult, optional
        Threshold fixed beforehand; else Youden's on the development splits, or, marked exploratory, on the table.

    Returns
    -------
    dict of str to dict
        Split to its figures; numbers, strings, lists and None only. `reason` or `reasons` say why something is None.

    Raises
    ------
    TableError
        If a column is lacking or there are no rows.
    """
    lacking = [name for name in ("split", "y", "prob", *([by] if by else [])) if name not in table]
    if lacking:
        raise TableError(
            f"The prediction table has no column {' and '.join(lacking)}; add it or map another column to it."
        )
    if table.empty:
        raise TableError("The prediction table has no rows; give one row a patient.")
    if table["y"].isna().all():
        raise TableError(f"None of the {len(table):,} patients has a known Ki-67 status; nothing can be judged.")
    if isinstance(threshold, float | int):
        threshold = ThresholdResult(float(threshold), "given", chosen_on="fixed beforehand")
    cut = threshold or choose_cohort_threshold(table)
    present = set(table["split"])
    splits = [name for name in ORDER if name in present] + sorted(present - set(ORDER))
    result = {}
    for split in splits:
        part = table[table["split"] == split]
        result[str(split)] = render_split(compute_split(part, cut, development=split == FITTED_ON))
        if by:
            result[str(split)]["by"] = _render_levels(part, by, cut, development=split == FITTED_ON)
    return result


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


def _render_levels(part: pd.DataFrame, by: str, cut: ThresholdResult, *, development: bool) -> dict[str, Any]:
    labels = part[by]
    if by in SUBGROUP_EDGES:
        labels = cut_levels(labels, *SUBGROUP_EDGES[by]).set_axis(part.index)
    table = compute_subgroups(part["y"], part["prob"], {by: labels}).table
    levels = table.loc[table["family"] == by, "level"]
    return {
        "column": by,
        "subgroups": render_plain(table),
        "levels": {
            level: render_split(compute_split(part[labels.astype("string") == level], cut, development=development))
            for level in levels
        },
    }


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
    plain, stratified, curve = survival.logrank, survival.logrank_by_centre, survival.kaplan_meier
    return {
        "km": hide_unseen(curve.curve),
        "at_risk": hide_unseen(curve.at_times),
        "medians": curve.medians,
        "logrank": {"chisq": plain.chisq, "df": plain.df, "p": plain.p, "table": plain.table, "reason": plain.reason},
        "logrank_by_centre": None
        if stratified is None
        else {"chisq": stratified.chisq, "df": stratified.df, "p": stratified.p, "reason": stratified.reason},
        "cox": _render_cox(survival.cox),
        "cox_adjusted": None if survival.cox_adjusted is None else _render_cox(survival.cox_adjusted),
        "follow_up": vars(survival.follow_up),
        "c_index": vars(survival.concordance),
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
