"""A prediction table: one row per patient, understood column by column and checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.clinical import COLUMNS, simplify_name
from core.cohort.columns import Match, match_columns
from core.cohort.outcomes import name_wrong_outcomes
from core.cohort.patients import refuse_design, refuse_unnamed_patients, set_aside
from core.cohort.reading import (
    STRADDLES,
    Understood,
    describe_reading,
    find_straddling,
    suggest_split,
    take_table,
    understand,
)
from core.cohort.record import Choices, TableReading
from core.errors import TableError
from core.tabular import TextTable, read_bytes
from models.cutoff import DEFAULT_CUTOFF, Cutoff

NOT_READ = frozenset({"image", "box", "accession"})
FIELDS = tuple(
    name for name, c in COLUMNS.items() if (c.meaning != "date" or name == "exam_date") and name not in NOT_READ
)
ALWAYS_NEEDED = ("patient_id", "prob")
OF_ONE_PATIENT = ("centre", "split", "prob", "y", "ki67_pct", "lnm", "rfs_months", "rfs_event")
Y_DIFFERS = "y differs from ki67_pct"
REVERSED = (
    "{column} contradicts {ki67} ({cutoff}) in {count} of {total} rows{where}: its coding may be the other way round. "
    "Give its coding, or leave one of the two unread: --code y=0:yes,1:no, or --ignore {column}."
)
FEWEST_REVERSED, REVERSED_SHARE = 5, 0.5
NO_OUTCOME = (
    "No patient has a known outcome: '{column}' is empty or not known in all {rows} rows; nothing can be judged."
)


@dataclass(frozen=True, eq=False)
class PredictionTable:
    """Checked predictions.

    Attributes
    ----------
    table : DataFrame
        One row per patient: ``patient_id, split, y, prob`` and where given ``centre, ki67_pct, prob_<model>, lnm,
        prob_lnm, aln_us, rfs_months, rfs_event, rfs_competing``, fields of the data dictionary, and columns that were
        to be kept.
        NaN or None where not known.
    reading : TableReading
        What became of the file's rows and columns.
    cutoff : Cutoff
        Ki-67 that counts as high.
    rows : tuple of int
        Row number in the file (the header is row 1) of each row of the table; empty where there is no file.
    """

    table: pd.DataFrame
    reading: TableReading
    cutoff: Cutoff = DEFAULT_CUTOFF
    rows: tuple[int, ...] = ()

    @property
    def refused(self) -> tuple[tuple[int, str], ...]:
        """Row number in the file (the header is row 1) and reason of each row that was refused."""
        return self.reading.refused

    @property
    def notes(self) -> tuple[str, ...]:
        """What the file lacks and what was done about it."""
        return self.reading.notes

    @property
    def columns(self) -> dict[str, str]:
        """Name here to name in the file."""
        return {column.name: column.column for column in self.reading.columns if not column.problem}


def read_predictions(
    source: bytes | Path,
    choices: Choices | None = None,
    *,
    cutoff: Cutoff = DEFAULT_CUTOFF,
    outcome_needed: bool = True,
) -> PredictionTable:
    """Read and check a prediction table.

    Parameters
    ----------
    source : bytes or Path
        CSV, Excel, ODS or Parquet, one row per patient.
    choices : Choices, optional
        What a person settled about its columns.
    cutoff : Cutoff
        Ki-67 that counts as high, where the file has no ``y``.
    outcome_needed : bool
        Whether a table without any known outcome is refused.

    Returns
    -------
    PredictionTable
        The rows that can be used, and the others with their reasons. Columns that are not known are not read.

    Raises
    ------
    TableError
        If the file is no table, lacks a column, a needed column can't be understood, or no row can be used.
    """
    content, choices = read_bytes(source), choices or Choices()
    text = take_table(content, choices)
    match = suggest_split(text, match_predictions(text.header, choices, outcome_needed=outcome_needed), choices)
    text, outcome = set_aside(text, match), "y" if "y" in match.positions else "ki67_pct"
    refuse_design(text, match, choices)
    refuse_unnamed_patients(text, match, choices)
    understood = understand(text, match, choices, (*ALWAYS_NEEDED, outcome, "split", "y"))
    table = _build_table(text, understood)
    table = _keep_columns(table, text, choices.kept)
    problems = {text.rows[position]: reason for position, reason in sorted(understood.problems.items())}
    problems |= dict(text.refused)
    notes = _complete(table, text, understood, cutoff, problems)
    _find_repeats(table, text.rows, problems)
    good = np.fromiter((row not in problems for row in text.rows), bool, len(text.rows))
    table = table[good].reset_index(drop=True)
    reading = describe_reading(content, text, match, understood, problems, notes)
    _check_usable(table, reading, outcome if outcome_needed else None)
    return PredictionTable(table, reading, cutoff, tuple(row for row in text.rows if row not in problems))


def match_predictions(header: Sequence[str], choices: Choices, *, outcome_needed: bool) -> Match:
    """Match the columns of a prediction table."""
    match = match_columns(header, FIELDS, choices, models=True)
    found = {*match.positions, *match.doubtful}
    lacking = [] if "prob" in found else ["'prob' (probability of high Ki-67)"]
    if outcome_needed and not {"y", "ki67_pct"} & found:
        lacking.append("'y' (1 if Ki-67 is high) or 'ki67_pct'")
    if lacking:
        guesses = [f"'{column}' may be {guess}" for column, guess in match.unread if guess in {"prob", "y", "ki67_pct"}]
        hint = f" ({'; '.join(guesses)})" if guesses else ""
        taken = _find_taken(header, choices, {"prob", "y", "ki67_pct"} - found)
        raise TableError(
            f"The table has no column {' and no column '.join(lacking)}{hint}; rename one, or map it{taken}."
        )
    return match


def _find_taken(header: Sequence[str], choices: Choices, lacking: set[str]) -> str:
    """Say where a choice took the column that would be read as what is lacking."""
    own = match_columns(header, FIELDS, Choices()).positions
    for field, column in choices.columns.items():
        for name in sorted(lacking & own.keys()):
            if simplify_name(header[own[name]]) == simplify_name(column):
                return f": the column '{column[:40]}' would be {name}, but is mapped to {field}"
    for name in sorted(lacking & own.keys()):
        if simplify_name(header[own[name]]) in map(simplify_name, choices.ignored):
            return f": the column '{header[own[name]][:40]}' would be {name}, but is ignored"
    return ""


def _build_table(text: TextTable, understood: Understood) -> pd.DataFrame:
    values = understood.values
    first = [name for name in ("patient_id", "split", "centre", "y", "ki67_pct", "prob") if name in values]
    columns = {name: values[name] for name in dict.fromkeys((*first, *values))}
    if understood.competing is not None:
        columns["rfs_competing"] = understood.competing.astype(float)
    table = pd.DataFrame(columns, index=range(len(text.rows)))
    if "aln_suspicious" in table:
        table["aln_suspicious"] = table["aln_suspicious"].map({"suspicious": 1.0, "negative": 0.0}).astype(float)
    return table.rename(columns={"aln_suspicious": "aln_us"})


def _keep_columns(table: pd.DataFrame, text: TextTable, kept: Sequence[str]) -> pd.DataFrame:
    """Add columns that subgroups ask for, as they stand in the file."""
    for name in kept:
        if name not in table and name in text.header:
            table[name] = [value or None for value in text.find(name).to_pylist()]
    return table


def _complete(
    table: pd.DataFrame, text: TextTable, understood: Understood, cutoff: Cutoff, problems: dict[int, str]
) -> list[str]:
    """Fill the columns that every table has, and say how."""
    notes = []
    if "patient_id" not in table:
        table.insert(0, "patient_id", [f"row {row}" for row in text.rows])
        notes.append("The file has no patient_id: every row counts as a patient of its own.")
    if "split" not in table:
        table.insert(1, "split", "external")
        notes.append("The file has no split: all patients count as an external test.")
    wrong = name_wrong_outcomes(table)
    if "y" not in table:
        problems |= {row: reason for row, reason in zip(text.rows, wrong, strict=True) if reason} | problems
    else:
        notes += [f"In {wrong.count(why)} rows: {why}; y was used." for why in dict.fromkeys(filter(None, wrong))]
    if "ki67_pct" not in table:
        return notes if "y" in table else [*notes, _leave_open(table)]
    is_high = cutoff.is_high(pd.Series(understood.limits["ki67_pct"][0]))
    both = find_straddling(understood, cutoff, is_outcome="y" not in table)
    known = table["ki67_pct"].notna() & ~both
    if "y" not in table:
        table["y"] = is_high.astype(float).where(known)
        for position in np.flatnonzero(both):
            problems.setdefault(text.rows[position], STRADDLES.format(cutoff=cutoff.words))
        notes.append(f"High Ki-67 is {cutoff.words} of ki67_pct.")
    else:
        both_known = known & table["y"].notna()
        differs = (is_high != (table["y"] == 1)) & both_known
        _refuse_reversed(table, differs, both_known, understood, cutoff)
        if differs.any():
            fitting = _find_fitting_cutoff(table[both_known]) if differs.sum() >= FEWEST_REVERSED else ""
            notes.append(f"{Y_DIFFERS} ({cutoff.words}) in {int(differs.sum())} rows; y was used.{fitting}")
    return notes


def _refuse_reversed(
    table: pd.DataFrame,
    differs: "pd.Series[bool]",
    known: "pd.Series[bool]",
    understood: Understood,
    cutoff: Cutoff,
) -> None:
    """Refuse an outcome that says the opposite of Ki-67 in most rows, of all or of a centre."""
    names = {reading.name: reading.column for reading in understood.readings}
    groups = {"": known}
    if "centre" in table:
        groups |= {
            f" of {str(name)[:20]}": known & (table["centre"] == name) for name in table["centre"].dropna().unique()
        }
    for where, rows in groups.items():
        count, total = int((differs & rows).sum()), int(rows.sum())
        if count >= FEWEST_REVERSED and count > REVERSED_SHARE * total:
            facts = {"column": names["y"][:40], "ki67": names["ki67_pct"][:40], "cutoff": cutoff.words}
            raise TableError(REVERSED.format(count=count, total=total, where=where, **facts), column=names["y"])


def _find_fitting_cutoff(table: pd.DataFrame) -> str:
    """Name the cut-off by which all of y follows from Ki-67, where there is one."""
    low, high = (table.loc[table["y"] == value, "ki67_pct"] for value in (0, 1))
    if low.empty or high.empty or not low.max() < high.min():
        return ""
    return f" y fits a cut-off between {low.max():g} and {high.min():g} %."


def _leave_open(table: pd.DataFrame) -> str:
    """Note that no outcome is known."""
    table["y"] = np.nan
    return "The file has no outcome: these patients can be shown, and the model can't be judged on them yet."


def _find_repeats(table: pd.DataFrame, rows: Sequence[int], problems: dict[int, str]) -> None:
    """Name rows without a patient, split or probability, and patients of several rows: all of them if they differ."""
    names = [name for name in OF_ONE_PATIENT if name in table]
    facts = table[names].astype(object)
    facts = facts.where(facts.notna(), None)
    patients, number = table["patient_id"], np.asarray(rows)
    for name, reason in (("patient_id", "no patient_id"), ("split", "no split"), ("prob", "no probability")):
        for row in number[table[name].isna().to_numpy()].tolist():
            problems.setdefault(row, reason)
    again = patients.duplicated(keep=False).to_numpy() & ~np.isin(number, list(problems))
    first: dict[str, tuple[int, tuple[object, ...]]] = {}
    columns = zip(number[again].tolist(), patients[again], facts[again].itertuples(index=False, name=None), strict=True)
    for row, patient, own in columns:
        if patient not in first:
            first[patient] = row, own
        elif own == first[patient][1]:
            problems[row] = f"the patient of row {first[patient][0]} again; give one row per patient"
        else:
            start, before = first[patient]
            differ = ", ".join(name for name, a, b in zip(names, before, own, strict=True) if a != b)
            problems[start] = f"contradicts row {row} of the same patient ({differ})"
            problems[row] = f"contradicts row {start} of the same patient ({differ})"


def _check_usable(table: pd.DataFrame, reading: TableReading, outcome: str | None) -> None:
    refused = reading.refused
    if table.empty and not refused:
        raise TableError("The table has no row below its header; give one row per patient.")
    if table.empty:
        first = f"; row {refused[0][0]}: {refused[0][1].rstrip('.')}"
        raise TableError(f"No row of the table can be used{first}. Correct the file and read it again.", refused)
    if outcome is not None and table["y"].isna().all():
        column = next(c.column for c in reading.columns if c.name == outcome)
        raise TableError(NO_OUTCOME.format(column=column, rows=reading.rows), refused)
