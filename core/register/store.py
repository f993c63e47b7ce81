"""Entries of board and register in a database: appended one after another, never changed.

By default a SQLite file in the user's data folder; PostgreSQL by the setting "database_url".
"""

import datetime
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import ColumnElement, Connection, RowMapping, Select, func, insert, select, text

from core.errors import AppError, WorkError
from core.private_files import find_config_folder
from core.register.chain import START, ChainReport, check_chain, hash_entry, list_proven, withhold_faulty
from core.register.database import connect, grant_app_role, may_change_entries, name_place, report_faults
from core.register.models import ENTRIES, HEAD, NOT_STANDING, SAID, Entry, Kind, Record
from core.register.seal import SealKeys, find_key_file
from core.register.witness import Anchor, Witness

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 6_720_001
AT_ONCE = 10_000
UNSEALED = (
    "The last entry of the board's record carries no seal, so nothing was saved: a seal after it would make all before "
    "it look genuine. Tell the database administrator to run `python -m core audit`."
)
DOWNGRADED = (
    "The board's database holds no seals, though sealed entries were seen in it: put its backup back. Only if this "
    "is that backup, take the file {file} out of the configuration folder and start again."
)
UNLISTED = "the lists show estimate {number} otherwise than the entries do"
UNPREPARED = (
    "The board's database is not set up for this version of SonoKi, and this role may not do it: let the database's "
    "owner run `python -m core prepare-database`."
)


class Store:
    """The board's database.

    Parameters
    ----------
    url : str
        SQLAlchemy's address: "sqlite:////path/board.db", "postgresql://user@host/name".
    key_file : Path, optional
        Keys that seal the entries; by default `find_key_file`.

    Raises
    ------
    UsageError
        If the address is no SQLite or PostgreSQL one.
    WorkError
        If the database does not answer, is not set up, or the keys can't be read.
    """

    def __init__(self, url: str, key_file: Path | None = None) -> None:
        self._engine = connect(url)
        self._keys = SealKeys.open(key_file or find_key_file())
        self._witness = Witness(find_config_folder(), name_place(url))
        try:
            self._migrate()
        except AppError:
            self.close()
            raise

    @property
    def url(self) -> str:
        """Address of the database, without a password."""
        return str(self._engine.url)

    def append(self, entry: Entry) -> Record:
        """Write an entry at the end of the chain; once this returns, it is on the disk."""
        return self.append_all([entry])[0]

    def append_all(self, entries: Sequence[Entry]) -> list[Record]:
        """Write entries at the end of the chain, all of them or none; one whose identity is kept is left out."""
        rows: list[dict[str, Any]] = []
        if not entries:
            return []
        with self._write() as connection:
            entries = _leave_out_kept(connection, entries)
            if not entries:
                return []
            number, previous = _read_head(connection)
            _check_sealed(connection, number)
            is_known = self._follows_witness(connection, number, previous)
            now = datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds")
            for place, entry in enumerate(entries, start=number + 1):
                columns = vars(entry) | {"number": place, "time_utc": now, "previous": previous}
                previous = columns["hash"] = hash_entry(columns)
                rows.append(columns | self._keys.seal(place, previous))
            connection.execute(insert(ENTRIES), rows)
        if is_known:
            with suppress(WorkError):  # `verify_chain` says it
                self._witness.keep(number + len(rows), previous)
        return [Record(**row) for row in rows]

    def read(
        self, patient: str | None = None, *, cohort: str | None = None, kinds: Collection[Kind] = SAID
    ) -> list[Record]:
        """Read what was said, oldest first: all of it, or the entries of a patient, of a cohort, of some kinds.

        An entry that does not hold comes as one of kind "withheld", with a sentence in the place of its text.
        """
        conditions: list[ColumnElement[bool]] = [ENTRIES.c.kind.in_(kinds)]
        if patient is not None:
            conditions.append(ENTRIES.c.patient == patient)
        if cohort is not None:
            conditions.append(ENTRIES.c.cohort_sha256 == cohort)
        return self.read_where(*conditions)

    def read_where(self, *conditions: ColumnElement[bool]) -> list[Record]:
        """Read the entries that conditions let through, oldest first; one that does not hold is "withheld"."""
        with self._read() as connection:
            return self._read_holding(connection, select(ENTRIES).where(*conditions))

    def select(self, query: Select[Any]) -> list[RowMapping]:
        """Read counts and names; what an entry says is read by `read_where`, which checks it."""
        with self._read() as connection:
            return list(connection.execute(query).mappings())

    def read_as_found(self) -> Iterator[Record]:
        """Read every entry as it stands in the database, whether it holds or not, without holding all of them."""
        with self._read() as connection:
            yield from _read_all(connection)

    def read_stands(self, cohort: str) -> dict[str, Record]:
        """Read the last decision on each patient of a cohort; one that does not hold is "withheld"."""
        is_decision = (ENTRIES.c.cohort_sha256 == cohort) & (ENTRIES.c.kind == "decision")
        last = select(func.max(ENTRIES.c.number)).where(is_decision).group_by(ENTRIES.c.patient)
        with self._read() as connection:
            records = self._read_holding(connection, select(ENTRIES).where(ENTRIES.c.number.in_(last)))
        return {record.patient: record for record in records}

    def read_anchor(self) -> Anchor:
        """Read number and hash of the last entry; written down elsewhere, they prove what was there."""
        with self._read() as connection:
            return Anchor(*_read_head(connection))

    def verify_chain(self, expected: Collection[Anchor] = ()) -> ChainReport:
        """Check that every entry is as it was written and sealed by us, and none that was seen before is missing.

        What the lists read, the table of estimates as they stand, has to follow from the entries.
        """
        seen = self._witness.read()
        with self._read() as connection:
            head = _read_head(connection)
            anchors = [*expected, *([seen] if seen else [])]
            report = check_chain(_read_all(connection), head, self._keys.find_fault, anchors)
            if report.holds and (number := connection.scalar(text(NOT_STANDING))) is not None:
                report = replace(report, broken_at=number, reason=UNLISTED.format(number=number))
        if report.holds and report.entries:
            self._witness.keep(report.entries, report.last_hash)
        return report

    def accept(self) -> ChainReport:
        """Take the database as it is for the record, after its backup was put back or it was moved on purpose."""
        with self._read() as connection:
            head = _read_head(connection)
            report = check_chain(_read_all(connection), head, self._keys.find_fault, ())
        if report.holds:
            self._witness.keep(report.entries, report.last_hash, lower=True)
        return report

    def add_key(self) -> None:
        """Seal with a new key from now on."""
        self._keys = self._keys.add_key()

    def grant_app_role(self, role: str) -> None:
        """Let a role of PostgreSQL read and append entries and nothing else."""
        with self._write() as connection:
            grant_app_role(connection, role)

    def may_change_entries(self) -> bool:
        """Whether the address's own role could change entries in PostgreSQL."""
        with self._read() as connection:
            return may_change_entries(connection)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def _read_holding(self, connection: Connection, query: Select[Any]) -> list[Record]:
        """Read entries, each checked by its own hash and seal."""
        records = _read_records(connection, query)
        if any(record.key_id and not self._keys.has(record) for record in records):
            self._keys = SealKeys.open(self._keys.path)  # another process may have added one
        early = [record.number for record in records if not record.seal]
        proven = self._list_proven(connection, min(early)) if early else set()
        return withhold_faulty(records, self._keys.find_fault, proven)

    def _list_proven(self, connection: Connection, number: int) -> set[int]:
        """List the entries from a number on that the first seal proves: those written before there were seals."""
        sealed = connection.scalar(select(func.min(ENTRIES.c.number)).where(ENTRIES.c.seal != ""))
        run = _read_records(connection, select(ENTRIES).where(ENTRIES.c.number.between(number, sealed or 0)))
        return set() if not run or self._keys.find_fault(run[-1]) else list_proven(run)

    def _migrate(self) -> None:
        """Bring the tables to this version; the last entry of a database without seals is sealed once."""
        with self._write(UNPREPARED) as connection:
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
            config.attributes |= {"connection": connection, "seal": self._seal_first}
            command.upgrade(config, "head")

    def _seal_first(self, number: int, entry_hash: str) -> dict[str, str]:
        """Seal a database from before the seals; one that had them was forged, and our seal would hide that."""
        if self._witness.is_there():
            raise WorkError(DOWNGRADED.format(file=self._witness.name))
        return self._keys.seal(number, entry_hash)

    def _follows_witness(self, connection: Connection, number: int, last_hash: str) -> bool:
        """Whether the entry that was seen last is still there, so that the next one may be remembered in its place."""
        try:
            seen = self._witness.read()
        except WorkError:  # `verify_chain` says it; an entry is not lost for that
            return False
        if seen is None or (number, last_hash) == (seen.number, seen.hash):
            return True
        found = connection.scalar(select(ENTRIES.c.hash).where(ENTRIES.c.number == seen.number))
        return found is not None and found.startswith(seen.hash)

    @contextmanager
    def _write(self, refused: str = "") -> Iterator[Connection]:
        """Give a connection inside a transaction that no other writer shares."""
        with report_faults(refused), self._engine.execution_options(writes=True).begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
            yield connection

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        """Give a connection that sees one moment."""
        with report_faults(), self._engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            yield connection


