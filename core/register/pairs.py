"""Blind readings paired with the estimate that was shown after them, and what a reader has seen and decided."""

from collections.abc import Iterable, Mapping

import pandas as pd

from core.register.models import Kind, Record

PAIRED: tuple[Kind, ...] = ("reading", "estimate", "shown")


def pair_readings(records: Iterable[Record], cohort_sha256: str, reference: Mapping[str, bool]) -> pd.DataFrame:
    """Pair each reader's first blind reading of a patient with the model's estimate that followed it.

    A reading is blind if no entry before it says that its author was shown the model's estimate of that patient.

    Parameters
    ----------
    records : iterable of Record
        Entries of the kinds `PAIRED`, oldest first.
    cohort_sha256 : str
        Cohort whose entries count.
    reference : mapping of str to bool
        Whether the surgical Ki-67 is high, of the patients of whom it is known.

    Returns
    -------
    DataFrame
        ``patient, author, reader, model, reference``: whether each called it high; a row for each pair.
    """
    readings: dict[tuple[str, str], Record] = {}
    estimates: dict[tuple[str, str], Record] = {}
    seen: set[tuple[str, str]] = set()
    for record in records:
        key = (record.patient, record.author)
        if record.cohort_sha256 != cohort_sha256:
            continue
        if record.kind == "reading" and key not in seen:
            readings.setdefault(key, record)
        elif record.kind == "estimate" and key in readings:
            estimates.setdefault(key, record)
        if record.kind in {"estimate", "shown"}:
            seen.add(key)
    rows = [
        (patient, author, readings[patient, author].group == "high", shown.group == "high", reference.get(patient))
        for (patient, author), shown in estimates.items()
    ]
    return pd.DataFrame(rows, columns=["patient", "author", "reader", "model", "reference"])


def list_seen(records: Iterable[Record], author: str) -> set[str]:
    """Give the patients whose estimate an author was shown, of records of the kinds `PAIRED`."""
    return {r.patient for r in records if r.author == author and r.kind in {"estimate", "shown"}}


def has_decided(records: Iterable[Record], author: str) -> bool:
    """Whether an author has decided on a patient; where the model made no call, a note is the decision."""
    return any(r.author == author and (r.kind == "decision" or (r.kind == "note" and not r.group)) for r in records)
