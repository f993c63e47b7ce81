"""Entries chained by hash and sealed: changing, forging or taking away one breaks the chain at its place."""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core.register.models import Record
from core.register.witness import Anchor

START = "0" * 64
NOT_HASHED = frozenset({"hash", "key_id", "seal"})
ADDED = frozenset({"author_key", "centre", "exam_date", "bundle", "identity", "details", "corrects"})


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
    """Hash an entry's columns, all but the hash itself and its seal; a column that was added later only if filled."""
    kept = {name: value for name, value in columns.items() if name not in NOT_HASHED and (value or name not in ADDED)}
    return hash_json(kept)


def write_json(value: object) -> str:
    """Write JSON so that the same value is the same text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def hash_json(value: object) -> str:
    """Hash a value's JSON."""
    return hashlib.sha256(write_json(value).encode("utf-8")).hexdigest()


def check_chain(
    records: Iterable[Record],
    head: tuple[int, str],
    find_unsealed: Callable[[Record], str],
    expected: Collection[Anchor],
) -> ChainReport:
    """Check every entry's number, link, hash and seal, and that the last is the one that was written last."""
    previous, count, fault, is_sealed = START, 0, None, True
    for record in records:
        count += 1
        if fault is None:
            fault = _find_fault(record, count, previous, expected)
            if fault is None and (record.seal or (is_sealed and count > 1)):
                reason = find_unsealed(record) if record.seal else f"entry {count} carries no seal"
                fault = (count, reason) if reason else None
            is_sealed = bool(record.seal)
            previous = previous if fault else record.hash
    fault = fault or _find_missing(count, previous, head, expected)
    if fault is None and not is_sealed:
        fault = (count, f"entry {count} carries no seal")
    broken_at, reason = fault or (None, "")
    return ChainReport(count, broken_at, reason, previous)


def _find_fault(record: Record, number: int, previous: str, expected: Collection[Anchor]) -> tuple[int, str] | None:
    if record.number != number:
        return number, f"entry {number} is missing"
    if record.previous != previous:
        return number, f"entry {number} does not follow the one before"
    if record.hash != _hash_found(record):
        return number, f"entry {number} was changed"
    if any(anchor.number == number and not record.hash.startswith(anchor.hash) for anchor in expected):
        return number, f"entry {number} is not the one that was seen before"
    return None


def _hash_found(record: Record) -> str:
    """Hash an entry as it is found; "" where a column holds what no entry can: bytes, or a number without end."""
    try:
        return hash_entry(record.to_dict())
    except (TypeError, ValueError):
        return ""


def _find_missing(count: int, last: str, head: tuple[int, str], expected: Collection[Anchor]) -> tuple[int, str] | None:
    if (count, last) != head:
        return count + 1, f"entry {head[0]} was the last to be written, and {count} entries are there"
    latest = max((anchor.number for anchor in expected), default=0)
    if latest > count:
        return count + 1, f"entry {latest} was seen before, and {count} entries are there"
    return None
