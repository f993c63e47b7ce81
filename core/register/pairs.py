"""Blind readings paired with the estimate that was shown after them, and what a reader has seen and decided."""

from collections import Counter
from collections.abc import Iterable, Mapping

import pandas as pd

from core.register.models import Kind, Record

PAIRED: tuple[Kind, ...] = ("reading", "estimate", "shown")
Key = tuple[str, tuple[str, str]]


def pair_readings(records: Iterable[Record], cohort_sha256: str, reference: Mapping[str, bool]) -> pd.DataFrame:
    """Pair each reader's first blind reading of a patient with the model's estimate that followed it.

    A reading is blind if no entry before it says that its author was shown the model's estimate of that patient.
    Records are of the kinds `PAIRED`, oldest first; `reference` says whether the surgical Ki-67 is high, where it is
    known. ``patient, author, reader, model, reference``: whether each called it high; a row for each pair.
    """
    readings: dict[Key, Record] = {}
    estimates: dict[Key, Record] = {}
    seen: set[Key] = set()
    for record in records:
        key = (record.patient, record.writer)
        by_name = (record.patient, ("", record.author))
        if record.cohort_sha256 != cohort_sha256:
            continue
        if record.kind == "reading" and seen.isdisjoint({key, by_name}):
            readings.setdefault(key, record)
        elif record.kind == "estimate" and key in readings:
            estimates.setdefault(key, record)
        if record.kind in {"estimate", "shown"}:
            seen.add(key)
    names = _name_writers(estimates.values())
    rows = [
        (key[0], names[key[1]], readings[key].group == "high", shown.group == "high", reference.get(key[0]))
        for key, shown in estimates.items()
    ]
    return pd.DataFrame(rows, columns=["patient", "author", "reader", "model", "reference"])


def list_seen(records: Iterable[Record], author: str, key: str = "") -> set[str]:
    """Give the patients whose estimate an author was shown, of records of the kinds `PAIRED`."""
    return {r.patient for r in records if r.is_by(author, key) and r.kind in {"estimate", "shown"}}


def has_decided(records: Iterable[Record], author: str, key: str = "") -> bool:
    """Whether an author has decided on a patient; where the estimate is indeterminate, a note is the decision."""
    return any(r.is_by(author, key) and (r.kind == "decision" or (r.kind == "note" and not r.group)) for r in records)


def _name_writers(records: Iterable[Record]) -> dict[tuple[str, str], str]:
    """Name each writer as people know them; of people with one name, those after the first get a number."""
    names: dict[tuple[str, str], str] = {}
    taken: Counter[str] = Counter()
    for record in records:
        if record.writer not in names:
            taken[record.author] += 1
            count = taken[record.author]
            names[record.writer] = record.author if count == 1 else f"{record.author} ({count})"
    return names
