"""The board's entries in a database: appended one after another, never changed.

By default a SQLite file in the user's data folder; PostgreSQL by the setting "database_url".
"""

import datetime
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, func, insert, select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from core.errors import UsageError, WorkError
from core.private_files import find_data_folder, make_private_file, make_private_folder
from core.register.chain import ChainReport, check_chain, hash_entry
from core.register.models import ENTRIES, HEAD, KINDS, Entry, Kind, Record
from core.settings import get_text_setting

MIGRATIONS = Path(__file__).parent / "migrations"
WAIT_SECONDS = 60
LOCK = 6_720_001
AWAY = "The board's database does not answer, so nothing was saved. Check it, then save again."


class Store:
    """The board's database.

    Parameters
    ----------
    url : str
        SQLAlchemy's address: "sqlite:////path/board.db", "postgresql://user@host/name".

    Raises
    ------
    UsageError
        If the address is no SQLite or PostgreSQL one.
    WorkError
        If the database does not answer.
    """

    def __init__(self, url: str) -> None:
        self._engine = _connect(url)
        with self._write() as connection:
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def append(self, entry: Entry) -> Record:
        """Write an entry at the end of the chain; once this returns, it is on the disk.

        Parameters
        ----------
        entry : Entry
            What is to be kept.

        Returns
        -------
        Record
            As it is kept.

        Raises
        ------
        WorkError
            If the database does not answer; then nothing was saved.
        """
        with self._write() as connection:
            number, previous = _read_head(connection, lock=True)
            columns: dict[str, Any] = {
                **asdict(entry),
                "number": number + 1,
                "time_utc": datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds"),
                "previous": previous,
            }
            columns["hash"] = hash_entry(columns)
            connection.execute(insert(ENTRIES).values(columns))
            connection.execute(update(HEAD).values(number=number + 1, hash=columns["hash"]))
        return Record(**columns)

    def read(
        self, patient: str | None = None, *, cohort: str | None = None, kinds: Collection[Kind] = KINDS
    ) -> list[Record]:
        """Read entries, oldest first: all of them, or those of a patient, of a cohort, of some kinds.

        A pseudonym names a patient within its cohort alone; whoever shows entries names the cohort too.

        Parameters
        ----------
        patient : str, optional
            Pseudonym.
        cohort : str, optional
            Hash of the cohort's table.
        kinds : collection of str
            Kinds of entries.

        Returns
        -------
        list of Record
            In the order in which they were written.
        """
        query = select(ENTRIES).order_by(ENTRIES.c.number)
        if patient is not None:
            query = query.where(ENTRIES.c.patient == patient)
        if cohort is not None:
            query = query.where(ENTRIES.c.cohort_sha256 == cohort)
        if len(kinds) < len(KINDS):
            query = query.where(ENTRIES.c.kind.in_(kinds))
        with self._read() as connection:
            return [Record(**row) for row in connection.execute(query).mappings()]

    def read_stands(self, cohort: str) -> dict[str, tuple[bool, str]]:
        """Read how each patient of a cohort was decided last.

        Parameters
        ----------
        cohort : str
            Hash of the cohort's table.

        Returns
        -------
        dict of str to tuple of (bool, str)
            Pseudonym to whether the decision agrees with the model's call, and its author.
        """
        is_decision = (ENTRIES.c.cohort_sha256 == cohort) & (ENTRIES.c.kind == "decision")
        last = select(func.max(ENTRIES.c.number)).where(is_decision).group_by(ENTRIES.c.patient)
        query = select(ENTRIES.c.patient, ENTRIES.c.agrees, ENTRIES.c.author).where(ENTRIES.c.number.in_(last))
        with self._read() as connection:
            return {patient: (agrees, author) for patient, agrees, author in connection.execute(query)}

    def verify_chain(self) -> ChainReport:
        """Check that every entry is as it was written, and none is missing.

        Returns
        -------
        ChainReport
            With the first entry that does not fit.
        """
        with self._read() as connection:
            rows = connection.execute(select(ENTRIES).order_by(ENTRIES.c.number)).mappings()
            return check_chain((Record(**row) for row in rows), _read_head(connection))

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        """Give a connection inside a transaction that no other writer shares."""
        with _report(), self._engine.execution_options(writes=True).begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
            yield connection

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        """Give a connection that sees one moment."""
        with _report(), self._engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            yield connection


def find_database() -> str:
    """Give the address of the board's database.

    Returns
    -------
    str
        The setting "database_url", or a SQLite file in the user's data folder, which is made.

    Raises
    ------
    WorkError
        If the folder can't be made.
    """
    if url := get_text_setting("database_url"):
        return url
    try:
        folder = find_data_folder()
        make_private_folder(folder)
    except OSError:
        raise WorkError("The folder of the board's database can't be made; set SONOKI_DATABASE_URL.") from None
    return f"sqlite:///{folder / 'board.db'}"


def _connect(url: str) -> Engine:
    try:
        address = make_url(url)
    except ArgumentError:
        raise UsageError("The database's address can't be read; write sqlite:////path or postgresql://...") from None
    backend = address.get_backend_name()
    if backend == "postgresql":
        return create_engine(address.set(drivername="postgresql+psycopg"), pool_pre_ping=True, hide_parameters=True)
    if backend != "sqlite" or not address.database or address.database == ":memory:":
        raise UsageError("The board's database is a SQLite file or PostgreSQL; write sqlite:////path or postgresql://.")
    _close_files(Path(address.database))
    engine = create_engine(address, connect_args={"timeout": WAIT_SECONDS}, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _close_files(path: Path) -> None:
    """Make the file, and close it and those beside it to others; SQLite gives new ones the mode of the first."""
    try:
        make_private_file(path)
        for beside in (path.with_name(path.name + end) for end in ("-wal", "-shm")):
            if beside.exists():
                make_private_file(beside)
    except OSError:
        raise WorkError(AWAY) from None


def _prepare_sqlite(connection: Any, _: ConnectionPoolEntry) -> None:
    """Take transactions into our own hands; write ahead, and wait for the disk at each commit."""
    connection.isolation_level = None
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except connection.OperationalError:  # another process is at the same switch, for which SQLite does not wait
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
    connection.execute("PRAGMA synchronous = FULL")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _report() -> Iterator[None]:
    """Turn what the database says into a sentence; its own words may hold an address or a text."""
    try:
        yield
    except OperationalError:
        raise WorkError(AWAY) from None
    except SQLAlchemyError as error:
        raise WorkError(f"The board's database refused ({type(error).__name__}), so nothing was saved.") from None


def _read_head(connection: Connection, *, lock: bool = False) -> tuple[int, str]:
    query = select(HEAD.c.number, HEAD.c.hash)
    row = connection.execute(query.with_for_update() if lock else query).one()
    return int(row.number), str(row.hash)
