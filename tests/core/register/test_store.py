"""The board's entries: appended, chained, kept through crashes and crowds, on SQLite and PostgreSQL."""

import csv
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text as sql
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from core.archive.outbox import open_outbox
from core.cli import app
from core.errors import InputError, UsageError, WorkError
from core.register.chain import hash_entry
from core.register.database import connect, find_database
from core.register.models import BUNDLE_USE, KINDS, Entry, Record
from core.register.store import Store
from tests.core.register.databases import tamper

ROOT = Path(__file__).parents[3]
ENTRY = Entry("SIM-D0001", "AB", "decision", agrees=True, probability=0.1 + 0.2, low=0.2, high=1 / 3, group="low")
WRITER = """
import sys
from dataclasses import replace
from core.register.store import Store
from tests.core.register.test_store import ENTRY
store = Store(sys.argv[1])
for i in range(int(sys.argv[2])):
    print(store.append(replace(ENTRY, text=f"{sys.argv[3]}-{i}")).hash, flush=True)
"""


def run_writer(url: str, count: int, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, url, str(count), name]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_an_entry_comes_back_as_it_was_written(store):
    kept = store.append(replace(ENTRY, text="Grüße, \N{GREEK SMALL LETTER MU}"))
    assert store.read("SIM-D0001") == [kept]
    assert store.read("SIM-D0002") == []
    assert (kept.number, kept.probability, kept.high) == (1, 0.1 + 0.2, 1 / 3)
    report = store.verify_chain()
    assert (report.holds, report.entries, report.last_hash) == (True, 1, kept.hash)


def test_entries_are_read_by_cohort_and_kind(store):
    """A pseudonym of another cohort opens nothing of it."""
    secret = store.append(replace(ENTRY, kind="note", text="secret", cohort_sha256="a" * 64))
    mine = store.append(replace(ENTRY, cohort_sha256="b" * 64))
    assert store.read(ENTRY.patient, cohort="b" * 64) == [mine]
    assert store.read(ENTRY.patient, cohort="c" * 64) == []
    assert store.read(ENTRY.patient, cohort="") == []
    assert store.read(cohort="a" * 64, kinds=("reading", "estimate")) == []
    assert store.read(kinds=("note",)) == [secret]


def test_the_last_decision_of_each_patient_counts(store):
    here = replace(ENTRY, cohort_sha256="b" * 64)
    store.append(here)
    store.append(replace(here, agrees=False, text="Spiculated.", author="CD"))
    store.append(replace(here, patient="P-2"))
    store.append(replace(here, patient="P-3", kind="note", agrees=None, text="Later."))
    store.append(replace(here, patient="P-2", cohort_sha256="a" * 64, agrees=False, text="Other."))
    stands = {patient: (last.agrees, last.author) for patient, last in store.read_stands("b" * 64).items()}
    assert stands == {ENTRY.patient: (False, "CD"), "P-2": (True, "AB")}


def test_an_empty_board_holds_and_opens_again(url):
    for _ in range(2):
        store = Store(url)
        assert store.verify_chain().holds
        store.close()


@pytest.mark.parametrize("statement", ["UPDATE entries SET text = 'x'", "DELETE FROM entries"])
def test_the_database_itself_refuses_to_change_an_entry(store, url, statement):
    store.append(ENTRY)
    engine = connect(url)
    with pytest.raises(DBAPIError, match=r"only appended|never changed or deleted"), engine.begin() as connection:
        connection.execute(sql(statement))
    engine.dispose()
    assert store.verify_chain().holds


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE entries SET text = 'x' WHERE number = 2", "entry 2 was changed"),
        ("UPDATE entries SET probability = 0.9 WHERE number = 2", "entry 2 was changed"),
        ("DELETE FROM entries WHERE number = 2", "entry 2 is missing"),
        ("DELETE FROM entries WHERE number = 3", "entry 3 was the last"),
    ],
)
def test_a_changed_or_missing_row_is_found(store, url, statement, reason):
    for _ in range(3):
        store.append(ENTRY)
    tamper(url, statement)
    report = store.verify_chain()
    assert report.broken_at == (3 if "number = 3" in statement else 2)
    assert reason in report.reason


def test_a_thousand_decisions_in_parallel_are_all_kept(store):
    with ThreadPoolExecutor(8) as threads:
        kept = list(threads.map(lambda i: store.append(replace(ENTRY, text=str(i))), range(1000)))
    records = store.read()
    assert sorted(int(r.text) for r in records) == list(range(1000))
    assert [r.number for r in records] == list(range(1, 1001))
    assert {r.hash for r in kept} == {r.hash for r in records}
    assert store.verify_chain().holds


def test_processes_that_start_at_once_share_one_chain(url):
    writers = [run_writer(url, 50, name) for name in "abc"]
    hashes = [line for writer in writers for line in writer.communicate(timeout=300)[0].split()]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    store = Store(url)
    assert sorted(hashes) == sorted(r.hash for r in store.read())
    assert len(hashes) == 150
    assert store.verify_chain().holds
    store.close()


