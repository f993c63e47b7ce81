"""Which bundle answers: put into use and taken back by entries of the chain, for every server of one database."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select

from core.errors import InputError, WorkError
from core.register.chain import hash_json, write_json
from core.register.models import BUNDLE_USE, ENTRIES, WITHHELD, Entry, Kind, Record
from core.register.outcome_entry import Author
from core.register.store import Store

NOBODY_ELSE = "Another admin changed which bundle answers in the meantime. Look at it, then decide again."
WITHHELD_USE = "It is not known which bundle answers: {text}"


@dataclass(frozen=True)
class Chosen:
    """A bundle by name and hash; without a hash the one of the setting "bundle"."""

    sha256: str = ""
    name: str = ""


OF_SETTING = Chosen()


@dataclass(frozen=True)
class BundleUse:
    """Which bundle answers, and how that came."""

    # those put into use and not taken back, each with the one that answered before; the last one answers. Where there
    # is none, it is that of the setting "bundle"
    chosen: tuple[tuple[Chosen, Chosen], ...] = ()
    records: tuple[Record, ...] = ()  # the entries, oldest first

    @property
    def current(self) -> Chosen:
        """The bundle that answers."""
        return self.chosen[-1][0] if self.chosen else OF_SETTING

    @property
    def before(self) -> Chosen:
        """The bundle that answers once the current one is taken back."""
        return self.chosen[-1][1] if self.chosen else OF_SETTING

    @property
    def last(self) -> int:
        """Number of the last entry; 0 before the first."""
        return self.records[-1].number if self.records else 0


def read_use(store: Store) -> BundleUse:
    """Read which bundle answers."""
    records = store.read_where(ENTRIES.c.kind.in_(BUNDLE_USE))
    return BundleUse(_replay(records), tuple(records))


def read_last_use(store: Store) -> int:
    """Read the number of the last entry about it; 0 before the first."""
    query = select(func.max(ENTRIES.c.number).label("last")).where(ENTRIES.c.kind.in_(BUNDLE_USE))
    return int(store.select(query)[0]["last"] or 0)


def put_into_use(store: Store, seen: BundleUse, bundle: Chosen, *, before: Chosen, author: Author, note: str) -> Record:
    """Let another bundle answer from now on; the entry names both, and why.

    It is refused if somebody else decided since `seen`, what the admin was shown.
    """
    if bundle.sha256 == before.sha256:
        raise InputError("This bundle answers already; choose another one.")
    return _append(store, seen, _make_entry("put into use", bundle, author, note), before)


def take_back(store: Store, seen: BundleUse, *, author: Author, note: str) -> Record:
    """Let the bundle before the current one answer again; an entry that names both, its errors as in `put_into_use`."""
    if not seen.chosen:
        raise InputError("No bundle was put into use, so there is none to take back.")
    return _append(store, seen, _make_entry("taken back", seen.before, author, note), seen.current)


def _append(store: Store, use: BundleUse, entry: Entry, before: Chosen) -> Record:
    if not entry.text:
        raise InputError("Give a reason: it is kept in the record.")
    told = write_json({"before": {"name": before.name, "sha256": before.sha256}})
    kept = store.append_all([replace(entry, identity=hash_json(["bundle in use", use.last]), details=told)])
    if not kept:
        raise WorkError(NOBODY_ELSE)
    return kept[0]


def _make_entry(kind: Kind, bundle: Chosen, author: Author, note: str) -> Entry:
    return Entry(
        "",
        author.name,
        kind,
        text=note.strip(),
        role=author.role,
        author_key=author.key,
        bundle=bundle.name,
        bundle_sha256=bundle.sha256,
    )


def _replay(records: Sequence[Record]) -> tuple[tuple[Chosen, Chosen], ...]:
    chosen: list[tuple[Chosen, Chosen]] = []
    for record in records:
        if record.kind == WITHHELD:
            raise WorkError(WITHHELD_USE.format(text=record.text))
        if record.kind == "put into use":
            chosen.append((Chosen(record.bundle_sha256, record.bundle), _read_before(record)))
        elif chosen:
            chosen.pop()
    return tuple(chosen)


def _read_before(record: Record) -> Chosen:
    before = json.loads(record.details)["before"]
    return Chosen(str(before["sha256"]), str(before["name"]))


def describe_entry(record: Record) -> str:
    """Say what an entry changed: when, who, which bundle in place of which."""
    before, time = _read_before(record), record.time_utc[:16].replace("T", " ")
    verb = "put into use" if record.kind == "put into use" else "answers again"
    now, then = (f"{one.name} ({one.sha256[:12]})" for one in (Chosen(record.bundle_sha256, record.bundle), before))
    return f"{time} UTC, {record.author}: {now} {verb} in place of {then}"
