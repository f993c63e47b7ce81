"""The cells of a table, understood column by column: each as a whole, or left out by name."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pyarrow as pa

from core.clinical import fold_word
from core.cohort.casting import Cast, cast_column, describe_field, holds_splits
from core.cohort.cells import NO_VALUE, Cells, Centres, quote
from core.cohort.columns import Match, label_field
from core.cohort.endpoints import EVENT, TIME
from core.cohort.numbers import Decimals, are_cut_decimals, find_decimals
from core.cohort.patients import find_twins
from core.cohort.record import Choices, ColumnReading, TableReading
from core.errors import TableError
from core.tabular import TextTable, read_table
from models.cutoff import Cutoff

FORMULAS = (
    "{count} cells of '{column}' are formulas without a stored value; save the file in a spreadsheet program first."
)
STRADDLES = "ki67_pct lies on both sides of the cut-off, {cutoff}"
MOST_STRADDLE = (
    "{count} of {total} values of ki67_pct lie on both sides of the cut-off, {cutoff}, which leaves no fair choice. "
    "Give exact values, or whether Ki-67 is high."
)
STRADDLING_SHARE = 0.1
NUMERIC = {"number", "probability"}
DECIMAL = {"prob", "ki67_pct", "rfs_months"}
CUT = (
    "'{column}' holds whole numbers and '{next}', right of it, what may be their decimals: decimal commas in a file "
    "that parts its columns by commas. Save it with semicolons; or, if they are two values, say so: --ignore {next}."
)
ALIKE = (
    "The sheets {names} each hold a table with such columns. Put all rows into one sheet, or choose one: --sheet NAME."
)
MOST_UNREAD = (
    "{column}: {count} of {total} values were not understood ({first}: {own}); correct them, or map the right column."
)
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


def take_table(content: bytes, choices: Choices) -> TextTable:
    """Read the cells of a table; a workbook with several tables of the same columns is refused until one is chosen."""
    table = read_table(content, sheet=choices.sheet, encoding=choices.encoding)
    if table.alike:
        names = " and ".join(f"'{name[:30]}'" for name in (table.sheets[0], *table.alike[:4]))
        raise TableError(ALIKE.format(names=names))
    return table


def understand(table: TextTable, match: Match, choices: Choices, primary: Sequence[str]) -> Understood:
    """Understand the columns of a table."""
    cells = {name: Cells(table.columns[position]) for name, position in match.positions.items()}
    notes = _join_spellings(cells)
    centres = Centres.of(cells.get("centre"), len(table.rows))
    result = Understood(notes=[*notes, *_check_choices(choices, cells, centres)])
    _refuse_cut_decimals(table, match, choices)
    shared = _share_decimals(cells)
    for name, own in cells.items():
        column = table.header[match.positions[name]]
        cast = cast_column(name, column, own, match.titles[name], choices, centres, shared)
        _take(cast, result, is_primary=name in primary)
    if "patient_id" in cells and not choices.exact_ids:
        for position, reason in find_twins(cells["patient_id"], table.rows).items():
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


def _join_spellings(cells: dict[str, Cells]) -> list[str]:
    """Read centres that differ only in case, blanks or width as one, by their most frequent spelling, and say so."""
    own = cells.get("centre")
    if own is None:
        return []
    spellings: dict[str, list[int]] = {}
    for i in np.argsort(-own.counts, kind="stable").tolist():
        spellings.setdefault(fold_word(own.different[i]), []).append(i)
    several = [same for same in spellings.values() if len(same) > 1]
    if not several:
        return []
    joined = list(own.different)
    for same in several:
        for i in same:
            joined[i] = own.different[same[0]]
    cells["centre"] = Cells(pa.array(joined, pa.string()).take(pa.array(own.codes)))
    listed = "; ".join(" and ".join(quote(own.different[i]) for i in same) for same in several[:4])
    return [f"Centres that differ only in case or blanks are one each: {listed}."]


def _refuse_cut_decimals(table: TextTable, match: Match, choices: Choices) -> None:
    """Refuse probabilities and Ki-67 whose decimals may stand in the next column, which is nothing else by its name."""
    unread = {column for column, _ in match.unread} - {*choices.ignored, *choices.kept}
    other = {match.positions.get("centre")}
    for name in DECIMAL & match.positions.keys():
        position = match.positions[name] + 1
        if position >= len(table.header) or (table.header[position] not in unread and position not in other):
            continue
        if are_cut_decimals(Cells(table.columns[position - 1]), Cells(table.columns[position])):
            names = {"column": table.header[position - 1][:40], "next": table.header[position][:40]}
            raise TableError(CUT.format(**names), column=table.header[position - 1])


def _share_decimals(cells: Mapping[str, Cells]) -> Decimals:
    shared = Decimals()
    for name, own in cells.items():
        if describe_field(name).meaning in NUMERIC:
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
    total = reading.not_understood + reading.known
    if is_primary and total / 2 < reading.not_understood < total and describe_field(reading.name).meaning in NUMERIC:
        first, count = reading.left_out[0]
        raise TableError(
            MOST_UNREAD.format(
                count=reading.not_understood, total=total, first=first, own=count, column=reading.column
            ),
            column=reading.column,
        )
    if not is_primary and not reading.problem and reading.not_understood > total / 2:
        first, count = reading.left_out[0]
        problem = f"{reading.not_understood} of {total} values were not understood"
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
