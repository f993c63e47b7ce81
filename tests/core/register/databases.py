"""A PostgreSQL server for tests, from Debian's package, in a folder of its own on the loopback; tampering."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from core.register.database import connect
from tests.pages.serving import find_port
from tests.tools import find_program


def tamper(url: str, statement: str) -> None:
    """Change the entries as somebody with the database's password could: what refuses it is dropped first."""
    engine = connect(url)
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(text("DROP TRIGGER IF EXISTS refuse_update"))
            connection.execute(text("DROP TRIGGER IF EXISTS refuse_delete"))
        else:
            connection.execute(text("DROP TRIGGER refuse_change ON entries"))
        connection.execute(text(statement))
    engine.dispose()


@contextmanager
def serve_postgres() -> Iterator[str]:
    """Start a server as a user who is not root, and give its address."""
    folder = Path(tempfile.mkdtemp(prefix="sonoki-postgres-"))
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_user:
        shutil.chown(folder, "postgres")
    port, data = find_port(), folder / "data"

    def call(program: str, *arguments: str) -> None:
        subprocess.run(
            [*as_user, str(find_program(program)), *arguments],
            check=True,
            timeout=120,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    try:
        call("initdb", "-D", str(data), "-A", "trust", "-U", "board", "-E", "UTF8")
        call("pg_ctl", "-D", str(data), "-w", "-o", f"-p {port} -k {folder} -c listen_addresses=127.0.0.1", "start")
        yield f"postgresql://board@127.0.0.1:{port}/postgres"
    finally:
        if (data / "postmaster.pid").exists():
            call("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)
