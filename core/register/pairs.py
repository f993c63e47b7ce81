"""Readings before the model's estimate, paired with the estimate that was shown then."""

from collections.abc import Iterable, Mapping

import pandas as pd

from core.register.models import Record


def pair_readings(records: Iterable[Record], cohort_sha256: str, reference: Mapping[str, bool]) -> pd.DataFrame:
    """Pair each reader's first reading of a patient with the model's estimate that followed it.

    Parameters
    ----------
    records : iterable of Record
        Entries, oldest first.
    cohort_sha256 : str
        Cohort whose entries count.
    reference : mapping of str to bool
        Whether the surgical Ki-67 is high, of the patients of whom it is known.

    Returns
    -------
    DataFrame
        ``patient, author, reader, model, reference``: whether each called it high; a row for each pair.
    """
    first: dict[tuple[str, str], dict[str, Record]] = {}
    for record in records:
        if record.cohort_sha256 == cohort_sha256 and record.kind in {"reading", "estimate"}:
            first.setdefault((record.patient, record.author), {}).setdefault(record.kind, record)
    rows = [
        (patient, author, kept["reading"].group == "high", kept["estimate"].group == "high", reference.get(patient))
        for (patient, author), kept in first.items()
        if len(kept) == 2
    ]
    return pd.DataFrame(rows, columns=["patient", "author", "reader", "model", "reference"])
