"""The evaluation of a prediction table as plain JSON values, split by split: the records of its exhibits."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Literal

import pandas as pd

from core.cohort.splits import SPLIT_NAMES
from core.errors import TableError
from core.evaluation import ThresholdResult, compute_subgroups, cut_levels
from core.evaluation.cohort.records import render_plain
from core.evaluation.cohort.split import FITTED_ON, choose_cohort_threshold
from core.evaluation.cohort.subgroups import SUBGROUP_EDGES
from core.figures.cohort.exhibit import Patients
from core.figures.cohort.subjects import SUBJECTS


def evaluate_cohort(
    table: pd.DataFrame, *, by: str | None = None, threshold: float | ThresholdResult | None = None
) -> dict[str, object]:
    """Evaluate a prediction table."""
    check_evaluable(table, by)
    if isinstance(threshold, float | int):
        threshold = ThresholdResult(float(threshold), "given", chosen_on="fixed beforehand")
    parts = list_splits(table, threshold or choose_cohort_threshold(table), "the cohort")
    return evaluate_splits(parts, by)


def check_evaluable(table: pd.DataFrame, by: str | None) -> None:
    """Refuse a table that nothing can be said of, or not by this column."""
    lacking = [name for name in ("split", "y", "prob", *([by] if by else [])) if name not in table]
    if lacking:
        raise TableError(
            f"The prediction table has no column {' and '.join(lacking)}; add it or map another column to it."
        )
    if table.empty:
        raise TableError("The prediction table has no rows; give one row per patient.")
    if table["y"].isna().all():
        raise TableError(f"None of the {len(table):,} patients has a known Ki-67 status; nothing can be judged.")
    if by and table[by].isna().all():
        raise TableError(f"The column '{by}' holds no value; choose another for the subgroups.")


def evaluate_splits(parts: Iterable[tuple[str, Patients]], by: str | None) -> dict[str, Any]:
    """Evaluate the patients of each split, and of each level of a column."""
    return {
        split: evaluate_patients(patients) | ({"by": _evaluate_levels(patients, by)} if by else {})
        for split, patients in parts
    }


def list_splits(table: pd.DataFrame, threshold: ThresholdResult, title: str) -> Iterator[tuple[str, Patients]]:
    """Give the patients of each split of a prediction table, in the order of a study, unknown splits last."""
    present = set(table["split"])
    for split in [*(s for s in SPLIT_NAMES if s in present), *sorted(present - set(SPLIT_NAMES))]:
        name = f"the {SPLIT_NAMES.get(split, split)} of {title}"
        part = table[table["split"] == split]
        yield str(split), Patients(part, table, name, threshold, is_development=split == FITTED_ON)


def evaluate_patients(patients: Patients, *, extras: Literal["small", "none"] = "small") -> dict[str, object]:
    """Join the records of all exhibits of some patients, with the reasons for those that can't be made."""
    y = patients.table["y"]
    record: dict[str, Any] = {"patients": len(y), "n": int(y.notna().sum()), "events": int((y == 1).sum())}
    reasons: dict[str, str] = {}
    for subject in SUBJECTS:
        for kind, made in subject.make(patients, extras=extras):
            if isinstance(made, str):
                record |= dict.fromkeys(kind.keys)
                reasons |= dict.fromkeys(kind.keys, made)
                continue
            own = made.record()
            reasons |= own.pop("reasons", {})
            for key, value in own.items():
                record[key] = {**record[key], **value} if key in record else value
    return dict(render_plain({**record, "reasons": reasons}))


def _evaluate_levels(patients: Patients, by: str) -> dict[str, object]:
    part = patients.table
    labels = part[by]
    if by in SUBGROUP_EDGES:
        labels = cut_levels(labels, *SUBGROUP_EDGES[by]).set_axis(part.index)
    table = compute_subgroups(part["y"], part["prob"], {by: labels}).table
    levels = {
        level: replace(patients, table=part[labels.astype("string") == level])
        for level in table.loc[table["family"] == by, "level"]
    }
    return {
        "column": by,
        "subgroups": render_plain(table),
        "levels": {level: evaluate_patients(own, extras="none") for level, own in levels.items()},
    }
