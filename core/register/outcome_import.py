"""A table of outcomes beside what the register keeps: judged row by row before anything is written."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Literal

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import select

from core.clinical.ids import clean_id, fold_ids
from core.errors import InputError
from core.register.models import ENTRIES, Entry, Kind, Record
from core.register.outcome_entry import (
    NOTHING,
    Author,
    Kept,
    Values,
    check_outcome,
    describe_value,
    find_first_exams,
    make_entry,
    read_kept,
)
from core.register.store import Store

Status = Literal["new", "matched", "contradicting", "unmatched", "not used"]
MEANING: dict[Status, str] = {
    "new": "not kept yet, will be entered",
    "matched": "kept already, the same",
    "contradicting": "kept otherwise; entered only as a correction",
    "unmatched": "the register has no estimate of this pseudonym",
    "not used": "the row can't be used",
}
ALIKE = (
    "the register has no estimate of this pseudonym, but one of {other}, which differs only in case, blanks, dashes, "
    "width or zeros: write it so if it is this patient"
)
DIFFERING = "the file gives this patient several rows that differ; keep the one that counts"
Row = tuple[int, str, Mapping[str, object]]


@dataclass(frozen=True)
class JudgedRow:
    """A row of a table of outcomes, judged."""

    number: int  # in the file; the header is row 1
    patient: str  # pseudonym; "" where the row could not be read
    status: Status  # one of `MEANING`
    reason: str = ""  # what it contradicts, or why it can't be used
    steps: tuple[tuple[Kind, Values, Kept], ...] = ()  # (kind, values, kept), what would be entered beside what


def judge_rows(store: Store, rows: Sequence[Row], refused: Sequence[tuple[int, str]] = ()) -> list[JudgedRow]:
    """Judge the rows of a table in their order; of several rows of a patient that differ, none is taken."""
    patients = {patient for _, patient, _ in rows}
    known = find_first_exams(store, patients | {*map(clean_id, patients)})
    kept = read_kept(store, known)
    rows = [(number, patient if patient in known else clean_id(patient), raw) for number, patient, raw in rows]
    alike = find_alike(store, {patient for _, patient, _ in rows if patient not in known})
    judged = [JudgedRow(number, "", "not used", reason) for number, reason in refused]
    first: dict[str, Row] = {}
    differing = {row[1] for row in rows if first.setdefault(row[1], row)[2] != row[2]}
    for number, patient, raw in rows:
        if patient not in known:
            hint = ALIKE.format(other=alike[patient]) if patient in alike else ""
            judged.append(JudgedRow(number, patient, "unmatched", hint))
        elif patient in differing:
            judged.append(JudgedRow(number, patient, "not used", DIFFERING))
        elif number != first[patient][0]:
            judged.append(JudgedRow(number, patient, "not used", f"the same as row {first[patient][0]}"))
        else:
            judged.append(_judge(number, patient, raw, kept))
    return sorted(judged, key=lambda row: row.number)


def find_alike(store: Store, names: Set[str]) -> dict[str, str]:
    """Give to pseudonyms that the register does not know those that it knows and that are written almost so."""
    told = sorted(filter(None, names))
    if not told:
        return {}
    query = select(ENTRIES.c.patient).where(ENTRIES.c.kind == "registered").distinct()
    known = pa.array([row["patient"] for row in store.select(query)], pa.string())
    folded = fold_ids(pa.array(told, pa.string()))
    hits = known.filter(pc.is_in(fold_ids(known), value_set=folded))
    others = dict(zip(fold_ids(hits).to_pylist(), hits.to_pylist(), strict=True))
    return {name: others[key] for name, key in zip(told, folded.to_pylist(), strict=True) if key in others}


def tabulate_rows(judged: Sequence[JudgedRow]) -> pd.DataFrame:
    """Lay out the preview."""
    rows = [(row.number, row.patient, row.status, row.reason or MEANING[row.status]) for row in judged]
    return pd.DataFrame(rows, columns=["Row", "Patient", "Status", "What it means"])


def enter_rows(store: Store, judged: Sequence[JudgedRow], author: Author, *, reason: str = "") -> list[Record]:
    """Write the new rows and, with a reason, the contradicting ones as corrections; all in one go.

    What somebody else entered since the rows were judged is left out.
    """
    entries: list[Entry] = []
    for row in judged:
        if row.status == "new" or (row.status == "contradicting" and reason.strip()):
            for kind, values, kept in row.steps:
                is_correction = bool(kept.find_differences(kind, values))
                whole = {**kept.values, **values} if is_correction else values
                entries.append(
                    make_entry(row.patient, kind, whole, kept, author, reason=reason if is_correction else "")
                )
    return store.append_all(entries)


def _judge(number: int, patient: str, raw: Mapping[str, object], kept: Mapping[tuple[str, Kind], Kept]) -> JudgedRow:
    try:
        parts = check_outcome(raw, kept.get((patient, "outcome"), NOTHING).values)
    except InputError as error:
        return JudgedRow(number, patient, "not used", str(error))
    steps: list[tuple[Kind, Values, Kept]] = []
    differing: list[str] = []
    for kind, values in parts.items():
        before = kept.get((patient, kind), NOTHING)
        if before.fault:
            return JudgedRow(number, patient, "not used", before.fault)
        verdict = before.judge(kind, values)
        if verdict != "matched":
            steps.append((kind, values, before))
        names = before.find_differences(kind, values)
        differing += [
            f"{name} is {describe_value(name, before.values[name])}, the file says {describe_value(name, values[name])}"
            for name in names
        ]
    if not parts:
        return JudgedRow(number, patient, "not used", "nothing is known in this row")
    status: Status = "contradicting" if differing else "new" if steps else "matched"
    return JudgedRow(number, patient, status, "; ".join(differing), tuple(steps))
