"""Results that need a whole prediction table: its threshold, all its models, its subgroups, its survival curves."""

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from core.clinical import M2_PREDICTORS
from core.evaluation.cohort.split import (
    DEVELOPMENT,
    MAIN,
    PREFIX,
    choose_cohort_threshold,
    list_models,
)
from core.evaluation.cohort.subgroups import (
    SUBGROUP_EDGES,
    TOO_MANY_LEVELS,
    SubgroupResult,
    compute_subgroups,
    cut_levels,
)
from core.evaluation.cohort.survival import HIGH, LOW
from core.evaluation.cohort.table_one import TableOneResult, compute_table_one
from core.evaluation.discrimination.roc import RocResult, compute_roc
from core.evaluation.discrimination.threshold import ThresholdResult

if TYPE_CHECKING:
    from collections.abc import Sequence

LABELS = {MAIN: "Model", "image": "Image alone", "clinical": "Clinical alone", "m2": "M2 (adds biopsy)"}
FAMILIES = ("centre", "age", "size_mm", "image_device")
OF_AN_ENTRY = {"exam_date", "input_sha256", "gate", "views", "ki67_cutoff", "ki67_laboratory", "ki67_antibody"}
NOT_DESCRIBED = {"patient_id", "timing", "split", "y", "prob", "rfs_months", "rfs_competing", *OF_AN_ENTRY}
BINARY = ("lnm", "aln_us", "rfs_event")
OUTCOME = "high Ki-67"
KNOWN, UNKNOWN = "outcome known", "outcome not known"
INPUTS = tuple("aln_us" if name == "aln_suspicious" else name for name in M2_PREDICTORS)


def settle_threshold(table: pd.DataFrame, value: float | None = None, chosen_on: str = "") -> ThresholdResult:
    """Take the threshold that came with the model, or choose one."""
    if value is None:
        return choose_cohort_threshold(table)
    return ThresholdResult(value, "given", chosen_on=chosen_on)


def describe_threshold(threshold: ThresholdResult) -> str:
    """Say what the threshold is and where it comes from."""
    if threshold.threshold is None:
        return f"There is no threshold: {threshold.reason}"
    if threshold.exploratory:
        return (
            f"The threshold {threshold.threshold:.3f} was chosen on these data, for there are no development patients: "
            "it is exploratory, and what it reaches is optimistic."
        )
    return f"The frozen threshold is {threshold.threshold:.3f}, chosen on {threshold.chosen_on}."


def label_model(name: str) -> str:
    """Give the name of a model as figures and tables show it."""
    return LABELS.get(name, name.replace("_", " "))


def compute_rocs(table: pd.DataFrame) -> dict[str, RocResult]:
    """Compute the ROC curve of every model, the main one first."""
    names = {MAIN: "prob", **{name: PREFIX + name for name in list_models(table)}}
    return {label_model(name): compute_roc(table["y"], table[column]) for name, column in names.items()}


def compute_cohort_subgroups(table: pd.DataFrame) -> SubgroupResult:
    """Compute performance by centre, age, size and device, as far as the table has them."""
    families = {}
    for name in FAMILIES:
        if name in table:
            labels = table[name]
            if name in SUBGROUP_EDGES:
                labels = cut_levels(labels, *SUBGROUP_EDGES[name]).set_axis(table.index)
            if 1 < labels.nunique() <= TOO_MANY_LEVELS:
                families[name] = labels
    return compute_subgroups(table["y"], table["prob"], families)


def describe_patients(
    table: pd.DataFrame, by: Literal["split", "group", "outcome"], cut: float | None = None
) -> TableOneResult:
    """Describe the patients by split, by predicted group, or by whether their Ki-67 is known."""
    given = [
        name
        for name in map(str, table.columns)
        if name not in NOT_DESCRIBED and not name.startswith(PREFIX) and table[name].notna().any()
    ]
    variables = [name for name in INPUTS if name in given] + [name for name in given if name not in INPUTS]
    levels: dict[str, Sequence[str]] = {name: ("0", "1") for name in BINARY if name in variables}
    levels[OUTCOME] = ("0", "1")
    shown = table.assign(**{OUTCOME: table["y"]})
    for name in levels:
        shown[name] = shown[name].map({0.0: "0", 1.0: "1"})
    if by == "group":
        shown["group"] = np.where(shown["prob"] >= cut, f"predicted {HIGH}", f"predicted {LOW}")
    if by == "outcome":
        shown["outcome"] = np.where(shown["y"].notna(), KNOWN, UNKNOWN)
        before = [name for name in variables if name not in {*BINARY, "ki67_pct"} or name == "aln_us"]
        return compute_table_one(shown, by, ["prob", *before], levels=levels)
    return compute_table_one(shown, by, [OUTCOME, *variables], levels=levels)


def name_development(table: pd.DataFrame) -> str:
    """Name the patients that cuts are found on: the development splits, or all where there are none."""
    present = [name for name in DEVELOPMENT if name in set(table["split"])]
    return " + ".join(present) if present else "these patients, because there are no development patients: exploratory"


def find_tertiles(table: pd.DataFrame) -> tuple[float, float]:
    """Find the cuts between tertiles of the probability on development data; on the whole table if there are none."""
    development = table.loc[table["split"].isin(DEVELOPMENT), "prob"].dropna()
    values = development if len(development) else table["prob"].dropna()
    low, high = np.quantile(values, [1 / 3, 2 / 3])
    return float(low), float(high)
