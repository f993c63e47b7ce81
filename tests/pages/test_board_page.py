"""Tumour board: patient to patient, estimate, decisions kept, an unknown link in one sentence."""

import pytest
from streamlit.testing.v1 import AppTest

from core import settings
from core.board.store import Store
from tests.pages.conftest import ROOT, start_page

PAGE = "pages/9_Tumour_board.py"


@pytest.fixture
def database(monkeypatch, tmp_path) -> str:
    url = f"sqlite:///{tmp_path / 'board.db'}"
    monkeypatch.setenv("SONOKI_DATABASE_URL", url)
    return url


@pytest.fixture
def at(database, open_page) -> AppTest:
    return open_page(PAGE)


def words(at: AppTest) -> str:
    return "\n".join(e.value for e in (*at.header, *at.markdown, *at.caption))


def press(at: AppTest, label: str) -> AppTest:
    return next(b for b in at.button if b.label == label).click().run()


def test_next_and_previous_go_through_the_board(at):
    assert not at.exception
    assert "T-060 · 1 of 20" in words(at)
    press(at, "Next")
    assert "T-061 · 2 of 20" in words(at)
    press(at, "Previous")
    assert "T-060 · 1 of 20" in words(at)


def test_a_decision_is_kept_with_its_author_and_the_models_output(at, database):
    at.text_input(key="board_initials").set_value("AB").run()
    press(at, "Save")
    assert "**Saved** as entry 1" in words(at)
    store = Store(database)
    (kept,) = store.read("T-060")
    assert (kept.author, kept.kind, kept.agrees) == ("AB", "decision", True)
    assert 0 <= kept.probability <= 1
    assert kept.bundle_sha256
    assert store.verify_chain().holds
    store.close()


def test_an_override_needs_a_reason(at, database):
    at.text_input(key="board_initials").set_value("AB").run()
    at.radio[0].set_value("Override the call")
    press(at, "Save")
    assert "reason for overriding" in at.error[0].value


def test_a_link_to_nobody_gets_a_sentence(at):
    at.query_params["patient"] = "nobody"
    at.run()
    assert "names no patient of this cohort" in at.error[0].value
    assert not at.exception


def test_reading_first_hides_the_estimate_until_the_own_is_kept(at, database):
    at.text_input(key="board_initials").set_value("AB")
    at.toggle(key="board_reading_first").set_value(True).run()
    assert "probability of a high Ki-67" not in words(at)
    press(at, "Keep it and show the model's")
    assert "probability of a high Ki-67" in words(at)
    store = Store(database)
    assert [r.kind for r in store.read()] == ["reading"]
    store.close()


def test_a_simulated_patient_is_drawn_and_read(database, monkeypatch):
    settings._values.cache_clear()
    at = start_page(PAGE)
    assert ROOT.exists()
    assert not at.exception
    assert "95 % interval" in words(at)
    settings._values.cache_clear()
