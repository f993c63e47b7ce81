"""PostgreSQL: the app's role appends and reads, and the server refuses it everything else."""

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text
from typer.testing import CliRunner

from core.cli import app
from core.errors import UsageError, WorkError
from core.register.models import Entry
from core.register.store import Store

pytestmark = pytest.mark.needs("postgresql")
ENTRY = Entry("P-001", "AB", "note", text="One.")


def run(url: str, statement: str) -> None:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    try:
        with engine.begin() as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()


@pytest.fixture
def role(empty_postgres) -> Iterator[str]:
    """A role without rights, and a trap for whoever quotes badly."""
    name = 'app" x'
    run(empty_postgres, 'CREATE ROLE "app"" x" LOGIN')
    yield name
    run(empty_postgres, 'DROP OWNED BY "app"" x"')
    run(empty_postgres, 'DROP ROLE "app"" x"')


@pytest.fixture
def app_url(empty_postgres, role) -> str:
    """The address of the app's role, set up by the documented command."""
    done = CliRunner().invoke(app, ["prepare-database", "--database", empty_postgres, "--role", role])
    assert done.exit_code == 0, done.exception
    return empty_postgres.replace("board@", "app%22%20x@")


@pytest.fixture
def store(app_url) -> Iterator[Store]:
    """The board's store as the app opens it, with one entry."""
    opened = Store(app_url)
    opened.append(ENTRY)
    yield opened
    opened.close()


def test_the_apps_role_appends_reads_and_verifies(store):
    kept = store.append(ENTRY)
    assert store.read("P-001")[1] == kept
    assert store.verify_chain().holds
    assert not store.may_change_entries()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET text = 'x'",
        "DELETE FROM entries",
        "TRUNCATE entries",
        "TRUNCATE head, entries",
        "UPDATE head SET number = 0",
        "DELETE FROM head",
        "INSERT INTO head VALUES (2, 0, 'x')",
        "UPDATE alembic_version SET version_num = '0001'",
        "DROP TABLE entries",
        "DROP TRIGGER refuse_change ON entries",
        "ALTER TABLE entries DISABLE TRIGGER ALL",
        "ALTER TABLE entries ADD COLUMN x integer",
        "CREATE TABLE public.head2 (id integer)",
        "CREATE OR REPLACE FUNCTION public.refuse_change() RETURNS trigger AS '' LANGUAGE plpgsql",
        "SET session_replication_role = replica",
        "ALTER ROLE CURRENT_USER SUPERUSER",
        "INSERT INTO entries SELECT * FROM entries ON CONFLICT (number) DO UPDATE SET text = 'x'",
    ],
)
def test_the_apps_role_can_do_nothing_else(store, app_url, statement):
    with pytest.raises(
        Exception, match=r"permission denied|must be owner|must have the|must be superuser|never changed"
    ):
        run(app_url, statement)
    assert store.verify_chain().holds


def test_a_temporary_table_does_not_stand_in_for_the_head(store, app_url):
    rest = (
        "time_utc, patient, cohort_sha256, author, role, kind, text, agrees, probability, low, high, bundle_sha256, "
        'input_sha256, "group", key_id, seal'
    )
    forged = (
        "CREATE TEMP TABLE head (id integer, number integer, hash text); INSERT INTO head VALUES (1, 8, 'x'); "
        f"INSERT INTO public.entries (number, previous, hash, {rest}) SELECT 9, 'x', 'y', {rest} FROM public.entries"
    )
    with pytest.raises(Exception, match="only appended"):
        run(app_url, forged)
    assert store.verify_chain().entries == 1


def test_a_role_that_owns_the_tables_is_refused_and_audit_says_so(empty_postgres):
    done = CliRunner().invoke(app, ["prepare-database", "--database", empty_postgres, "--role", "board"])
    assert isinstance(done.exception, UsageError)
    assert "can't be held to appending" in str(done.exception)
    assert "could change entries" in CliRunner().invoke(app, ["audit", "--database", empty_postgres]).stderr


def test_a_role_that_is_not_there_is_refused(empty_postgres):
    done = CliRunner().invoke(app, ["prepare-database", "--database", empty_postgres, "--role", "nobody"])
    assert isinstance(done.exception, UsageError)


def test_a_database_that_nobody_set_up_gets_a_sentence(empty_postgres, role):
    with pytest.raises(WorkError, match="prepare-database"):
        Store(empty_postgres.replace("board@", "app%22%20x@"))


def test_sqlite_has_no_roles(tmp_path):
    url = f"sqlite:///{tmp_path / 'board.db'}"
    done = CliRunner().invoke(app, ["prepare-database", "--database", url, "--role", "sonoki"])
    assert isinstance(done.exception, UsageError)
