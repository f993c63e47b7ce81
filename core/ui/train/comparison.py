"""A new bundle beside the one in use, on the same patients: a table and what has to be said with it."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from core.cohort.splits import label_split
from core.evaluation.estimate import write_estimate, write_number, write_p

NOBODY = "No held-out patient could be scored by both bundles, so there is nothing to compare."


def tabulate_comparison(splits: Mapping[str, Mapping[str, object]]) -> pd.DataFrame:
    """Set the figures of both bundles side by side: AUC with the paired DeLong test, calibration, changed calls."""
    rows = [(label_split(name), *row) for name, part in splits.items() for row in _list_rows(part)]
    return pd.DataFrame(rows, columns=["Split", "Figure", "New bundle", "Bundle in use", "Difference"])


def describe_comparison(compared: Mapping[str, object]) -> list[str]:
    """Say what was compared, and who was left out."""
    if "reason" in compared:
        return [f"The bundle in use could not score these patients: {compared['reason']}"]
    if not compared["splits"]:
        return [NOBODY]
    lines = ["Both bundles scored the same held-out patients; high Ki-67 as the new bundle defines it."]
    if compared["left_out"]:
        lines.append(f"{compared['left_out']} patients were left out: the bundle in use was trained on them.")
    return lines


def _list_rows(part: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    auc, difference = part["auc"], part["difference"]
    gain = write_estimate(difference["value"], difference["ci"], difference["reason"])
    number, p = f"{part['n']} patients, {part['events']} high", write_p(difference["p"])
    both = [part["calibration"][name] for name in ("new", "in_use")]
    rows = [(f"AUC ({number})", write_number(auc["new"]), write_number(auc["in_use"]), f"{gain}, {p}")]
    for name in ("intercept", "slope"):
        new, in_use = (_write(one, name) for one in both)
        rows.append((f"Calibration {name}", new, in_use, ""))
    new, in_use = (write_number(one["brier"]) for one in both)
    rows.append(("Brier score", new, in_use, ""))
    for label, words in (("high", "High Ki-67, call changed"), ("low", "Low Ki-67, call changed")):
        rows.append((words, *_describe_calls(part["reclassification"][label])))
    return rows


def _write(figures: Mapping[str, Any], name: str) -> str:
    interval: Sequence[float] | None = figures[f"{name}_ci"]
    return write_estimate(figures[name], interval, digits=2)


def _describe_calls(calls: Mapping[str, Any]) -> tuple[str, str, str]:
    net = write_estimate(calls["net"], calls["ci"], percent=True)
    return f"{calls['up']} of {calls['n']} newly called high", f"{calls['down']} no longer", f"net {net}"
