"""The board's database on SQLite and on a PostgreSQL server of the tests' own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from core.register.store import Store
from tests.core.register.databases import serve_postgres


@pytest.fixture(autouse=True)
def config(monkeypatch, tmp_path) -> Path:
    """The folder of keys and of what was seen last, for one test."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "sonoki"


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A server's address, of its superuser."""
    with serve_postgres() as url:
        yield url


@pytest.fixture
def empty_postgres(postgres: str) -> str:
    """The same address, of an empty database."""
    engine = create_engine(postgres.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return postgres


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database's address."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'board.db'}"
    return request.getfixturevalue("empty_postgres")


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """The board's store."""
    opened = Store(url)
    yield opened
    opened.close()
