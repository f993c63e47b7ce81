"""What is known of a patient after surgery, entry by entry: nothing is overwritten, a correction names the old one."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import ColumnElement, func, select, true

from core.clinical import BY_NAME, COLUMNS, parse_value
from core.errors import ClinicalError, InputError, WorkError
from core.inference.explain import format_value
from core.register.chain import hash_json, write_json
from core.register.estimate.entry import check_day
from core.register.models import ENTRIES, MAX_TEXT, WITHHELD, Entry, Kind, Record
from core.register.store import AT_ONCE, Store

Values = Mapping[str, str | float]
Verdict = Literal["new", "matched", "contradicting"]
FIELDS: dict[Kind, tuple[str, ...]] = {
    "outcome": (
        "ki67_pct",
        "ki67_cutoff",
        "ki67_laboratory",
        "ki67_antibody",
        "pt",
        "pn",
        "nodes_removed",
        "nodes_positive",
    ),
    "follow-up": ("rfs_months", "rfs_event", "last_followup"),
}
TEXTS = {"ki67_laboratory": "The laboratory", "ki67_antibody": "The antibody"}
LONGEST = 100


@dataclass(frozen=True)
class Kept:
    """What is kept of one kind for a patient."""

    # all entries put together; what a correction says takes the place of all before
    values: Values = field(default_factory=dict)
    last: int = 0  # number of the last entry; 0 before the first
    first: int = 0  # number of the first entry; 0 before it
    fault: str = ""  # why nothing of it is told: an entry does not hold

    def add(self, number: int, values: Values, *, is_correction: bool) -> "Kept":
        """Put a further entry to it."""
        return Kept(values if is_correction else {**self.values, **values}, number, self.first or number)

    def find_differences(self, kind: Kind, given: Values) -> list[str]:
        """Give the fields in which what is given contradicts what is kept; a later follow-up contradicts nothing."""
        differ = [name for name in given if name in self.values and given[name] != self.values[name]]
        if kind == "follow-up" and not self.values.get("rfs_event") and differ:
            goes_on = [n for n in ("rfs_months", "last_followup") if n in given and n in self.values]
            if goes_on and all(given[n] >= self.values[n] for n in goes_on):  # type: ignore[operator]
                return []
        return differ

    def judge(self, kind: Kind, given: Values) -> Verdict:
        """Say what given values are beside those kept."""
        if self.find_differences(kind, given):
            return "contradicting"
        return "matched" if given.items() <= self.values.items() else "new"


NOTHING = Kept()


@dataclass(frozen=True)
class Author:
    """Who enters: initials or name, the login's subject, the role."""

    name: str
    key: str = ""
    role: str = ""


def check_outcome(raw: Mapping[str, object], kept: Values = NOTHING.values) -> dict[Kind, Values]:
    """Check what is known of a patient, None where not known, and part what pathology found from the follow-up.

    `kept` is what is kept of pathology's finding, to which these values come. A kind of which nothing is known is left
    out; an InputError where a value does not fit, or the values contradict each other.
    """
    parts: dict[Kind, Values] = {}
    for kind, names in FIELDS.items():
        values = {name: value for name in names if (value := _check_value(name, raw.get(name))) is not None}
        if values:
            parts[kind] = values
    found, follow_up = parts.get("outcome", {}), parts.get("follow-up", {})
    whole = {**kept, **found}
    if found and "ki67_pct" not in whole:
        raise InputError("What pathology found needs the surgical Ki-67 in per cent.")
    if "nodes_positive" in whole and whole["nodes_positive"] > whole.get("nodes_removed", 99):  # type: ignore[operator]
        raise InputError("More nodes are positive than were removed; check both numbers.")
    if ("rfs_event" in follow_up) != ("rfs_months" in follow_up):
        raise InputError("A follow-up needs both: months to recurrence or last contact, and whether it recurred.")
    return parts


def describe_value(name: str, value: object) -> str:
    """Write a value of `FIELDS` with its unit."""
    field = BY_NAME.get(name) or COLUMNS[name].field
    return format_value(field.name, value) if field else str(value)


def make_entry(patient: str, kind: Kind, values: Values, kept: Kept, author: Author, *, reason: str = "") -> Entry:
    """Make the entry of values beside what is kept; with a reason it corrects the last one.

    Two entries that were made beside the same last one are the same: the second is left out when it is written.
    """
    if kept.fault:
        raise WorkError(kept.fault)
    if kept.find_differences(kind, values) and not reason.strip():
        raise InputError("This contradicts what is kept: give the reason for the correction.")
    if reason and not kept.last:
        raise InputError("There is nothing to correct yet.")
    return Entry(
        patient,
        author.name,
        kind,
        text=reason.strip()[:MAX_TEXT],
        role=author.role,
        author_key=author.key,
        identity=hash_json([kind, patient, kept.last]),
        details=write_json(dict(values)),
        corrects=kept.last if reason else None,
    )


def read_kept(store: Store, patients: Iterable[str] | None = None) -> dict[tuple[str, Kind], Kept]:
    """Read what is kept for patients, or for all of them, by pseudonym and kind; beside a withheld entry nothing is."""
    parts = [true()] if patients is None else _in_parts(sorted(set(patients)))
    kept: dict[tuple[str, Kind], Kept] = {}
    for kind in FIELDS:
        for part in parts:
            add_records(kept, kind, store.read_where(ENTRIES.c.kind == kind, part))
    return kept


def add_records(kept: dict[tuple[str, Kind], Kept], kind: Kind, records: Iterable[Record]) -> None:
    """Put records of a kind, oldest first, to what is kept of their patients; beside a withheld one nothing is."""
    for record in records:
        before = kept.get((record.patient, kind), NOTHING)
        if record.kind == WITHHELD or before.fault:
            after = Kept(last=record.number, first=before.first, fault=before.fault or record.text)
        else:
            values = json.loads(record.details)
            after = before.add(record.number, values, is_correction=record.corrects is not None)
        kept[record.patient, kind] = after


def find_first_exams(store: Store, patients: Iterable[str]) -> dict[str, str]:
    """Give the first known date of examination of those of the patients of whom there is an estimate; "" where none."""
    first = func.coalesce(func.min(func.nullif(ENTRIES.c.exam_date, "")), "").label("first")
    query = select(ENTRIES.c.patient, first).where(ENTRIES.c.kind == "registered").group_by(ENTRIES.c.patient)
    rows = (row for part in _in_parts(sorted(set(patients))) for row in store.select(query.where(part)))
    return {row["patient"]: row["first"] for row in rows}


def _in_parts(names: list[str]) -> list[ColumnElement[bool]]:
    names = [name for name in names if "\0" not in name]  # none is kept, and PostgreSQL refuses to look for one
    return [ENTRIES.c.patient.in_(names[i : i + AT_ONCE]) for i in range(0, len(names), AT_ONCE)]


def _check_value(name: str, raw: object) -> str | float | None:
    if raw is None or raw == "":
        return None
    if name in TEXTS:
        text = " ".join(str(raw).split())
        if len(text) > LONGEST:
            raise InputError(f"{TEXTS[name]} has more than {LONGEST} characters; shorten it.")
        return text or None
    try:
        value = parse_value(BY_NAME["ki67_pct" if name == "ki67_cutoff" else name], raw)
    except ClinicalError as error:
        raise InputError(str(error)) from None
    if name == "last_followup" and value is not None:
        return check_day(str(value), "The last follow-up")
    return value  # type: ignore[return-value]
