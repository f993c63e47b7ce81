"""A table of what pathology and follow-up found: one row per patient, understood column by column."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.clinical import is_missing
from core.cohort.columns import match_columns
from core.cohort.patients import set_aside
from core.cohort.reading import describe_reading, take_table, understand
from core.cohort.record import Choices, TableReading
from core.errors import TableError
from core.tabular import read_bytes

FOUND = ("ki67_pct", "ki67_cutoff", "ki67_laboratory", "ki67_antibody", "pt", "pn", "nodes_removed", "nodes_positive")
FOLLOWED = ("rfs_months", "rfs_event", "last_followup")
FIELDS = ("patient_id", *FOUND, *FOLLOWED)
EXCLUDING = ("ki67_specimen", "neoadjuvant")
CORE = "its Ki-67 is of a core biopsy, which is never the outcome"
TREATED = "after neoadjuvant therapy Ki-67, pT and pN are not those of the tumour that was examined"
RANGE = "ki67_pct is a range; give one number, as the register keeps what was counted"


@dataclass(frozen=True, eq=False)
class OutcomeTable:
    """Rows of a table of outcomes."""

    # row number in the file (the header is row 1), pseudonym, and the values that are known
    rows: tuple[tuple[int, str, dict[str, object]], ...]
    reading: TableReading  # what became of the file's rows and columns; a cell that was not understood refuses its row


def read_outcomes(source: bytes | Path, choices: Choices | None = None) -> OutcomeTable:
    """Read a table of outcomes: CSV, Excel, ODS or Parquet."""
    content, choices = read_bytes(source), choices or Choices()
    text = take_table(content, choices)
    match = match_columns(text.header, (*FIELDS, *EXCLUDING), choices)
    found = {*match.positions, *match.doubtful}
    if "patient_id" not in found:
        raise TableError("The table has no column with the pseudonyms (patient_id); rename one.")
    if not {"ki67_pct", "rfs_months"} & found:
        raise TableError("The table has neither the surgical Ki-67 (ki67_pct) nor a follow-up (rfs_months).")
    text = set_aside(text, match)
    understood = understand(text, match, choices, FIELDS)
    problems = {text.rows[position]: reason for position, reason in understood.problems.items()} | dict(text.refused)
    if "ki67_pct" in understood.limits:
        low, high = understood.limits["ki67_pct"]
        for position in np.flatnonzero(low < high):
            problems.setdefault(text.rows[position], RANGE)
    names, rows = list(understood.values), []
    for number, cells in zip(text.rows, zip(*understood.values.values(), strict=True), strict=True):
        known = {name: cell for name, cell in zip(names, cells, strict=True) if not is_missing(cell)}
        patient = known.pop("patient_id", None)
        if patient is None:
            problems.setdefault(number, "no patient_id")
        elif reason := name_wrong_outcome(known):
            problems.setdefault(number, reason)
        elif number not in problems:
            rows.append((number, str(patient), known))
    reading = describe_reading(content, text, match, understood, problems)
    return OutcomeTable(tuple(rows), reading)


def name_wrong_outcome(known: dict[str, object]) -> str:
    """Say why what a row states is not the outcome of the tumour that was examined; "" where it may be.

    The columns that say so are taken out of the row.
    """
    specimen, neoadjuvant = (known.pop(name, None) for name in EXCLUDING)
    known = {name: value for name, value in known.items() if value is not None}
    if specimen == "core" and "ki67_pct" in known:
        return CORE
    return TREATED if neoadjuvant == "yes" and not known.keys().isdisjoint(FOUND) else ""


def name_wrong_outcomes(table: pd.DataFrame) -> list[str]:
    """Say of each patient why the Ki-67 is not that of the tumour that was examined; "" where it may be."""
    if table.columns.intersection([*EXCLUDING]).empty:
        return [""] * len(table)
    facts = table.reindex(columns=[*EXCLUDING]).to_numpy(dtype=object)
    return [name_wrong_outcome({"ki67_pct": 0.0} | dict(zip(EXCLUDING, own, strict=True))) for own in facts]