def test_nothing_acknowledged_is_lost_by_kill(url):
    writer = run_writer(url, 100_000, "k")
    assert writer.stdout is not None
    acknowledged = [writer.stdout.readline().strip() for _ in range(40)]
    writer.send_signal(signal.SIGKILL)
    acknowledged += [line for line in writer.communicate(timeout=60)[0].split() if len(line) == 64]
    store = Store(url)
    kept = [r.hash for r in store.read()]
    assert kept[: len(acknowledged)] == acknowledged
    assert store.verify_chain().holds
    store.append(ENTRY)
    assert store.verify_chain().holds
    store.close()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"author": " "}, "Give your initials"),
        ({"patient": ""}, "pseudonym"),
        ({"kind": "opinion"}, "not 'opinion'"),
        ({"agrees": None}, "agrees with the model's call"),
        ({"agrees": False}, "reason for overriding"),
        ({"kind": "note"}, "note is empty"),
        ({"text": "x" * 4001}, "4,000 characters"),
    ],
)
def test_an_entry_that_says_too_little_is_refused(changes, sentence):
    with pytest.raises(InputError, match=sentence):
        replace(ENTRY, **changes)


@pytest.mark.parametrize("url", ["nonsense", "mysql://a@b/c", "sqlite://"])
def test_another_database_is_refused(url):
    with pytest.raises(UsageError, match="sqlite:////path"):
        Store(url)


def test_a_database_that_is_away_gets_a_sentence(tmp_path):
    with pytest.raises(WorkError, match="does not answer"):
        Store(f"sqlite:///{tmp_path / 'no' / 'board.db'}")


def test_the_file_lies_in_the_users_data_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert find_database() == f"sqlite:///{tmp_path / 'sonoki' / 'board.db'}"
    assert (tmp_path / "sonoki").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("before", ["nothing", "outbox", "open folder", "open file"])
def test_others_can_open_neither_folder_nor_file(monkeypatch, tmp_path, before):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    old = os.umask(0o000)
    try:
        folder = tmp_path / "data" / "sonoki"
        if before == "outbox":
            open_outbox().put([])
        elif before != "nothing":
            folder.mkdir(parents=True, mode=0o755)
        if before == "open file":
            (folder / "board.db").touch(0o644)
        store = Store(find_database())
        store.append(ENTRY)
        modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir() if path.is_file()}
        store.close()
    finally:
        os.umask(old)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert modes == dict.fromkeys(("board.db", "board.db-wal", "board.db-shm"), 0o600)
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.rglob("*"))


@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_audit_exports_and_verifies(store, url, tmp_path, suffix):
    store.append_all([replace(ENTRY, kind=kind, text="a, b", agrees=True) for kind in KINDS if kind not in BUNDLE_USE])
    store.append_all([Entry("", "AB", kind, text="a, b") for kind in BUNDLE_USE])
    kept: Record = [*store.read_as_found()][-1]
    out = tmp_path / f"entries.{suffix}"
    done = CliRunner().invoke(app, ["audit", "--database", url, "--out", str(out), "--json"])
    assert done.exit_code == 0
    assert out.stat().st_mode & 0o077 == 0
    found = json.loads(done.stdout)
    assert (found["entries"], found["holds"], found["last_hash"]) == (len(KINDS), True, kept.hash)
    text = out.read_text(encoding="utf-8")
    rows = json.loads(text) if suffix == "json" else list(csv.DictReader(text.splitlines()))
    assert {row["kind"] for row in rows} == {*KINDS}
    assert (rows[-1]["text"], rows[-1]["hash"]) == ("a, b", kept.hash)


def test_audit_of_a_broken_chain_fails(store, url):
    store.append(ENTRY)
    tamper(url, "UPDATE entries SET author = 'x'")
    done = CliRunner().invoke(app, ["audit", "--database", url])
    assert isinstance(done.exception, WorkError)
    assert done.exception.exit_code == 1
    assert "entry 1 was changed" in str(done.exception)


def test_the_logins_subject_is_kept_and_sealed_and_its_lack_changes_no_hash(store):
    kept = store.append(Entry("P-1", "Dr Kim", "note", "One.", author_key="sub-1"))
    assert store.read("P-1") == [kept]
    assert hash_entry(kept.to_dict()) == kept.hash != hash_entry(kept.to_dict() | {"author_key": "sub-2"})
    columns = kept.to_dict() | {"author_key": ""}
    assert hash_entry(columns) == hash_entry({name: columns[name] for name in columns if name != "author_key"})
    assert store.verify_chain().holds


def test_many_entries_are_one_write_in_the_same_chain(store):
    store.append(ENTRY)
    kept = store.append_all([replace(ENTRY, patient=f"P-{i}", kind="shown", agrees=None) for i in range(200)])
    last = store.append(ENTRY)
    assert [record.number for record in kept] == list(range(2, 202))
    assert len({record.time_utc for record in kept}) == 1
    assert (last.number, last.previous) == (202, kept[-1].hash)
    assert store.verify_chain().broken_at is None
    assert store.append_all([]) == []


def test_of_many_entries_none_is_kept_where_one_is_refused(store):
    unchecked = replace(ENTRY)
    object.__setattr__(unchecked, "patient", None)  # so that the database has to refuse it
    with pytest.raises(WorkError, match=r"refused \(IntegrityError\), so nothing was saved"):
        store.append_all([ENTRY, unchecked])
    assert store.read() == []
