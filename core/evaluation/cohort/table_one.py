"""Table 1: who is in the cohort, by split or by group, and the flow of patients."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.clinical import BY_NAME
from core.cohort.splits import SPLITS
from core.errors import InputError
from core.evaluation.checks import Floats

MOMENTS = ("mean", "sd", "median", "q1", "q3")


@dataclass(frozen=True, eq=False)
class TableOneResult:
    """Characteristics by group.

    Attributes
    ----------
    table : DataFrame
        ``variable, level, group, n, count, percent, mean, sd, median, q1, q3, missing``: one row per group for a
        number, one per group and level for a choice (count and per cent of those known).
    differences : DataFrame
        ``variable, smd, skewness``: largest absolute standardised difference between any two groups; skewness of a
        number over all patients.
    sizes : dict of str to int
        Group to patients.
    """

    table: pd.DataFrame
    differences: pd.DataFrame
    sizes: dict[str, int]


@dataclass(frozen=True, eq=False)
class FlowResult:
    """The flow of patients.

    Attributes
    ----------
    table : DataFrame
        ``split, n, with_outcome, events, with_nodes, with_follow_up, recurrences, centres``.
    read, refused : int
        Rows that were read, and refused.
    reasons : tuple of (str, int)
        Why rows were refused, and how many for each reason; empty where it was not kept.
    further : int
        Rows that hold a further image of a patient.
    """

    table: pd.DataFrame
    read: int
    refused: int
    reasons: tuple[tuple[str, int], ...] = ()
    further: int = 0


def compute_table_one(
    table: pd.DataFrame, group: str, variables: Sequence[str], *, levels: Mapping[str, Sequence[str]] | None = None
) -> TableOneResult:
    """Describe patients by group.

    Parameters
    ----------
    table : DataFrame
        One row per patient.
    group : str
        Column of the groups.
    variables : sequence of str
        Columns to describe; numbers by mean and standard deviation, median and quartiles, the others by counts.
    levels : mapping of str to sequence of str, optional
        Order of the levels of a choice; by default that of the data dictionary, others sorted after it.

    Returns
    -------
    TableOneResult
        With missing counts and standardised differences.

    Raises
    ------
    InputError
        If a column is lacking.

    Notes
    -----
    Standardised difference: ``|m1 - m2| / sqrt((s1^2 + s2^2) / 2)`` for numbers, Mahalanobis distance of the
    proportions for choices (Yang and Dalton 2012); type-7 quartiles; skewness as the standardised third moment.
    """
    for name in (group, *variables):
        if name not in table:
            raise InputError(f"The table has no column '{name}'.")
    labels = table[group].astype("string")
    present = set(labels.dropna())
    names = [name for name in SPLITS if name in present] + sorted(present - set(SPLITS))
    parts = {name: table[labels == name] for name in names}
    rows, gaps = [], []
    for variable in variables:
        if pd.api.types.is_numeric_dtype(table[variable]) and variable not in (levels or {}):
            columns = {name: part[variable].to_numpy(dtype=np.float64, na_value=np.nan) for name, part in parts.items()}
            rows += [_describe_number(variable, name, column) for name, column in columns.items()]
            gap = _find_largest([_standardise_number(a, b) for a, b in _pair(columns)])
            gaps.append([variable, gap, _find_skewness(np.concatenate(list(columns.values())))])
        else:
            order = [*(levels or {}).get(variable, ())] or order_levels(variable, table[variable])
            shares = {name: _count_levels(part[variable], order) for name, part in parts.items()}
            rows += [
                row for name, count in shares.items() for row in _describe_choice(variable, name, order, count, parts)
            ]
            gaps.append([variable, _find_largest([_standardise_choice(a, b) for a, b in _pair(shares)]), np.nan])
    return TableOneResult(
        pd.DataFrame(rows, columns=["variable", "level", "group", "n", "count", "percent", *MOMENTS, "missing"]),
        pd.DataFrame(gaps, columns=["variable", "smd", "skewness"]),
        {name: len(part) for name, part in parts.items()},
    )


def order_levels(variable: str, column: pd.Series) -> list[str]:
    """Order the levels that a column has as the data dictionary lists them; others, and other columns', sorted."""
    present = set(column.dropna().astype(str))
    own = BY_NAME[variable].levels if variable in BY_NAME else ()
    return [level for level in own if level in present] + sorted(present - set(own))


