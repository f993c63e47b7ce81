"""Results of discrimination, calibration and net benefit as tables to read."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from core.evaluation import (
    CalibrationResult,
    ConfusionResult,
    DecisionCurveResult,
    ModelComparison,
    OptimismResult,
    RecalibrationResult,
    RocResult,
    SubgroupResult,
)
from core.evaluation.estimate import NOT_ESTIMABLE, write_estimate, write_number, write_p
from core.figures.wording import write_threshold

DECIMALS = 6
METRICS = {
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "ppv": "Positive predictive value",
    "npv": "Negative predictive value",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "f1": "F1",
    "lr_pos": "Positive likelihood ratio",
    "lr_neg": "Negative likelihood ratio",
    "dor": "Diagnostic odds ratio",
    "kappa": "Cohen's kappa",
    "mcc": "Matthews correlation",
}


def tabulate_matrix(confusion: ConfusionResult) -> pd.DataFrame:
    """Lay out the confusion matrix, predictions in rows."""
    c = confusion
    return pd.DataFrame(
        {
            "Prediction": ["Predicted high", "Predicted low", "Total"],
            "Ki-67 high": [c.tp, c.fn, c.tp + c.fn],
            "Ki-67 low": [c.fp, c.tn, c.fp + c.tn],
            "Total": [c.tp + c.fp, c.fn + c.tn, c.n],
        }
    )


def tabulate_confusion(confusion: ConfusionResult) -> pd.DataFrame:
    """List the metrics of a confusion matrix with their intervals, or why there is none."""
    rows = []
    metrics = confusion.metrics.to_dict("index")
    for name, label in METRICS.items():
        row = metrics[name]
        rows.append([label, write_estimate(row["value"], (row["ci_low"], row["ci_high"]), row["reason"], level=None)])
    return pd.DataFrame(rows, columns=["Metric", f"Value ({100 * confusion.conf_level:g} % CI)"])


def tabulate_models(
    rocs: Mapping[str, RocResult], comparisons: Mapping[str, ModelComparison], main: str
) -> pd.DataFrame:
    """Set the models side by side.

    Parameters
    ----------
    rocs : mapping of str to RocResult
        Label to result, the main model first.
    comparisons : mapping of str to ModelComparison
        Label to the main model minus that one.
    main : str
        Label of the main model.

    Returns
    -------
    DataFrame
        A row a model, AUC and the tests against the main one.
    """
    rows = []
    for label, roc in rocs.items():
        other = comparisons.get(label)
        row = [label, f"{roc.n:,}", f"{roc.n_pos:,}", write_estimate(roc.auc, roc.auc_ci, roc.reason, level=None)]
        if other is None:
            rows.append([*row, "", "", ""])
        else:
            mcnemar = "" if other.mcnemar is None else write_p(other.mcnemar.p)
            rows.append(
                [
                    *row,
                    write_estimate(other.roc.difference, other.roc.ci, other.roc.reason, level=None),
                    _write_tests(other),
                    mcnemar,
                ],
            )
    names = ["Score", "n", "Events", "AUC (95 % CI)", f"{main} minus it", "DeLong; Holm", "McNemar"]
    return pd.DataFrame(rows, columns=names)


def tabulate_subgroups(result: SubgroupResult) -> pd.DataFrame:
    """List the subgroups with discrimination and calibration."""
    rows = [
        [
            "All" if row["family"] == "all" else row["family"].replace("_", " ").capitalize(),
            row["level"],
            f"{row['n']:,}",
            f"{row['events']:,}",
            write_estimate(row["auc"], (row["ci_low"], row["ci_high"]), level=None),
            write_number(row["oe"], digits=2),
            write_number(row["slope"], digits=2),
            "" if math.isnan(row["p_holm"]) else write_p(row["p_holm"]),
            row["reason"] or "",
        ]
        for row in result.table.to_dict("records")
    ]
    names = ["Family", "Subgroup", "n", "Events", "AUC (95 % CI)", "O/E", "Slope", "Against the rest; Holm", "Note"]
    return pd.DataFrame(rows, columns=names)


def tabulate_calibration(calibration: CalibrationResult) -> pd.DataFrame:
    """List the figures of calibration, or why there is none."""
    c, test = calibration, calibration.hosmer_lemeshow
    why = c.reasons.get
    curve = " (restricted cubic spline)" if c.smoother == "spline" else ""
    rows = [
        ["Intercept (ideal 0)", write_estimate(c.intercept, c.intercept_ci, why("intercept"), level=None)],
        ["Slope (ideal 1)", write_estimate(c.slope, c.slope_ci, why("slope"), level=None)],
        [
            "Observed over expected (ideal 1)",
            write_estimate(c.oe, c.oe_ci, why("oe") or why("oe_ci"), level=None, digits=3),
        ],
        ["Brier score", write_number(c.brier)],
        ["Scaled Brier score", write_number(c.scaled_brier, reason=why("scaled_brier"))],
        [f"ICI, mean absolute error of the curve{curve}", write_number(c.ici, reason=why("ici"))],
        ["E50, its median", write_number(c.e50, reason=why("e50"))],
        ["E90, its 90th centile", write_number(c.e90, reason=why("e90"))],
        ["Emax, its maximum", write_number(c.emax, reason=why("emax"))],
        ["Spiegelhalter's test", why("spiegelhalter_z") or write_p(c.spiegelhalter_p)],
    ]
    hosmer = f"{NOT_ESTIMABLE}: {test.reason}"
    if test.statistic is not None:
        hosmer = f"chi-squared {test.statistic:.2f}, df {test.df}, {write_p(test.p)}"
    rows.append(["Hosmer-Lemeshow (secondary)", hosmer])
    return pd.DataFrame(rows, columns=["Figure", f"Value ({100 * c.conf_level:g} % CI)"])


def tabulate_optimism(result: OptimismResult) -> pd.DataFrame:
    """Set apparent and optimism-corrected performance side by side."""
    labels = {"auc": "AUC", "brier": "Brier score", "intercept": "Intercept (ideal 0)", "slope": "Slope (ideal 1)"}
    shown = result.table.rename(index=labels).round(3) + 0.0
    names = {"apparent": "Apparent", "optimism": "Optimism", "corrected": "Corrected"}
    return shown.map(write_number).rename(columns=names).rename_axis("Figure").reset_index()


def tabulate_recalibration(result: RecalibrationResult) -> pd.DataFrame:
    """Set calibration before and after an update side by side."""
    before = tabulate_calibration(result.before)
    if result.after is None:
        return before
    value = before.columns[1]
    after = tabulate_calibration(result.after)[value]
    return before.rename(columns={value: "Before"}).assign(**{"After (each tenth updated from the rest)": after})


def pick_thresholds(result: DecisionCurveResult, count: int = 6) -> list[float]:
    """Pick thresholds of a curve, evenly spread, for a table."""
    grid = np.sort(result.table["threshold"].unique())
    return [float(grid[i]) for i in np.unique(np.linspace(0, len(grid) - 1, count).round().astype(int))]


def tabulate_net_benefit(result: DecisionCurveResult, thresholds: Sequence[float]) -> pd.DataFrame:
    """List net benefit of every model at a few thresholds, with the interventions that the main model avoids."""
    table = result.table
    wide = table.assign(threshold=table["threshold"].round(DECIMALS)).pivot_table(
        index="threshold", columns="model", values="net_benefit", sort=False
    )
    chosen = wide.reindex([round(threshold, DECIMALS) for threshold in thresholds])
    shown = chosen.map(write_number).rename(columns={"all": "Treat all", "none": "Treat none"})
    main = next((name for name in wide.columns if name not in {"all", "none"}), None)
    if main is not None:
        rows = table[table["model"] == main].assign(threshold=table["threshold"].round(DECIMALS)).set_index("threshold")
        avoided = rows["interventions_avoided"].reindex(chosen.index)
        shown[f"{main}: interventions avoided per 100"] = [write_number(value, digits=1) for value in avoided]
    shown.insert(0, "Threshold", [write_threshold(threshold) for threshold in chosen.index])
    return shown.reset_index(drop=True).rename_axis(columns=None)


def _write_tests(comparison: ModelComparison) -> str:
    if comparison.roc.p is None:
        return comparison.roc.reason or NOT_ESTIMABLE
    return f"{write_p(comparison.roc.p)}; {write_p(comparison.p_holm)}"
