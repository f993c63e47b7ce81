"""Tumour board: list, patient to patient, estimate, decisions kept, reading first, an unknown link in one sentence."""

import datetime
import re
import time

import pytest
from streamlit.testing.v1 import AppTest

from core.register.store import Store
from tests.core.register.test_tampering import run
from tests.pages.cohorts import COHORT, encode, make_table, upload
from tests.pages.conftest import ROOT, start_page

PAGE = "pages/9_Tumour_board.py"
DASH = "\N{EN DASH}"
CALL = "With the model's call"


@pytest.fixture
def database(monkeypatch, tmp_path) -> str:
    url = f"sqlite:///{tmp_path / 'board.db'}"
    monkeypatch.setenv("SONOKI_DATABASE_URL", url)
    return url


@pytest.fixture
def at(database, open_page) -> AppTest:
    return open_page(PAGE)


@pytest.fixture
def patient(at) -> AppTest:
    """The first patient of the list, read by AB."""
    at.text_input(key="board_initials").set_value("AB").run()
    return press(at, "Begin with the first")


def words(at: AppTest) -> str:
    return "\n".join(e.value for e in (*at.header, *at.subheader, *at.markdown, *at.caption))


def list_popovers(at: AppTest) -> list[str]:
    return [block.proto.popover.label for block in at.get("popover")]


def press(at: AppTest, label: str) -> AppTest:
    return next(b for b in at.button if b.label == label).click().run()


def read_store(database) -> list:
    store = Store(database)
    assert store.verify_chain().holds
    kept = store.read()
    store.close()
    return kept


def list_names(at: AppTest) -> list[str]:
    return at.dataframe[0].value["Patient"].tolist()


def test_the_list_gives_the_board_in_order_with_flags(at):
    assert not at.exception
    table = at.dataframe[0].value
    assert list_names(at) == [f"T-{i:03d}" for i in range(60, 80)]
    assert table["0 to 100 %"].str.startswith("data:image/svg+xml;base64,").all()
    assert set(table["Flags"]) == {"missing data", "indeterminate, missing data"}
    assert table["High Ki-67"].str.match(r"[<>]?\d+\s%( \(\d+ to \d+\))?$").all()
    assert set(table["Decision"]) == {DASH}


def test_the_list_is_searched_filtered_and_sorted(at):
    assert "Search and filter" in list_popovers(at)
    at.selectbox(key="board_order").set_value("Probability, highest first").run()
    found = at.dataframe[0].value["High Ki-67"].str.extract(r"(\d+)")[0].astype(int).tolist()
    assert found == sorted(found, reverse=True)
    at.selectbox(key="board_flag").set_value("indeterminate").run()
    assert set(at.dataframe[0].value["Flags"]) == {"indeterminate, missing data"}
    assert "Search and filter (2 set)" in list_popovers(at)
    at.selectbox(key="board_flag").set_value("all")
    at.text_input(key="board_search").set_value("t-06").run()
    assert sorted(list_names(at)) == [f"T-{i:03d}" for i in range(60, 70)]
    at.text_input(key="board_search").set_value("nobody").run()
    assert "No patient matches the search and the filter" in at.error[0].value


def test_list_and_page_give_the_same_estimate_of_a_patient(database, use_bundle):
    use_bundle(ROOT / "models/ki67-demo")
    at = start_page(PAGE)
    at.number_input(key="board_size").set_value(3).run()
    while "more image" in words(at):
        time.sleep(0.5)
        at.run()
    table = at.dataframe[0].value
    assert table["High Ki-67"].str.contains("to").all()
    for place, estimate in enumerate(table["High Ki-67"]):
        press(at, "Next" if place else "Begin with the first")
        chance, low, high = re.fullmatch(r"(\S+)\s%\xa0?\s?\((\S+) to (\S+)\)", estimate).groups()
        said = words(at).replace("\N{NO-BREAK SPACE}", " ")
        assert f"{chance} % probability of a high Ki-67" in said
        assert f"95 % interval **{low} % to {high} %**" in said


