"""Entries chained by hash: changing or taking away one breaks the chain at its place."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core.register.models import Record

START = "0" * 64


@dataclass(frozen=True)
class ChainReport:
    """Whether a chain holds.

    Parameters
    ----------
    entries : int
        Entries that were read.
    broken_at : int or None
        Number of the first entry that is changed or missing; None where the chain holds.
    reason : str
        What is wrong with it.
    last_hash : str
        Hash of the last entry that holds; written down elsewhere, it proves that nothing was taken away later.
    """

    entries: int
    broken_at: int | None
    reason: str
    last_hash: str

    @property
    def holds(self) -> bool:
        """Whether every entry is as it was written."""
        return self.broken_at is None


def hash_entry(columns: Mapping[str, Any]) -> str:
    """Hash an entry's columns, all but the hash itself.

    Parameters
    ----------
    columns : mapping of str to value
        Columns by name, the hash of the entry before among them.

    Returns
    -------
    str
        SHA-256 over JSON with sorted keys and no spaces.
    """
    kept = {name: value for name, value in columns.items() if name != "hash"}
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def check_chain(records: Iterable[Record], head: tuple[int, str]) -> ChainReport:
    """Check every entry's number, link and hash, and that the last is the one that was written last.

    Parameters
    ----------
    records : iterable of Record
        In the order of their numbers.
    head : tuple of (int, str)
        Number and hash of the entry that was written last; (0, `START`) where there is none.

    Returns
    -------
    ChainReport
        With the first entry that does not fit.
    """
    previous, count, fault = START, 0, None
    for record in records:
        count += 1
        if fault is None:
            fault = _find_fault(record, count, previous)
            previous = previous if fault else record.hash
    if fault is None and (count, previous) != head:
        fault = (count + 1, f"entry {head[0]} was the last to be written, and {count} entries are there")
    broken_at, reason = fault or (None, "")
    return ChainReport(count, broken_at, reason, previous)


def _find_fault(record: Record, number: int, previous: str) -> tuple[int, str] | None:
    if record.number != number:
        return number, f"entry {number} is missing"
    if record.previous != previous:
        return number, f"entry {number} does not follow the one before"
    if record.hash != hash_entry(record.to_dict()):
        return number, f"entry {number} was changed"
    return None
