"""Attacks on the board's record: each is refused by the database, or found by `audit`."""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from typer.testing import CliRunner

from core.cli import app
from core.errors import UsageError, WorkError
from core.register.chain import ADDED, hash_entry
from core.register.database import connect
from core.register.models import Entry
from core.register.store import Store

ENTRY = Entry("P-001", "AB", "decision", agrees=True, text="As the model says.", probability=0.4)
REFUSED = r"only appended|never changed"
GUARDS = {
    "sqlite": ("refuse_update", "refuse_delete", "refuse_head_update"),
    "postgresql": ("refuse_change ON entries", "follow_entries ON head"),
}


def run(url: str, *statements: str, guarded: bool = False) -> None:
    """Run SQL as somebody who has the database alone, through a connection that is not the app's."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    try:
        with engine.begin() as connection:
            for guard in () if guarded else GUARDS[connection.dialect.name]:
                connection.execute(text(f"DROP TRIGGER IF EXISTS {guard}"))
            for statement in statements:
                connection.execute(text(statement))
    finally:
        engine.dispose()


def forge(url: str, number: int, **changes: object) -> None:
    """Change an entry and write all hashes after it and the head anew, as somebody who has read the source."""
    store = Store(url)
    records = store.read()
    store.close()
    lines, previous = [], records[number - 1].previous
    for record in records[number - 1 :]:
        columns = record.to_dict() | (changes if record.number == number else {}) | {"previous": previous}
        previous = hash_entry(columns)
        set_ = {**(changes if record.number == number else {}), "previous": columns["previous"], "hash": previous}
        values = ", ".join(f"{name} = '{value}'" for name, value in set_.items())
        lines.append(f"UPDATE entries SET {values} WHERE number = {record.number}")
    run(url, *lines, f"UPDATE head SET hash = '{previous}'")


def audit(url: str, *options: str) -> str:
    """Give what `audit` finds wrong; empty if the chain holds."""
    done = CliRunner().invoke(app, ["audit", "--database", url, "--json", *options])
    if done.exception is not None and not isinstance(done.exception, WorkError | SystemExit):
        raise done.exception
    return json.loads(done.stdout)["reason"]


def forget(config: Path) -> None:
    """Forget what was seen, as on another machine or one that was set up anew."""
    for seen in config.glob("*.seen"):
        seen.unlink()


@pytest.fixture
def filled(url: str) -> str:
    store = Store(url)
    for i in range(5):
        store.append(replace(ENTRY, text=f"Entry {i + 1}."))
    store.close()
    return url


COLUMNS = (
    "time_utc, patient, cohort_sha256, author, role, kind, agrees, bundle_sha256, input_sha256, "
    'probability, low, high, "group", previous, hash, key_id, seal'
)
UNKNOWN = {"key_id", "seal", *ADDED}


def copy_entry(verb: str, source: int, number: int, words: str) -> str:
    """Write SQL that puts an entry there anew, under a number and with another text."""
    return (
        f"{verb} INTO entries (number, text, {COLUMNS}) SELECT {number}, '{words}', {COLUMNS} "
        f"FROM entries WHERE number = {source}"
    )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET text = 'forged' WHERE number = 2",
        "DELETE FROM entries WHERE number = 5",
        "DELETE FROM entries",
        "UPDATE head SET number = 4",
        "UPDATE head SET number = 6, hash = 'x'",
        "DELETE FROM head",
        "INSERT INTO head VALUES (2, 0, 'x')",
        copy_entry("INSERT", 5, 7, "forged"),
        copy_entry("INSERT", 5, 6, "forged"),
        copy_entry("INSERT", 5, -1, "forged"),
    ],
)
def test_the_database_refuses(filled, statement):
    with pytest.raises(Exception, match=REFUSED):
        run(filled, statement, guarded=True)
    assert audit(filled) == ""


@pytest.mark.parametrize("verb", ["INSERT OR REPLACE", "REPLACE", "INSERT OR IGNORE", "UPDATE OR REPLACE", "UPSERT"])
def test_sqlite_replaces_no_entry_and_no_head(tmp_path, verb):
    url = f"sqlite:///{tmp_path / 'board.db'}"
    store = Store(url)
    store.append(ENTRY)
    store.append(replace(ENTRY, text="Two."))
    store.close()
    statements = {
        "UPDATE OR REPLACE": (
            "UPDATE OR REPLACE entries SET number = 1 WHERE number = 2",
            "UPDATE OR REPLACE head SET number = 0",
        ),
        "UPSERT": (
            f"{copy_entry('INSERT', 2, 2, 'forged')} ON CONFLICT DO UPDATE SET text = 'forged'",
            "INSERT INTO head VALUES (1, 0, 'x') ON CONFLICT DO UPDATE SET number = 0",
        ),
    }.get(verb, (copy_entry(verb, 2, 2, "forged"), f"{verb} INTO head VALUES (1, 0, 'x')"))
    for statement in statements:
        for engine in (connect(url), create_engine(url)):  # the app's own connection, and another program's
            with pytest.raises(Exception, match=REFUSED), engine.begin() as connection:
                connection.execute(text(statement))
            engine.dispose()
    assert audit(url) == ""


@pytest.mark.needs("postgresql")
def test_postgres_truncates_neither_entries_nor_head(empty_postgres):
    Store(empty_postgres).close()
    for table in ("entries", "head", "entries, head"):
        with pytest.raises(Exception, match="never changed"):
            run(empty_postgres, f"TRUNCATE {table}", guarded=True)


@pytest.mark.parametrize("number", [1, 3, 5])
@pytest.mark.parametrize(
    "changes", [{"text": "forged"}, {"author": "XY"}, {"text": "forged", "seal": "", "key_id": ""}]
)
def test_a_forged_entry_with_recomputed_hashes_is_found(filled, config, number, changes):
    forge(filled, number, **changes)
    assert audit(filled).startswith(f"entry {number}" if "seal" not in changes or number > 1 else "entry 2")
    forget(config)
    assert "carries no seal" in audit(filled) or "carries a seal that is not ours" in audit(filled)


def test_a_forged_chain_without_any_seal_is_found(filled, config):
    forge(filled, 2, text="forged")
    run(filled, "UPDATE entries SET seal = '', key_id = ''")
    forget(config)
    assert audit(filled) == "entry 5 carries no seal"


def test_no_entry_seals_a_forged_chain_before_it(filled):
    forge(filled, 2, text="forged")
    run(filled, "UPDATE entries SET seal = '', key_id = ''")
    store = Store(filled)
    with pytest.raises(WorkError, match="carries no seal, so nothing was saved"):
        store.append(ENTRY)
    assert {record.kind for record in store.read()} == {"withheld"}
    store.close()


def test_no_migration_seals_a_database_that_was_sealed_before(tmp_path):
    url = f"sqlite:///{tmp_path / 'board.db'}"
    store = Store(url)
    store.append(ENTRY)
    store.close()
    for path in tmp_path.glob("board.db*"):
        path.unlink()
    make_old_database(url, 3)
    with pytest.raises(WorkError, match="though sealed entries were seen in it"):
        Store(url)


def test_a_seal_of_another_key_is_found(filled, config, tmp_path):
    (config / "board.keys").rename(tmp_path / "kept")
    assert audit(filled).startswith("entry 1 is sealed by the key")
    (tmp_path / "kept").replace(config / "board.keys")
    assert audit(filled) == ""


@pytest.mark.parametrize("left", [0, 1, 4])
def test_entries_deleted_at_the_end_are_found(filled, left):
    store = Store(filled)
    last = next((record.hash for record in store.read() if record.number == left), "0" * 64)
    store.close()
    run(filled, f"DELETE FROM entries WHERE number > {left}", f"UPDATE head SET number = {left}, hash = '{last}'")
    assert audit(filled) == f"entry 5 was seen before, and {left} entries are there"


def test_an_entry_after_a_deletion_does_not_hide_it(filled):
    store = Store(filled)
    previous = store.read()[3].hash
    store.close()
    run(filled, "DELETE FROM entries WHERE number = 5", f"UPDATE head SET number = 4, hash = '{previous}'")
    store = Store(filled)
    for _ in range(3):
        store.append(replace(ENTRY, author="XY"))
    store.close()
    assert "entry 5" in audit(filled)


def test_a_replaced_file_is_found(tmp_path, config):
    url, other = (f"sqlite:///{tmp_path / name}" for name in ("board.db", "other.db"))
    for address, count in ((url, 3), (other, 7)):
        store = Store(address)
        for i in range(count):
            store.append(replace(ENTRY, text=f"{address} {i}"))
        store.close()
    shutil.copy(tmp_path / "other.db", tmp_path / "board.db")
    assert audit(url) == "entry 3 is not the one that was seen before"
    for path in tmp_path.glob("board.db*"):
        path.unlink()
    assert audit(url) == "entry 3 was seen before, and 0 entries are there"


def test_a_document_of_a_meeting_proves_what_was_there(filled, config):
    store = Store(filled)
    anchors = [f"{record.number}:{record.hash}" for record in store.read()]
    store.close()
    forget(config)
    assert audit(filled, "--expect", anchors[2], "--expect", anchors[4][:22]) == ""
    assert audit(filled, "--expect", "\u200b".join(anchors[3])) == ""  # copied from the document
    assert audit(filled, "--expect", f"2:{anchors[2][2:]}") == "entry 2 is not the one that was seen before"
    assert audit(filled, "--expect", f"6:{anchors[4][2:]}") == "entry 6 was seen before, and 5 entries are there"


@pytest.mark.parametrize("given", ["", "5", "5:abc", "5:" + "g" * 64, ":" + "a" * 64, "-1:" + "a" * 64])
def test_an_expectation_that_is_none_is_refused(url, given):
    done = CliRunner().invoke(app, ["audit", "--database", url, "--expect", given])
    assert isinstance(done.exception, UsageError)


def test_a_restored_backup_is_accepted_by_its_keeper_alone(tmp_path):
    url = f"sqlite:///{tmp_path / 'board.db'}"
    store = Store(url)
    store.append(ENTRY)
    store.close()
    backup = (tmp_path / "board.db").read_bytes()
    store = Store(url)
    store.append(ENTRY)
    store.close()
    for path in tmp_path.glob("board.db*"):
        path.unlink()
    (tmp_path / "board.db").write_bytes(backup)
    assert audit(url) == "entry 2 was seen before, and 1 entries are there"
    assert audit(url, "--accept") == ""
    assert audit(url) == ""


def test_a_new_key_seals_and_the_old_ones_verify(filled, config):
    assert audit(filled, "--new-key") == ""
    store = Store(filled)
    last = store.append(ENTRY)
    assert last.key_id != store.read()[0].key_id
    store.close()
    assert audit(filled) == ""
    assert len((config / "board.keys").read_text().split()) == 2


def test_keys_and_what_was_seen_are_the_owners_alone(filled, config):
    assert config.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in config.iterdir()} == {0o600}
    assert len(list(config.iterdir())) == 2


@pytest.mark.parametrize("words", ["", "x", "0" * 63, "0" * 64 + "\n\xe9"])
def test_a_damaged_key_file_gets_a_sentence(filled, config, words):
    (config / "board.keys").write_text(words)
    with pytest.raises(WorkError, match="put it back from its backup"):
        Store(filled)


def test_a_damaged_witness_loses_no_entry(filled, config):
    next(config.glob("*.seen")).write_text("?")
    store = Store(filled)
    store.append(ENTRY)
    with pytest.raises(WorkError, match="last entry seen is damaged"):
        store.verify_chain()
    assert store.accept().entries == 6
    assert store.verify_chain().holds
    store.close()


def test_an_older_database_is_migrated_with_every_entry(url):
    old = make_old_database(url, 3)
    store = Store(url)
    kept = store.read()
    assert [{k: v for k, v in asdict(r).items() if k not in UNKNOWN} for r in kept] == old
    assert [bool(record.seal) for record in kept] == [False, False, True]
    store.append(ENTRY)
    assert store.verify_chain().holds
    store.close()
    forge(url, 1, text="forged")
    assert "entry" in audit(url)


def make_old_database(url: str, count: int) -> list[dict]:
    """Write a database as the version before seals did."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import column, insert, table

    from core.register import migrations
    from core.register.chain import START
    from core.register.models import ENTRIES

    engine, rows, previous = connect(url), [], START
    with engine.execution_options(writes=True).begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for number in range(1, count + 1):
            row = {k: v for k, v in asdict(ENTRY).items() if k not in UNKNOWN}
            row |= {"number": number, "time_utc": f"2026-01-0{number}T00:00:00", "previous": previous}
            previous = row["hash"] = hash_entry(row)
            connection.execute(insert(table(ENTRIES.name, *map(column, row))).values(row))
            rows.append(row)
        connection.execute(text(f"UPDATE head SET number = {count}, hash = '{previous}'"))
    engine.dispose()
    return rows


@pytest.mark.parametrize("change", ["text = CAST(text AS BLOB)", "text = x'00ff'", "probability = 9e999"])
def test_what_no_entry_can_hold_is_named_as_changed(tmp_path: Path, change: str) -> None:
    url = f"sqlite:///{tmp_path}/board.db"
    store = Store(url)
    for _ in range(3):
        store.append(ENTRY)
    store.close()
    run(url, f"UPDATE entries SET {change} WHERE number = 2")
    assert audit(url) == "entry 2 was changed"
