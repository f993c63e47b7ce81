"""The cells of a table, understood column by column: each as a whole, or left out by name."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from core.clinical import names_summary
from core.clinical.ids import fold_ids
from core.cohort.casting import SUMMARY, Cast, cast_column, describe_field, holds_splits
from core.cohort.cells import NO_VALUE, Cells, Centres, quote
from core.cohort.columns import Match, label_field
from core.cohort.endpoints import EVENT, TIME
from core.cohort.numbers import Decimals, find_decimals
from core.cohort.record import Choices, ColumnReading, TableReading
from core.errors import TableError
from core.tabular import TextTable
from models.cutoff import Cutoff

FORMULAS = (
    "{count} cells of '{column}' are formulas without a stored value; save the file in a spreadsheet program first."
)
TWIN = (
    "the pseudonym differs from that of row {row} only in case, blanks, dashes, width or zeros: one patient or two? "
    "Write them alike, or say that they differ: --exact-ids"
)
STRADDLES = "ki67_pct lies on both sides of the cut-off, {cutoff}"
MOST_STRADDLE = (
    "{count} of {total} values of ki67_pct lie on both sides of the cut-off, {cutoff}, which leaves no fair choice. "
    "Give exact values, or whether Ki-67 is high."
)
STRADDLING_SHARE = SUMMARY_SHARE = 0.1
SEVERAL = "{count} columns of the file fit '{name}' ({columns}); rename one, or map the right one to it."


@dataclass(eq=False)
class Understood:
    """Columns of a table, understood."""

    # field to value of each row: float with NaN, or object with None
    values: dict[str, np.ndarray] = field(default_factory=dict)
    # for numbers, written as "<20" or "20-30" too, the least and greatest value of each row
    limits: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    problems: dict[int, str] = field(default_factory=dict)  # position of a row that a primary column refuses, and why
    readings: list[ColumnReading] = field(default_factory=list)  # what became of each column
    notes: list[str] = field(default_factory=list)  # what was concluded, to be said
    competing: np.ndarray | None = None  # rows whose follow-up ends with a competing event, where there are any


def understand(table: TextTable, match: Match, choices: Choices, primary: Sequence[str]) -> Understood:
    """Understand the columns of a table."""
    cells = {name: Cells(table.columns[position]) for name, position in match.positions.items()}
    centres = Centres.of(cells.get("centre"), len(table.rows))
    result = Understood(notes=_check_choices(choices, cells, centres))
    shared = _share_decimals(cells)
    for name, own in cells.items():
        column = table.header[match.positions[name]]
        cast = cast_column(name, column, own, match.titles[name], choices, centres, shared)
        _take(cast, result, is_primary=name in primary)
    if "patient_id" in cells and not choices.exact_ids:
        for position, reason in _find_twins(cells["patient_id"], table.rows).items():
            result.problems.setdefault(position, reason)
    for name, columns in match.doubtful.items():
        is_mixed = bool(match.mixed) and name in {TIME, EVENT}
        if name in primary and is_mixed:
            raise TableError(match.mixed, column=columns[0])
        if name in primary:
            sentence = SEVERAL.format(count=len(columns), name=name, columns=", ".join(columns))
            raise TableError(sentence, column=columns[0])
        problem = match.mixed if is_mixed else f"{len(columns)} columns fit it; rename one, or map the right one to it."
        result.readings += [
            ColumnReading(column, name, label_field(name), problem=problem) for column in dict.fromkeys(columns)
        ]
    return result


def suggest_split(table: TextTable, match: Match, choices: Choices) -> Match:
    """Guess by its cells that an unread column is the split, where no column is by its name."""
    if "split" in match.positions or "split" in match.doubtful:
        return match
    open_columns = [column for column, guess in match.unread if not guess and column not in choices.ignored]
    found = {column for column in open_columns if holds_splits(Cells(table.find(column)))}
    return replace(match, unread=tuple((column, "split" if column in found else old) for column, old in match.unread))


def describe_reading(
    content: bytes,
    table: TextTable,
    match: Match,
    understood: Understood,
    problems: Mapping[int, str],
    notes: Sequence[str] = (),
) -> TableReading:
    """Describe what became of a file: rows refused by their number in it, and further notes."""
    return TableReading(
        hashlib.sha256(content).hexdigest(),
        len(table.rows) + len(table.refused),
        tuple(understood.readings),
        match.unread,
        tuple(sorted(problems.items())),
        (*table.notes, *understood.notes, *notes),
    )


def find_straddling(understood: Understood, cutoff: Cutoff, *, is_outcome: bool) -> np.ndarray:
    """Tell of each row whether its Ki-67, written as "15-25", lies on both sides of the cut-off.

    Where the outcome is taken from it, many such rows refuse the table.
    """
    known = np.isfinite(understood.values["ki67_pct"])
    low, high = map(pd.Series, understood.limits["ki67_pct"])
    both = (cutoff.is_high(low) != cutoff.is_high(high)).to_numpy() & known
    count, total = int(both.sum()), int(known.sum())
    if is_outcome and count > max(1, STRADDLING_SHARE * total):
        raise TableError(MOST_STRADDLE.format(count=count, total=total, cutoff=cutoff.words))
    return both


def find_summaries(table: TextTable) -> dict[int, str]:
    """Give the positions of rows that a cell names as sums or means, and that are emptier than most or at the end.

    A word of many rows or of full ones, as of surgery, is a value.
    """
    found: dict[int, str] = {}
    filled = np.zeros(len(table.rows), int)
    for name, cells in zip(table.header, map(Cells, table.columns), strict=True):
        filled += pc.not_equal(cells.texts, "").to_numpy(zero_copy_only=False)[cells.codes]
        few = cells.counts <= max(1, SUMMARY_SHARE * len(table.rows))
        worded = pc.match_substring_regex(cells.texts, r"^\p{L}").to_numpy(zero_copy_only=False)
        for text in map(int, np.flatnonzero(few & worded)):
            if names_summary(cells.different[text]):
                reason = f"{name}: {SUMMARY.format(cell=quote(cells.different[text]))}"
                found |= dict.fromkeys(map(int, np.flatnonzero(cells.codes == text)), reason)
    end = len(filled)
    while end - 1 in found:
        end -= 1
    return {row: reason for row, reason in found.items() if row >= end or filled[row] < np.median(filled)}


def _find_twins(cells: Cells, rows: Sequence[int]) -> dict[int, str]:
    """Give the positions of rows whose pseudonym is another one but for case, blanks, dashes, width or zeros."""
    codes = fold_ids(cells.texts).dictionary_encode().indices.to_numpy(zero_copy_only=False)
    twins = np.flatnonzero((np.bincount(codes, minlength=1)[codes] > 1) if len(codes) else [])
    if not len(twins):
        return {}
    first = np.full(len(codes), len(rows))
    np.minimum.at(first, cells.codes, np.arange(len(rows)))
    groups: dict[int, list[int]] = {}
    for text in map(int, twins):
        groups.setdefault(int(codes[text]), []).append(int(first[text]))
    reasons = {}
    for position in map(int, np.flatnonzero(np.isin(cells.codes, twins))):
        text = cells.codes[position]
        other = next(row for row in groups[int(codes[text])] if row != first[text])
        reasons[position] = TWIN.format(row=rows[other])
    return reasons


def _check_choices(choices: Choices, cells: Mapping[str, Cells], centres: Centres) -> list[str]:
    """Refuse a coding or a centre that nothing fits; say that a unit or coding was given for what is not read."""
    for name in choices.codes:
        if describe_field(name).meaning not in {"binary", "event", "choice", "split"}:
            raise TableError(f"A coding was given for {name}, which has no codes.")
    for unit in choices.units:
        centre = unit.partition("@")[2]
        if centre and centre not in centres.names:
            raise TableError(f"A unit was given for the centre '{centre[:20]}', but no row has it.")
    given = dict.fromkeys((*choices.codes, *(unit.partition("@")[0] for unit in choices.units)))
    return [
        f"A unit or coding was given for {name}, but no column is read as it." for name in given if name not in cells
    ]


def _share_decimals(cells: Mapping[str, Cells]) -> Decimals:
    shared = Decimals()
    for name, own in cells.items():
        if describe_field(name).meaning in {"number", "probability"}:
            shared = shared | find_decimals(own.texts)
    return shared


def _take(cast: Cast, result: Understood, *, is_primary: bool) -> None:
    """Take a column over, or leave it out as a whole; a primary one refuses the file instead."""
    reading = cast.reading
    formulas = dict(reading.left_out).get(NO_VALUE, 0)
    if is_primary and formulas:
        raise TableError(FORMULAS.format(count=formulas, column=reading.column))
    if is_primary and reading.problem:
        raise TableError(f"{reading.column}: {reading.problem}", column=reading.column)
    if not is_primary and not reading.problem and reading.not_understood > reading.known:
        first, count = reading.left_out[0]
        problem = f"{reading.not_understood} of {reading.not_understood + reading.known} values were not understood"
        reading = replace(reading, problem=f"{problem} ({first}: {count}).")
    if reading.problem:
        result.readings.append(replace(reading, known=0))
        return
    result.readings.append(reading)
    result.values[reading.name] = cast.values
    if cast.limits is not None:
        result.limits[reading.name] = cast.limits
    if cast.competing is not None:
        result.competing = cast.competing
    if cast.note:
        result.notes.append(cast.note)
    for row, reason in cast.reasons.items() if is_primary else ():
        separator = " " if reason.startswith("is ") else ": "
        result.problems.setdefault(row, f"{reading.name}{separator}{reason}")
