"""Entries chained by hash and sealed: changing, forging or taking away one breaks the chain at its place."""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from core.register.models import WITHHELD, Record
from core.register.witness import Anchor

START = "0" * 64
NOT_HASHED = frozenset({"hash", "key_id", "seal"})
ADDED = frozenset({"author_key", "centre", "exam_date", "bundle", "identity", "details", "corrects"})
WRITER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


@dataclass(frozen=True)
class ChainReport:
    """Whether a chain holds."""

    entries: int  # entries that were read
    broken_at: int | None  # number of the first entry that is changed or missing; None where the chain holds
    reason: str  # what is wrong with it
    # hash of the last entry that holds; written down elsewhere, it proves that nothing was taken away later
    last_hash: str

    @property
    def holds(self) -> bool:
        """Whether every entry is as it was written."""
        return self.broken_at is None


def hash_entry(columns: Mapping[str, object]) -> str:
    """Hash an entry's columns, all but the hash itself and its seal; a column that was added later only if filled."""
    kept = {name: value for name, value in columns.items() if name not in NOT_HASHED and (value or name not in ADDED)}
    return hash_json(kept)


def write_json(value: object) -> str:
    """Write JSON so that the same value is the same text."""
    return WRITER.encode(value)


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
            if fault is None and (record.seal or (is_sealed and count > 1)) and (reason := find_unsealed(record)):
                fault = (count, reason)
            is_sealed = bool(record.seal)
            previous = previous if fault else record.hash
    fault = fault or _find_missing(count, previous, head, expected)
    if fault is None and not is_sealed:
        fault = (count, f"entry {count} carries no seal")
    broken_at, reason = fault or (None, "")
    return ChainReport(count, broken_at, reason, previous)


def withhold_faulty(
    records: Sequence[Record], find_unsealed: Callable[[Record], str], proven: Collection[int]
) -> list[Record]:
    """Put a sentence in the place of each entry that does not hold by itself or beside the next one.

    Records come oldest first; entries between them may be missing. `find_unsealed` says what is wrong with an entry's
    seal; `proven` are numbers of entries without a seal that a later seal proves. Of a withheld one number and patient
    are left, and why.
    """
    faults: dict[int, str] = {}
    for record in records:
        if record.hash != _hash_found(record):
            faults[record.number] = f"entry {record.number} was changed"
        elif record.number not in proven and (reason := find_unsealed(record)):
            faults[record.number] = reason
    for one, after in pairwise(record for record in records if record.number not in faults):
        if one.number + 1 == after.number and after.previous != one.hash:
            faults |= dict.fromkeys((one.number, after.number), f"entry {after.number} does not follow the one before")
    return [_withhold(record, faults[record.number]) if record.number in faults else record for record in records]


def list_proven(run: Sequence[Record]) -> set[int]:
    """List the numbers of a run of entries that the seal of its last one proves, back to the first broken link."""
    proven, expected = set(), run[-1].hash if run else ""
    for record in reversed(run):
        if not expected == record.hash == _hash_found(record):
            break
        proven.add(record.number)
        expected = record.previous
    return proven


def _withhold(record: Record, reason: str) -> Record:
    sentence = f"Withheld: {reason}. Tell the database administrator."
    return Record(patient=str(record.patient), author="", kind=WITHHELD, text=sentence, number=record.number)


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
