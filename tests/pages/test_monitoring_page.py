"""The monitoring page: off, empty, without outcomes, with alarms, for every role, and every control."""

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from core import settings
from core.inference.trust import load_bundle
from core.register.database import find_database
from core.register.store import Store
from core.ui.login import User
from tests.core.monitoring.filled import fill_store
from tests.core.register.test_tampering import run
from tests.pages.cohorts import words

PAGE = "pages/11_Monitoring.py"


@pytest.fixture
def store(monkeypatch, tmp_path) -> Iterator[Store]:
    """The register of one test, turned on and empty."""
    monkeypatch.setenv("SONOKI_REGISTER", "on")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    settings.forget_settings()
    opened = Store(find_database())
    yield opened
    opened.close()
    monkeypatch.undo()
    settings.forget_settings()


@pytest.fixture
def own(bundle_dir) -> str:
    return load_bundle(bundle_dir).sha256


def warnings(at: AppTest) -> str:
    return "\n".join(warning.value for warning in at.warning)


def headers(at: AppTest) -> list[str]:
    return [header.value for header in at.header]


def test_it_is_off_by_default_and_says_how_to_turn_it_on(open_page):
    at = open_page(PAGE)
    assert "SONOKI_REGISTER=on" in words(at)
    assert not at.exception


def test_an_empty_register_says_what_to_do_next(open_page, store):
    at = open_page(PAGE)
    assert "There is no estimate yet" in words(at)
    assert not at.exception
    assert not headers(at)


def test_without_outcomes_the_rest_is_shown(open_page, store, own):
    fill_store(store, 60, own, outcomes=False)
    at = open_page(PAGE)
    assert not at.exception
    assert "60 patients, 60 estimates; 0 with a Ki-67 found after the estimate" in words(at)
    assert "enter outcomes on the Register page" in words(at)
    assert headers(at)[0] == "Alarms"


def test_a_change_of_device_is_found_and_every_control_answers(open_page, store, own):
    fill_store(store, 220, own, changed_after=100)
    at = open_page(PAGE)
    assert not at.exception
    assert "Image score differs from training" in warnings(at)
    assert "Fewer patients had a high Ki-67 than estimated" in warnings(at)
    assert "recalibrate" in warnings(at)
    assert ":orange-badge[SIMULATED]" in words(at)
    next(group for group in at.get("button_group") if group.label == "Windows").set_value("month")
    at.run()
    assert not at.exception
    assert any("2025-01" in table.value.to_string() for table in at.table)
    next(box for box in at.selectbox if box.label == "Centre").set_value("North")
    at.run()
    assert "110 patients" in words(at)
    assert not at.exception


def test_an_estimate_of_another_bundle_is_watched_apart(open_page, store, own):
    fill_store(store, 60, "c" * 64)
    at = open_page(PAGE)
    assert "made by another bundle" in words(at)
    assert not at.exception
    fill_store(store, 55, own)
    at = open_page(PAGE)
    assert "55 patients" in words(at)


@pytest.mark.parametrize("role", ["viewer", "clinician", "admin"])
def test_every_role_sees_sums_and_nobody_a_patient(open_page, store, own, monkeypatch, role):
    monkeypatch.setattr("core.ui.page.require_role", lambda least: User("Dr Kim", "sub-1", role))
    fill_store(store, 60, own)
    at = open_page(PAGE)
    assert headers(at)[0] == "Alarms"
    shown = words(at) + "".join(table.value.to_csv() for table in at.table)
    assert "P-00" not in shown


def test_a_changed_entry_is_left_out_and_counted(open_page, store, own):
    fill_store(store, 60, own)
    run(find_database(), "UPDATE entries SET probability = 0.99 WHERE number = 1")
    at = open_page(PAGE)
    assert "1 entries of the register do not hold" in words(at)
    assert "59 patients" in words(at)