def test_next_previous_and_list(patient):
    assert "T-060 · 1 of 20" in words(patient)
    assert patient.query_params["patient"] == "T-060"
    press(patient, "Next")
    assert "T-061 · 2 of 20" in words(patient)
    press(patient, "Previous")
    assert "T-060 · 1 of 20" in words(patient)
    press(patient, "List")
    assert "patient" not in patient.query_params
    assert len(list_names(patient)) == 20


def test_a_link_opens_its_patient(at):
    at.query_params["patient"] = "T-005"
    at.run()
    assert "T-005 · not on the list" in words(at)


def find_called(at: AppTest) -> AppTest:
    """Go to the first patient of the board for whom the model makes a call."""
    while not [radio for radio in at.radio if radio.label == CALL]:
        press(at, "Next")
    return at


def find_choice(at: AppTest):
    return next(radio for radio in at.radio if radio.label == CALL)


def agree(at: AppTest) -> AppTest:
    find_choice(at).set_value("Agree")
    return press(at, "Save")


def test_a_decision_is_kept_with_its_author_and_the_models_output(patient, database):
    called = find_called(patient).query_params["patient"]
    agree(patient)
    assert "**Saved** as entry" in words(patient)
    (kept,) = read_store(database)
    assert (kept.patient, kept.author, kept.kind, kept.agrees) == (called, "AB", "decision", True)
    assert 0 <= kept.probability <= 1
    assert kept.bundle_sha256
    press(patient, "List")
    table = patient.dataframe[0].value
    assert table.set_index("Patient").loc[called, "Decision"] == "agrees, AB"


def test_an_entry_that_does_not_hold_is_withheld_on_the_page(patient, database):
    """Changed behind the program's back: no word of it stands anywhere, and outcomes stay hidden."""
    called = find_called(patient).query_params["patient"]
    agree(patient)
    run(database, "UPDATE entries SET text = 'forged words', author = 'forged author' WHERE kind = 'decision'")
    patient.run()
    (error,) = patient.error
    number = error.value.split()[2]
    assert error.value == f"Withheld: entry {number} was changed. Tell the database administrator."
    assert "shown once your decision is saved" in words(patient)
    press(patient, "List")
    assert patient.dataframe[0].value.set_index("Patient").loc[called, "Decision"] == f"entry {number} withheld"
    assert "forged" not in words(patient)
    run(database, "UPDATE entries SET author = 'forged author' WHERE kind = 'shown' AND number < 3")
    patient.run()
    assert patient.error[0].value.startswith("**2 of this cohort's entries left out.** Withheld: entry 1 was changed.")


def test_nothing_is_preselected_and_nothing_saved_without_a_choice(patient, database):
    find_called(patient)
    assert find_choice(patient).value is None
    press(patient, "Save")
    assert "Say whether you agree" in patient.error[0].value
    assert read_store(database) == []


def test_without_a_call_there_is_nothing_to_agree_with(at, database):
    at.text_input(key="board_initials").set_value("AB").run()
    at.selectbox(key="board_flag").set_value("indeterminate").run()
    press(at, "Begin with the first")
    while "Indeterminate" not in words(at):
        press(at, "Next")
    assert "With the model's call" not in [radio.label for radio in at.radio]
    assert "is indeterminate: write" in words(at)
    at.text_area[0].set_value("Biopsy again.")
    press(at, "Save")
    (kept,) = read_store(database)
    assert (kept.kind, kept.agrees, kept.group) == ("note", None, "")


def test_an_override_needs_a_reason_and_the_choice_stays(patient, database):
    find_choice(find_called(patient)).set_value("Override")
    press(patient, "Save")
    assert "reason for overriding" in patient.error[0].value
    assert find_choice(patient).value == "Override"
    assert read_store(database) == []


