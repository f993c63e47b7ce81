"""The workbook of a collection: its rows, understood, with the keys that pair them with studies."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.clinical import COLUMNS, M2_PREDICTORS
from core.clinical.ids import fold_ids
from core.cohort.columns import match_columns
from core.cohort.manifest import OUTCOMES, find_conflicts, list_records, write_range
from core.cohort.patients import find_summaries, set_aside
from core.cohort.reading import Understood, describe_reading, take_table, understand
from core.cohort.record import Choices, TableReading
from core.errors import TableError
from core.tabular import TextTable, read_bytes

KEYS = ("patient_id", "exam_date", "accession")
WRITTEN = ("centre", "split", *OUTCOMES, *M2_PREDICTORS, "ki67_cnb_pct")
WANTED = (*KEYS, "laterality", *WRITTEN)
SHOWN_COLUMNS = 12
NO_ID = "patient_id is empty."
REPEATED = "The row says what row {row} says: that one was taken."
NO_CENTRE = "The table has no column for the centre: all rows are of the centre {centre}; --centre names it."


@dataclass(frozen=True)
class TableRow:
    """One row that may be paired."""

    number: int  # row in the file
    patient: str  # its patient id
    # exam_date, accession: study that it means; "" where the table does not say
    exam_date: str
    accession: str
    side: str  # breast of the tumour: "L", "R" or ""
    values: dict[str, str]  # what the manifest takes over, as text


@dataclass(frozen=True)
class PatientTable:
    """A workbook, read."""

    rows: tuple[TableRow, ...]  # those that can be paired
    unusable: dict[str, int]  # folded patient id to row number, of patients whose rows were refused
    columns: tuple[str, ...]  # columns of the manifest's values
    reading: TableReading  # what became of rows and columns


def read_patients(path: Path, choices: Choices, *, centre: str) -> PatientTable:
    """Read the rows of a workbook, those that can't be paired with their reasons.

    The centre is that of all rows where the table names none.
    """
    content = read_bytes(path)
    text = take_table(content, choices)
    match = match_columns(text.header, WANTED, choices)
    if "patient_id" not in match.positions and "patient_id" not in match.doubtful:
        names = ", ".join(f"'{name[:40]}'" for name in text.header[:SHOWN_COLUMNS] if name)
        raise TableError(f"None of the table's columns ({names}) is the patient ids; --map patient_id=COLUMN names it.")
    text = set_aside(text, match, no_patient=NO_ID)
    understood = understand(text, match, choices, KEYS)
    problems = {text.rows[position]: reason for position, reason in find_summaries(text).items()} | dict(text.refused)
    problems |= {text.rows[position]: reason for position, reason in understood.problems.items()}
    records = [record for record in list_records(text, understood) if record["row"] not in problems]
    problems |= {record["row"]: NO_ID for record in records if record["patient_id"] is None}
    records = [record for record in records if record["patient_id"] is not None]
    problems |= _find_contradictions(records)
    rows = tuple(_make_rows([record for record in records if record["row"] not in problems], text, understood))
    notes = []
    if "centre" not in understood.values:
        rows = tuple(_name_centre(row, centre) for row in rows)
        notes = [NO_CENTRE.format(centre=centre)]
    reading = describe_reading(content, text, match, understood, problems, notes)
    columns = tuple(name for name in WRITTEN if name in understood.values or name == "centre")
    return PatientTable(rows, _find_unusable(text, match.positions["patient_id"], problems, rows), columns, reading)


def _find_contradictions(records: list[dict[str, object]]) -> dict[int, str]:
    """Name the rows of patients with contradicting values, and those that repeat another row of the same study."""
    problems = find_conflicts(records)
    studies: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for record in records:
        studies.setdefault(tuple(record.get(name) for name in KEYS), []).append(record)
    for same in studies.values():
        conflicts = find_conflicts(same, (*WRITTEN, "laterality"))
        repeated = {record["row"]: REPEATED.format(row=same[0]["row"]) for record in same[1:]}
        problems = (conflicts or repeated) | problems
    return problems


def _make_rows(records: list[dict[str, Any]], text: TextTable, understood: Understood) -> Iterator[TableRow]:
    position = {number: place for place, number in enumerate(text.rows)}
    for record in records:
        place = position[record["row"]]
        yield TableRow(
            record["row"],
            record["patient_id"],
            record.get("exam_date") or "",
            record.get("accession") or "",
            {"left": "L", "right": "R"}.get(record.get("laterality") or "", ""),
            {name: _write(name, record.get(name), understood, place) for name in WRITTEN if name in record},
        )


def _write(name: str, value: object, understood: Understood, place: int) -> str:
    """Write a value as the manifest's reader understands it, a percentage with some room as a range."""
    if value is None:
        return ""
    if not isinstance(value, float):
        return str(value)
    if COLUMNS[name].meaning in {"binary", "event"}:
        return "yes" if value else "no"
    limits = understood.limits.get(name)
    room = write_range(*(float(limit[place]) for limit in limits)) if limits and COLUMNS[name].unit == "percent" else ""
    return room or f"{value:.10g}"


def _name_centre(row: TableRow, centre: str) -> TableRow:
    return TableRow(row.number, row.patient, row.exam_date, row.accession, row.side, row.values | {"centre": centre})


def _find_unusable(
    text: TextTable, column: int, problems: dict[int, str], rows: tuple[TableRow, ...]
) -> dict[str, int]:
    """Give the folded ids of patients of whom no row can be paired, with the first of their rows."""
    folded = fold_ids(text.columns[column]).to_pylist()
    usable = {row.number for row in rows}
    kept = {one for one, number in zip(folded, text.rows, strict=True) if number in usable}
    unusable: dict[str, int] = {}
    for one, number in zip(folded, text.rows, strict=True):
        if number in problems and one and one not in kept:
            unusable.setdefault(one, number)
    return unusable
