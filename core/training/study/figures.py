"""The figures that the paper reports, of one bundle trained on a simulated cohort, and what the simulation aims at."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.evaluation import (
    compare_roc,
    compute_calibration,
    compute_confusion,
    compute_decision_curve,
    compute_logrank,
    compute_roc,
    compute_time_auc,
)
from core.evaluation.survival.time_auc import EARLY_MONTHS

SIGNIFICANT = 0.05
NET_BENEFIT_AT = (0.3, 0.5)


@dataclass(frozen=True)
class Goal:
    """What a figure should reach over the cohorts."""

    figure: str  # name of the figure
    # low, high: range of the mean, or of the share of cohorts
    low: float
    high: float


GOALS = (
    Goal("external AUC, combined", 0.80, 0.86),
    Goal("combined above clinical, p < .05", 0.8, 1.0),
    Goal("combined above image", 0.7, 1.0),
    Goal("node rate, called high", 0.58, 0.77),
    Goal("node rate, called low", 0.09, 0.24),
    Goal("log-rank of all patients, p < .05", 0.5, 1.0),
    Goal("AUC of recurrence within 6 months, all patients", 0.70, 0.90),
    Goal("external calibration slope", 0.85, 1.15),
    Goal("external ICI", 0.0, 0.06),
)


def read_figures(bundle: Path) -> dict[str, float | None]:
    """Compute the figures from a bundle's evidence."""
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    table = pd.read_csv(bundle / "evidence" / "predictions.csv")
    return compute_figures(table, float(manifest["threshold"]["value"]))


def compute_figures(table: pd.DataFrame, cut: float) -> dict[str, float | None]:
    """Compute the figures of a table of predictions, cut at a probability."""
    outside = table[table["split"] == "external"]
    figures: dict[str, float | None] = {}
    for split, part in table.groupby("split", sort=False):
        for column, name in (("prob", "combined"), ("prob_image", "image"), ("prob_clinical", "clinical")):
            figures[f"{split} AUC, {name}"] = compute_roc(part["y"], part[column]).auc
    for other in ("clinical", "image"):
        test = compare_roc(outside["y"], outside["prob"], outside[f"prob_{other}"])
        gain, p = test.difference, test.p
        figures[f"combined minus {other}"] = gain
        figures[f"combined above {other}"] = None if gain is None else _say(gain > 0)
        figures[f"combined above {other}, p < .05"] = (
            None if p is None or gain is None else _say(p < SIGNIFICANT and gain > 0)
        )
    return figures | _judge_calls(outside, cut) | _judge_probabilities(outside) | _judge_recurrence(table, cut)


def summarise_figures(rows: Sequence[dict[str, float | None]]) -> pd.DataFrame:
    """Summarise the figures over cohorts: figure, cohorts, mean, sd, low, high, goal, reached.

    Cohorts counts those in which it can be estimated.
    """
    table = pd.DataFrame(rows, dtype=float)
    summary = pd.DataFrame(
        {
            "figure": table.columns,
            "cohorts": table.notna().sum().to_numpy(),
            "mean": table.mean().to_numpy(),
            "sd": table.std().to_numpy(),
            "low": table.min().to_numpy(),
            "high": table.max().to_numpy(),
        }
    )
    goals = {goal.figure: goal for goal in GOALS}
    chosen = [goals.get(name) for name in summary["figure"]]
    summary["goal"] = [f"{goal.low:g} to {goal.high:g}" if goal else "" for goal in chosen]
    met = zip(chosen, summary["mean"], strict=True)
    summary["reached"] = [_answer(goal.low <= mean <= goal.high) if goal else "" for goal, mean in met]
    return summary


def _judge_calls(table: pd.DataFrame, cut: float) -> dict[str, float | None]:
    called = table["prob"] >= cut
    metrics = compute_confusion(table["y"], table["prob"], cut).metrics["value"]
    nodes = table["lnm"].astype(float)
    rates = {name: float(metrics[name]) for name in ("sensitivity", "specificity", "accuracy")}
    return rates | {
        "node rate, called high": _mean(nodes[called]),
        "node rate, called low": _mean(nodes[~called]),
        "accuracy for nodes of the Ki-67 call": _mean((called == (nodes == 1))[nodes.notna()].astype(float)),
    }


def _judge_probabilities(table: pd.DataFrame) -> dict[str, float | None]:
    fit = compute_calibration(table["y"], table["prob"], role="external")
    models = {"combined": table["prob"], "image": table["prob_image"], "clinical": table["prob_clinical"]}
    curve = compute_decision_curve(table["y"], models, np.array(NET_BENEFIT_AT)).table
    benefit = curve.set_index(["model", "threshold"])["net_benefit"]
    figures: dict[str, float | None] = {
        "external calibration slope": fit.slope,
        "external calibration intercept": fit.intercept,
        "external ICI": fit.ici,
        "external Brier score": fit.brier,
        "external log loss": fit.log_loss,
        "external mean probability minus share": float(table["prob"].mean() - table["y"].mean()),
    }
    for at in NET_BENEFIT_AT:
        figures |= {f"net benefit at {at:g}, {name}": float(benefit[name, at]) for name in (*models, "all")}
    return figures


def _judge_recurrence(table: pd.DataFrame, cut: float) -> dict[str, float | None]:
    time, event = table["rfs_months"], table["rfs_event"]
    p = compute_logrank(time, event, (table["prob"] >= cut).map({True: "high", False: "low"})).p
    early = compute_time_auc(time, event, table["prob"], EARLY_MONTHS)
    return {
        "recurrences of all patients": float(event.sum()),
        "log-rank of all patients, p < .05": None if p is None else _say(p < SIGNIFICANT),
        "recurrences within 6 months": float(early.events),
        "AUC of recurrence within 6 months, all patients": early.auc,
    }


def _mean(values: "pd.Series[float]") -> float | None:
    return float(values.mean()) if len(values) else None


def _say(answer: bool) -> float:
    return float(answer)


def _answer(reached: bool) -> str:
    return "yes" if reached else "no"
