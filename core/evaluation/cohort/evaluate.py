"""The evaluation of a prediction table as plain JSON values, split by split."""

from pathlib import Path
from typing import Any

import pandas as pd

from core.cohort.predictions import read_predictions
from core.errors import TableError
from core.evaluation.cohort.records import render_plain, render_split
from core.evaluation.cohort.split import FITTED_ON, choose_cohort_threshold, compute_split
from core.evaluation.cohort.subgroups import compute_subgroups, cut_levels
from core.evaluation.cohort.table_one import ORDER
from core.evaluation.discrimination.threshold import ThresholdResult

SUBGROUP_EDGES = {"age": ([50.0, 65.0], "years"), "size_mm": ([20.0, 50.0], "mm")}


def evaluate_file(path: Path, *, by: str | None = None, threshold: float | None = None) -> dict[str, Any]:
    """Evaluate a file of predictions.

    Parameters
    ----------
    path : Path
        CSV or XLSX, one row per patient.
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
        raise TableError("The prediction table has no rows; give one row per patient.")
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
