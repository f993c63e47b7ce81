"""Estimates that were kept by mistake: a further entry withdraws one, another undoes that; nothing is deleted."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, case, func, select

from core.errors import InputError, WorkError
from core.register.chain import hash_json
from core.register.models import ENTRIES, MAX_TEXT, WITHHELD, Entry, Kind, Record
from core.register.outcome_entry import Author
from core.register.store import AT_ONCE, Store

REASONS = (
    "another patient's image or values",
    "wrong image or lesion box",
    "wrong clinical values",
    "entered for a test",
    "consent withdrawn",
    "another reason",
)
NEEDS_WORDS = REASONS[-1]
LONGEST = 400
SIGN: dict[Kind, int] = {"withdrawal": 1, "reinstatement": -1}
MEANWHILE = (
    "Somebody withdrew or reinstated this estimate in the meantime, so nothing was saved: check what is kept now."
)


def select_withdrawn() -> Select[Any]:
    """Select the numbers of the estimates that are withdrawn: by more withdrawals than were undone."""
    balance = func.sum(case((ENTRIES.c.kind == "withdrawal", 1), else_=-1))
    pairs = select(ENTRIES.c.corrects).where(ENTRIES.c.kind.in_(SIGN), ENTRIES.c.corrects.is_not(None))
    return pairs.group_by(ENTRIES.c.corrects).having(balance > 0)


def find_last(store: Store, number: int) -> Record | None:
    """Find the last withdrawal or reinstatement of an estimate."""
    found = store.read_where(ENTRIES.c.kind.in_(SIGN), ENTRIES.c.corrects == number)
    return found[-1] if found else None


def count_withdrawn(store: Store, identities: Sequence[str]) -> int:
    """Count the estimates of given identities that are kept and withdrawn."""
    withdrawn = select(func.count().label("n")).where(ENTRIES.c.number.in_(select_withdrawn()))
    parts = (identities[start : start + AT_ONCE] for start in range(0, len(identities), AT_ONCE))
    return sum(int(store.select(withdrawn.where(ENTRIES.c.identity.in_(part)))[0]["n"]) for part in parts)


def is_withdrawn(last: Record | None) -> bool:
    """Whether an estimate is withdrawn, by the last that was said of it."""
    return last is not None and last.kind == "withdrawal"


def withdraw(store: Store, number: int, author: Author, *, reason: str, text: str = "") -> Record:
    """Withdraw an estimate. The reason is one of `REASONS`; the last of them needs a text, at most 400 characters."""
    if reason not in REASONS:
        raise InputError(f"Choose one of the reasons: {'; '.join(REASONS)}.")
    if reason == NEEDS_WORDS and not text.strip():
        raise InputError("Say which other reason it is.")
    words = f"{reason}: {text.strip()}" if text.strip() else reason
    return _append(store, number, author, "withdrawal", words)


def reinstate(store: Store, number: int, author: Author, *, text: str) -> Record:
    """Undo the withdrawal of an estimate, with a reason in words."""
    if not text.strip():
        raise InputError("Give the reason why the withdrawal is undone.")
    return _append(store, number, author, "reinstatement", text.strip())


def _append(store: Store, number: int, author: Author, kind: Kind, words: str) -> Record:
    is_there = 0 < number <= store.read_anchor().number  # no database takes every number
    estimates = store.read_where(ENTRIES.c.number == number) if is_there else []
    if not estimates or estimates[0].kind not in {"registered", WITHHELD}:
        raise InputError(f"Entry {number} is not an estimate of the register.")
    last = find_last(store, number)
    for record in (estimates[0], last):
        if record is not None and record.kind == WITHHELD:
            raise WorkError(record.text)
    if is_withdrawn(last) == (kind == "withdrawal"):
        raise InputError(f"Entry {number} is withdrawn already." if kind == "withdrawal" else "It is not withdrawn.")
    if len(words) > min(MAX_TEXT, LONGEST + len(max(REASONS, key=len)) + 2):
        raise InputError(f"The text is longer than {LONGEST} characters; shorten it.")
    entry = Entry(
        estimates[0].patient,
        author.name,
        kind,
        text=words,
        role=author.role,
        author_key=author.key,
        identity=hash_json([kind, number, last.number if last else 0]),
        corrects=number,
    )
    written = store.append_all([entry])
    if not written:
        raise WorkError(MEANWHILE)
    return written[0]