def test_a_text_stays_in_the_form_when_the_database_is_away(patient, monkeypatch):
    from core.errors import WorkError
    from core.register.database import AWAY

    def fail(self, entry):
        raise WorkError(AWAY)

    find_choice(find_called(patient)).set_value("Note")
    monkeypatch.setattr(Store, "append", fail)
    patient.text_area[0].set_value("Sentinel node first.")
    press(patient, "Save")
    assert "does not answer, so nothing was saved" in patient.error[0].value
    assert patient.text_area[0].value == "Sentinel node first."


def test_two_sessions_write_on_the_same_patient(patient, database):
    other = start_page(PAGE)
    other.text_input(key="board_initials").set_value("CD").run()
    press(other, "Begin with the first")
    for at, text in ((patient, "From AB."), (other, "From CD.")):
        find_choice(find_called(at)).set_value("Note")
        at.text_area[0].set_value(text)
    for at in (patient, other):
        press(at, "Save")
        assert "**Saved**" in words(at)
    assert [(r.author, r.text) for r in read_store(database)] == [("AB", "From AB."), ("CD", "From CD.")]
    assert "Note** · AB" in words(other)
    assert "Note** · CD" in words(other)


def test_a_link_to_nobody_gets_a_sentence(at):
    at.query_params["patient"] = "nobody"
    at.run()
    assert "names no patient of this cohort" in at.error[0].value
    assert not at.exception


def test_reading_first_hides_the_estimate_until_the_own_is_kept(at, database):
    at.text_input(key="board_initials").set_value("AB")
    at.toggle(key="board_reading_first").set_value(True).run()
    table = at.dataframe[0].value
    assert table["0 to 100 %"].isna().all()
    assert (table[["High Ki-67", "Flags"]] == DASH).all(axis=None)
    press(at, "Begin with the first")
    assert "probability of a high Ki-67" not in words(at)
    at.slider[0].set_value(90)
    press(at, "Save my estimate and show the model's")
    assert "probability of a high Ki-67" in words(at)
    reading, shown = read_store(database)
    assert (reading.kind, reading.probability, reading.group) == ("reading", 0.9, "high")
    assert reading.text == ""
    assert (shown.kind, shown.text) == ("estimate", f"Shown after the reading in entry {reading.number}.")
    assert shown.probability != 0.9
    press(at, "List")
    assert (at.dataframe[0].value["High Ki-67"] != DASH).tolist() == [True] + [False] * 19
    assert "19 are left" in words(at)


def test_reading_first_gives_the_agreement_over_the_cohort(at):
    at.text_input(key="board_initials").set_value("AB")
    at.toggle(key="board_reading_first").set_value(True).run()
    press(at, "Begin with the first")
    for own in (90, 10, 90, 10):
        at.slider[0].set_value(own)
        press(at, "Save my estimate and show the model's")
        press(at, "Next")
    press(at, "List")
    found = at.dataframe[1].value
    assert found["n"].tolist() == [4, 4, 4]
    assert found["Compared"][0] == "reader and model"
    assert "of 4" in found["Alike"][0]


def read_first(at: AppTest, author: str) -> AppTest:
    at.text_input(key="board_initials").set_value(author)
    return at.toggle(key="board_reading_first").set_value(True).run()


def read_agreement(at: AppTest) -> list[int]:
    press(at, "List")
    return at.dataframe[1].value["n"].tolist() if len(at.dataframe) > 1 else []


def test_a_reading_after_the_estimate_was_shown_is_not_blind_not_in_another_session_either(patient, database):
    del patient  # AB has seen the list and T-060
    later = read_first(start_page(PAGE), "AB")
    press(later, "Begin with the first")
    assert "not as a blind one" in words(later)
    later.slider[0].set_value(80)
    press(later, "Save my estimate and show the model's")
    reading = next(r for r in read_store(database) if r.kind == "reading")
    assert reading.text.startswith("Not blind")
    assert read_agreement(later) == []
    other = read_first(start_page(PAGE), "CD")
    press(other, "Begin with the first")
    assert "not as a blind one" not in words(other)
    other.slider[0].set_value(80)
    press(other, "Save my estimate and show the model's")
    assert read_agreement(other) == [1, 1, 1]


