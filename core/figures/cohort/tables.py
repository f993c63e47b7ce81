"""Results of discrimination, calibration and net benefit as tables to read."""

import math
from collections.abc import Mapping, Sequence

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
from core.figures.wording import word_p

DASH = "not estimable"
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


def write_number(value: float | None, interval: Sequence[float] | None = None, digits: int = 3) -> str:
    """Write an estimate with its interval in brackets; "not estimable" without a value.

    Parameters
    ----------
    value : float or None
        Estimate.
    interval : sequence of float, optional
        Lower and upper limit.
    digits : int
        Decimals.

    Returns
    -------
    str
        For example "0.828 (0.761 to 0.890)".
    """
    if value is None or not math.isfinite(value):
        return DASH
    if interval is None or not all(math.isfinite(limit) for limit in interval):
        return f"{value:.{digits}f}"
    return f"{value:.{digits}f} ({interval[0]:.{digits}f} to {interval[1]:.{digits}f})"


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
        value = write_number(row["value"], (row["ci_low"], row["ci_high"]))
        rows.append([label, f"{value}: {row['reason']}" if value == DASH and row["reason"] else value])
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
        row = [label, f"{roc.n:,}", f"{roc.n_pos:,}", write_number(roc.auc, roc.auc_ci)]
        if other is None:
            rows.append([*row, "", "", ""])
        else:
            mcnemar = "" if other.mcnemar is None else word_p(other.mcnemar.p)
            rows.append(
                [*row, write_number(other.roc.difference, other.roc.ci), _write_tests(other), mcnemar],
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
            write_number(row["auc"], (row["ci_low"], row["ci_high"])),
            write_number(row["oe"], digits=2),
            write_number(row["slope"], digits=2),
            "" if math.isnan(row["p_holm"]) else word_p(row["p_holm"]),
            row["reason"] or "",
        ]
        for row in result.table.to_dict("records")
    ]
    names = ["Family", "Subgroup", "n", "Events", "AUC (95 % CI)", "O/E", "Slope", "Against the rest; Holm", "Note"]
    return pd.DataFrame(rows, columns=names)


def tabulate_calibration(calibration: CalibrationResult) -> pd.DataFrame:
    """List the figures of calibration, or why there is none."""
    c, test = calibration, calibration.hosmer_lemeshow
    values = {
        "intercept": ("Intercept (ideal 0)", write_number(c.intercept, c.intercept_ci)),
        "slope": ("Slope (ideal 1)", write_number(c.slope, c.slope_ci)),
        "oe": ("Observed over expected (ideal 1)", write_number(c.oe, c.oe_ci)),
        "brier": ("Brier score", write_number(c.brier)),
        "scaled_brier": ("Scaled Brier score", write_number(c.scaled_brier)),
        "ici": ("ICI, mean absolute error of the curve", write_number(c.ici)),
        "e50": ("E50, its median", write_number(c.e50)),
        "e90": ("E90, its 90th centile", write_number(c.e90)),
        "emax": ("Emax, its maximum", write_number(c.emax)),
        "spiegelhalter_p": ("Spiegelhalter's test", word_p(c.spiegelhalter_p)),
    }
    rows = [
        [label, f"{value}: {c.reasons[name]}" if DASH in value and name in c.reasons else value]
        for name, (label, value) in values.items()
    ]
    hosmer = f"chi-squared {test.statistic:.2f}, df {test.df}, {word_p(test.p)}" if test.statistic is not None else None
    rows.append(["Hosmer-Lemeshow (secondary)", hosmer or f"{DASH}: {test.reason}"])
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


def tabulate_net_benefit(result: DecisionCurveResult, thresholds: Sequence[float]) -> pd.DataFrame:
    """List net benefit of every model at a few thresholds, with the interventions that the main model avoids."""
    table = result.table
    wide = table.assign(threshold=table["threshold"].round(4)).pivot_table(
        index="threshold", columns="model", values="net_benefit", sort=False
    )
    chosen = wide.reindex([round(threshold, 4) for threshold in thresholds])
    shown = chosen.map(write_number).rename(columns={"all": "Treat all", "none": "Treat none"})
    main = next((name for name in wide.columns if name not in {"all", "none"}), None)
    if main is not None:
        rows = table[table["model"] == main].assign(threshold=table["threshold"].round(4)).set_index("threshold")
        avoided = rows["interventions_avoided"].reindex(chosen.index)
        shown[f"{main}: interventions avoided per 100"] = [write_number(value, digits=1) for value in avoided]
    shown.insert(0, "Threshold", [f"{threshold:.2f}" for threshold in chosen.index])
    return shown.reset_index(drop=True).rename_axis(columns=None)


def _write_tests(comparison: ModelComparison) -> str:
    if comparison.roc.p is None:
        return comparison.roc.reason or DASH
    return f"{word_p(comparison.roc.p)}; {word_p(comparison.p_holm)}"
