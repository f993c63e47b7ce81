"""The register read on from where the last reading ended."""

import pytest

from core.monitoring.reading import RegisterReading
from core.register import store as kept
from core.register.store import Store
from core.register.withdrawal import REASONS, reinstate, withdraw
from tests.core.register.register_entries import AB, add_estimates, enter
from tests.core.register.test_tampering import run


@pytest.fixture
def url(tmp_path, monkeypatch) -> str:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return f"sqlite:///{tmp_path / 'board.db'}"


@pytest.fixture
def store(url):
    opened = Store(url)
    yield opened
    opened.close()


def test_estimates_come_with_what_is_known_by_now(store):
    add_estimates(store, ["P-1", "P-2", "P-3"])
    enter(store, "P-1", ki67_pct=35)
    add_estimates(store, ["P-1"], input_sha256="2" * 64, exam_date="")
    table = RegisterReading(store).read().table
    assert table["patient"].tolist() == ["P-1", "P-2", "P-3", "P-1"]
    assert table["ki67_pct"].fillna(-1).tolist() == [35, -1, -1, 35]
    assert table["is_prospective"].tolist() == [True, True, True, False]
    assert table["has_date"].tolist() == [True, True, True, False]
    assert table["day"].notna().all()
    assert table["birads"].tolist() == ["4C"] * 4
    assert table["size_mm"].isna().all()


def test_a_value_that_is_known_of_later_patients_alone_is_joined(store):
    reading = RegisterReading(store)
    add_estimates(store, ["P-1"], clinical={}, centre="North")
    reading.read()
    add_estimates(store, ["P-2"], clinical={"adler": "2", "age": 50.0, "size_mm": 12.0}, centre="South")
    table = reading.read().table
    assert table["adler"].tolist()[1:] == ["2"]
    assert table["adler"].isna().tolist() == [True, False]
    assert table["centre"].tolist() == ["North", "South"]


def test_only_what_was_appended_is_read_again(store, monkeypatch):
    add_estimates(store, ["P-1", "P-2"])
    reading, asked = RegisterReading(store), []
    first = reading.read()
    assert reading.read() is first
    enter(store, "P-2", ki67_pct=5)
    monkeypatch.setattr(Store, "read_where", lambda self, *where: asked.append(1) or READ(self, *where))
    assert reading.read(lambda done, total: asked.append((done, total))).table["ki67_pct"].tolist()[1] == 5
    assert asked == [1, 1, (3, 3)]


READ = kept.Store.read_where


def test_an_entry_that_does_not_hold_is_left_out_and_counted(store, url):
    add_estimates(store, ["P-1", "P-2", "P-3"])
    enter(store, "P-3", ki67_pct=35)
    run(url, "UPDATE entries SET probability = 0.99 WHERE number = 1")
    run(url, "UPDATE entries SET details = '{}' WHERE number = 4")
    found = RegisterReading(store).read()
    assert found.table["patient"].tolist() == ["P-2", "P-3"]
    assert found.withheld == 2
    assert found.table["ki67_pct"].isna().all()


def test_another_database_in_its_place_is_read_from_the_start(store, url):
    add_estimates(store, ["P-1", "P-2"])
    reading = RegisterReading(store)
    assert len(reading.read().table) == 2
    run(url, "UPDATE entries SET hash = 'x' WHERE number = 2")
    add_estimates(store, ["P-3"])
    assert reading.read().table["patient"].tolist() == ["P-1", "P-3"]


def test_a_withdrawn_estimate_does_not_count_until_it_is_put_back(store):
    add_estimates(store, ["P-1", "P-2"])
    reading = RegisterReading(store)
    assert len(reading.read().table) == 2
    withdraw(store, 1, AB, reason=REASONS[0])
    assert reading.read().table["patient"].tolist() == ["P-2"]
    reinstate(store, 1, AB, text="It was the right one.")
    assert reading.read().table["patient"].tolist() == ["P-1", "P-2"]


def test_an_empty_register_is_an_empty_table(store):
    found = RegisterReading(store).read()
    assert found.table.empty
    assert found.withheld == 0