def _read_records(connection: Connection, query: Select[Any]) -> list[Record]:
    """Read entries, oldest first."""
    return [Record(**row) for row in connection.execute(query.order_by(ENTRIES.c.number)).mappings()]


def _read_head(connection: Connection) -> tuple[int, str]:
    row = connection.execute(select(HEAD.c.number, HEAD.c.hash)).first()
    return (int(row.number), str(row.hash)) if row else (0, START)


def _check_sealed(connection: Connection, number: int) -> None:
    """Check that the last entry is sealed; one in a database from before the seals was sealed by its migration."""
    if connection.scalar(select(ENTRIES.c.seal).where(ENTRIES.c.number == number)) == "":
        raise WorkError(UNSEALED)


def _read_all(connection: Connection) -> Iterator[Record]:
    """Read every entry in its order, without holding all of them."""
    query = select(ENTRIES).order_by(ENTRIES.c.number).execution_options(yield_per=AT_ONCE)
    return (Record(**row) for row in connection.execute(query).mappings())


def _leave_out_kept(connection: Connection, entries: Sequence[Entry]) -> list[Entry]:
    """Leave out entries whose identity is kept, or comes twice."""
    told = sorted({entry.identity for entry in entries if entry.identity})
    kept: set[str] = set()
    for start in range(0, len(told), AT_ONCE):
        query = select(ENTRIES.c.identity).where(ENTRIES.c.identity.in_(told[start : start + AT_ONCE]))
        kept |= set(connection.scalars(query.where(ENTRIES.c.identity != "")))
    new = []
    for entry in entries:
        if not entry.identity or entry.identity not in kept:
            new.append(entry)
            kept.add(entry.identity)
    return new