def count_flow(
    table: pd.DataFrame, refused: int = 0, *, reasons: Sequence[tuple[str, int]] = (), further: int = 0
) -> FlowResult:
    """Count patients from the file to each analysis.

    Parameters
    ----------
    table : DataFrame
        Prediction table, one row per patient.
    refused : int
        Rows that were refused when it was read.
    reasons : sequence of (str, int)
        Why, and how many rows for each reason.
    further : int
        Rows that hold a further image of a patient.

    Returns
    -------
    FlowResult
        Counts by split.
    """
    rows = []
    splits = [s for s in SPLITS if s in set(table["split"])] + sorted(set(table["split"]) - set(SPLITS))
    empty = pd.Series(np.nan, index=table.index)
    columns = {name: table.get(name, empty) for name in ("y", "lnm", "rfs_months", "rfs_event")}
    centre = table.get("centre", pd.Series("", index=table.index))
    for split in splits:
        own = table["split"] == split
        followed = own & columns["rfs_months"].notna() & columns["rfs_event"].notna()
        counts = [
            own.sum(),
            columns["y"][own].notna().sum(),
            columns["y"][own].sum(),
            columns["lnm"][own].notna().sum(),
        ]
        late = [followed.sum(), columns["rfs_event"][followed].sum()]
        centres = ", ".join(sorted(centre[own].dropna().astype(str).unique()))
        rows.append([split, *(int(value) for value in (*counts, *late)), centres])
    names = ["split", "n", "with_outcome", "events", "with_nodes", "with_follow_up", "recurrences", "centres"]
    read = len(table) + refused + further
    return FlowResult(pd.DataFrame(rows, columns=names), read, refused, tuple(reasons), further)


def _pair(columns: Mapping[str, Floats]) -> list[tuple[Floats, Floats]]:
    values = list(columns.values())
    return [(values[i], values[j]) for i in range(len(values)) for j in range(i + 1, len(values))]


def _find_largest(gaps: list[float]) -> float:
    finite = [gap for gap in gaps if np.isfinite(gap)]
    return max(finite) if finite else np.nan


def _find_skewness(column: Floats) -> float:
    known = column[~np.isnan(column)]
    spread = known.std() if len(known) else 0.0
    return float((((known - known.mean()) / spread) ** 3).mean()) if spread > 0 else np.nan


def _describe_number(variable: str, group: str, column: Floats) -> list[object]:
    known = column[~np.isnan(column)]
    quartiles = np.quantile(known, [0.5, 0.25, 0.75]) if len(known) else np.full(3, np.nan)
    moments = [known.mean() if len(known) else np.nan, known.std(ddof=1) if len(known) > 1 else np.nan, *quartiles]
    return [variable, "", group, len(column), len(known), np.nan, *moments, len(column) - len(known)]


def _count_levels(column: pd.Series, order: Sequence[str]) -> Floats:
    counts = column.dropna().astype(str).value_counts()
    return np.array([float(counts.get(level, 0)) for level in order])


def _describe_choice(
    variable: str, group: str, order: Sequence[str], counts: Floats, parts: Mapping[str, pd.DataFrame]
) -> list[list[object]]:
    size, known = len(parts[group]), counts.sum()
    percent = 100 * counts / known if known else np.full(len(counts), np.nan)
    tail = [*[np.nan] * len(MOMENTS), int(size - known)]
    return [
        [variable, level, group, size, int(count), share, *tail]
        for level, count, share in zip(order, counts, percent, strict=True)
    ]


def _standardise_number(first: Floats, second: Floats) -> float:
    a, b = first[~np.isnan(first)], second[~np.isnan(second)]
    if min(len(a), len(b)) < 2:
        return np.nan
    spread = np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2)
    return float(abs(a.mean() - b.mean()) / spread) if spread > 0 else np.nan


def _standardise_choice(first: Floats, second: Floats) -> float:
    if not first.sum() or not second.sum():
        return np.nan
    a, b = (first / first.sum())[1:], (second / second.sum())[1:]
    covariance = (np.diag(a) - np.outer(a, a) + np.diag(b) - np.outer(b, b)) / 2
    return float(np.sqrt(max((a - b) @ np.linalg.pinv(covariance) @ (a - b), 0.0)))