def test_what_was_shown_before_the_initials_counts_once_they_are_given(at, database):
    press(at, "Begin with the first")
    read_first(at, "EF")
    assert "not as a blind one" in words(at)
    press(at, "Next")
    assert "not as a blind one" not in words(at)


def test_a_slider_that_was_not_moved_is_no_reading(database, open_page):
    at = open_page("pages/8_Model.py")
    at.session_state["board_reading_first"] = True
    at.session_state["board_initials"] = "AB"
    at.switch_page(PAGE).run()
    press(at, "Begin with the first")
    press(at, "Save my estimate and show the model's")
    assert "as long as it was not moved" in words(at)
    assert "probability of a high Ki-67**" not in words(at)
    assert read_store(database) == []
    at.slider[0].set_value(20).run()
    assert "as long as it was not moved" not in words(at)


def test_neither_order_nor_flags_tell_of_estimates_that_are_to_be_read_first(at):
    at.selectbox(key="board_order").set_value("Probability, highest first").run()
    read_first(at, "AB")
    assert list_names(at) == [f"T-{i:03d}" for i in range(60, 80)]
    assert at.selectbox(key="board_order_blind").options == [
        "Held-out patients first",
        "Pseudonym",
        "Not decided first",
    ]
    assert "board_flag" not in [box.key for box in at.selectbox]


def test_outcomes_stay_hidden_until_the_readers_own_decision(database, open_page):
    table = make_table()
    table["ki67_pct"] = 37.0
    at = upload(open_page(COHORT), encode(table))
    at.switch_page(PAGE).run()
    at.text_input(key="board_initials").set_value("AB").run()
    press(at, "Begin with the first")
    find_called(at)
    assert "shown once your decision is saved" in words(at)
    assert "37" not in words(at).split("After surgery")[1].split("\n")[0]
    find_choice(at).set_value("Note")
    at.text_area[0].set_value("Ask again.")
    press(at, "Save")
    assert "shown once your decision is saved" in words(at)
    agree(at)
    assert "shown once your decision is saved" not in words(at)
    assert "recurrence-free" in words(at)
    at.text_input(key="board_initials").set_value("CD").run()
    assert "shown once your decision is saved" in words(at)


def test_what_is_said_of_a_pseudonym_stays_with_its_cohort(database, open_page):
    first = upload(open_page(COHORT), encode(make_table(3)))
    second = upload(start_page(COHORT), encode(make_table(4)))
    for at, text in ((first, "A secret of the first."), (second, "")):
        at.switch_page(PAGE).run()
        at.text_input(key="board_initials").set_value("AB").run()
        at.query_params["patient"] = "U-60"
        at.run()
        if text:
            find_choice(find_called(at)).set_value("Note")
            at.text_area[0].set_value(text)
            press(at, "Save")
            secret = at.query_params["patient"]
        else:
            at.query_params["patient"] = secret
            at.run()
    assert "A secret" not in words(second)
    assert all("A secret" not in frame.value.to_csv() for frame in second.dataframe)


def test_the_document_of_the_meeting_bears_the_date_that_was_asked_for(at, monkeypatch):
    made = {}
    monkeypatch.setattr("streamlit.download_button", lambda label, data, **_: made.update({label: data}))
    at.number_input(key="board_size").set_value(2)
    at.date_input(key="board_held_on").set_value(datetime.date(2026, 3, 4)).run()
    assert "Held on" in (page := made["Document of the meeting, 2 patients (HTML)"]().decode())
    assert "2026-03-04" in page
