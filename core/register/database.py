"""The way to the board's database: SQLite in a file of the user's, or PostgreSQL with a role that can only append."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from core.errors import UsageError, WorkError
from core.private_files import find_data_folder, make_private_file, make_private_folder
from core.settings import get_text_setting

WAIT_SECONDS = 60
CACHE_KB = 65_536
GRANTS = (
    "REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM PUBLIC, {role}",
    "REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC, {role}",
    "GRANT USAGE ON SCHEMA {schema} TO {role}",
    "GRANT SELECT, INSERT ON {schema}.entries TO {role}",
    "GRANT SELECT ON {schema}.head, {schema}.estimates, {schema}.alembic_version TO {role}",
)
MAY_CHANGE = text(
    "SELECT rolsuper OR pg_has_role(rolname, (SELECT tableowner FROM pg_tables "
    "WHERE schemaname = current_schema() AND tablename = 'entries'), 'MEMBER') "
    "FROM pg_roles WHERE rolname = COALESCE(:role, current_user)"
)
AWAY = "The board's database does not answer, so nothing was saved. Check it, then save again."


def find_database() -> str:
    """Give the address of the board's database."""
    if url := get_text_setting("database_url"):
        return url
    try:
        folder = find_data_folder()
        make_private_folder(folder)
    except OSError:
        raise WorkError("The folder of the board's database can't be made; set SONOKI_DATABASE_URL.") from None
    return f"sqlite:///{folder / 'board.db'}"


def connect(url: str) -> Engine:
    """Make the engine of an address; a SQLite file is made, for its owner alone."""
    address = _read_address(url)
    if address.get_backend_name() == "postgresql":
        return create_engine(address.set(drivername="postgresql+psycopg"), pool_pre_ping=True, hide_parameters=True)
    _close_files(Path(str(address.database)))
    engine = create_engine(address, connect_args={"timeout": WAIT_SECONDS}, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def name_place(url: str) -> str:
    """Name where a database lies, without user and password."""
    address = _read_address(url)
    if address.get_backend_name() == "sqlite":
        return str(Path(str(address.database)).resolve())
    return f"{address.host or ''}:{address.port or 5432}/{address.database or ''}"


@contextmanager
def report_faults(refused: str = "") -> Iterator[None]:
    """Turn what the database says into a sentence, `refused` where it answers but refuses.

    Its own words may hold an address or a text.
    """
    try:
        yield
    except OperationalError:
        raise WorkError(AWAY) from None
    except CommandError:
        raise WorkError("The board's database was written by a newer SonoKi: take that version.") from None
    except SQLAlchemyError as error:
        name = type(error).__name__
        raise WorkError(refused or f"The board's database refused ({name}), so nothing was saved.") from None


def grant_app_role(connection: Connection, role: str) -> None:
    """Let a role read and append entries, and take every other right on them from it."""
    if connection.dialect.name != "postgresql":
        raise UsageError("Roles are PostgreSQL's; a SQLite file is guarded by its owner alone.")
    may_change = connection.scalar(MAY_CHANGE, {"role": role})
    if may_change is None:
        raise UsageError(f"There is no role '{role[:63]}'; make it first: CREATE ROLE ... LOGIN PASSWORD '...'.")
    if may_change:
        raise UsageError("This role owns the tables or is a superuser, so it can't be held to appending; name another.")
    quoted = connection.dialect.identifier_preparer.quote_identifier(role)
    schema = connection.scalar(text("SELECT quote_ident(current_schema())"))
    for statement in GRANTS:
        connection.execute(text(statement.format(schema=schema, role=quoted)))


def may_change_entries(connection: Connection) -> bool:
    """Whether the role of a connection could change entries: it owns the tables or is a superuser."""
    return connection.dialect.name == "postgresql" and bool(connection.scalar(MAY_CHANGE, {"role": None}))


def _read_address(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError:
        raise UsageError("The database's address can't be read; write sqlite:////path or postgresql://...") from None
    backend = address.get_backend_name()
    if backend != "postgresql" and (backend != "sqlite" or address.database in {None, "", ":memory:"}):
        raise UsageError("The board's database is a SQLite file or PostgreSQL; write sqlite:////path or postgresql://.")
    return address


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
    """Take transactions into our own hands, write ahead, wait for the disk; a replaced row meets its triggers."""
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
    connection.execute("PRAGMA recursive_triggers = ON")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KB}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
