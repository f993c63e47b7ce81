"""The register's page: off by default, roles, list, form, import."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import settings
from core.register.database import find_database
from core.register.listing import PAGE as PER_PAGE
from core.register.listing import Filter, count_estimates, has_estimate
from core.register.models import REGISTER
from core.register.outcome_entry import read_kept
from core.register.store import Store
from core.register.withdrawal import REASONS, withdraw
from core.ui.login import User
from tests.core.fhir.bundles import write_bundle, write_observation
from tests.core.register.register_entries import AB, add_estimates, enter
from tests.core.register.test_tampering import run
from tests.pages.cohorts import words

PAGES = Path(__file__).parents[2] / "pages"
PAGE, CASE = "pages/10_Register.py", "pages/1_Case.py"
TABLE = b"patient,ki67,pN\nP-001,35,N1\nP-002,20,\nP-003,45,\nQ-9,50,\n"


@pytest.fixture
def store(monkeypatch, tmp_path) -> Iterator[Store]:
    """The register of one test, turned on, with three patients."""
    monkeypatch.setenv("SONOKI_REGISTER", "on")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    settings.forget_settings()
    opened = Store(find_database())
    add_estimates(opened, ["P-001", "P-002", "P-003"])
    enter(opened, "P-002", ki67_pct=20)
    enter(opened, "P-003", ki67_pct=30)
    yield opened
    opened.close()
    monkeypatch.undo()
    settings.forget_settings()


def give_initials(at: AppTest) -> AppTest:
    at.sidebar.text_input[0].set_value("AB")
    return at.run()


def press(at: AppTest, label: str) -> AppTest:
    next(button for button in at.button if button.label.startswith(label)).click()
    return at.run()


def test_it_is_off_by_default(open_page):
    at = open_page(PAGE)
    assert "The register is off" in words(at)
    assert not at.dataframe


def test_it_lists_and_filters(open_page, store):
    at = open_page(PAGE)
    assert "**3 estimates**; the surgical Ki-67 of **2 patients** is known." in words(at)
    assert at.dataframe[0].value["Patient"].tolist() == ["P-003", "P-002", "P-001"]
    next(box for box in at.selectbox if box.label == "Outcome").set_value("outcome not known")
    at.run()
    assert at.dataframe[0].value["Patient"].tolist() == ["P-001"]


def test_a_list_that_became_shorter_shows_its_last_page(open_page, store):
    add_estimates(store, [f"P-{n}" for n in range(4, PER_PAGE + 2)])
    at = press(open_page(PAGE), "Older")
    assert "page 2 of 2" in words(at)
    withdraw(store, 1, AB, reason=REASONS[0])
    at.run()
    assert "page 1 of 1" in words(at)
    assert len(at.dataframe[0].value) == PER_PAGE


@pytest.mark.parametrize(("role", "sees_list", "exports"), [("viewer", False, False), ("clinician", True, False)])
def test_a_viewer_sees_sums_and_only_an_admin_exports(open_page, store, monkeypatch, role, sees_list, exports):
    monkeypatch.setattr("core.ui.page.require_role", lambda least: User("Dr Kim", "sub-1", role))
    at = open_page(PAGE)
    assert "**3 estimates**" in words(at)
    assert bool(at.dataframe) == sees_list
    labels = [button.label for button in at.get("download_button")]
    assert ("The whole register (CSV)" in labels) == exports
    assert "P-001" not in words(at) or sees_list


def test_an_admin_exports(open_page, store):
    labels = [button.label for button in open_page(PAGE).get("download_button")]
    assert "The whole register (CSV)" in labels


def test_a_table_is_judged_row_by_row_before_it_is_entered(open_page, store):
    at = give_initials(open_page(PAGE))
    at.file_uploader[0].set_value(("outcomes.csv", TABLE, "text/csv")).run()
    assert "**1** new, **1** matched, **1** contradicting, **1** unmatched, **0** not used" in words(at)
    assert read_kept(store).keys() == {("P-002", "outcome"), ("P-003", "outcome")}
    next(box for box in at.text_input if box.label.startswith("Reason, to enter")).set_value("Read again.")
    at.run()
    at = press(at, "Enter 2 rows")
    assert "**2 entries** were written." in words(at)
    kept = read_kept(store)
    assert kept["P-001", "outcome"].values == {"ki67_pct": 35.0, "pn": "N1"}
    assert kept["P-003", "outcome"].values == {"ki67_pct": 45.0}
    assert store.verify_chain().holds


def test_a_fhir_bundle_is_judged_and_a_specimen_that_is_not_named_is_asked_about(open_page, store):
    bundle = write_bundle(
        write_observation("P-001", None), write_observation("P-003"), write_observation("P-002", "Specimen/core")
    )
    at = give_initials(open_page(PAGE))
    at.file_uploader[0].set_value(("bundle.json", bundle, "application/json")).run()
    assert "**0** new, **0** matched, **1** contradicting, **0** unmatched, **2** not used" in words(at)
    assert "core biopsy, which is a comparator" in at.dataframe[1].value["What it means"].iloc[2]
    next(box for box in at.checkbox if box.label.startswith("Of 1 Ki-67 the Bundle names no specimen")).check()
    at = press(at.run(), "Enter 1 rows")
    assert "**1 entries** were written." in words(at)
    assert read_kept(store)["P-001", "outcome"].values == {"ki67_pct": 35.0}


def test_a_hostile_bundle_gets_a_sentence(open_page, store):
    at = open_page(PAGE)
    at.file_uploader[0].set_value(("bundle.json", b'{"a": ' + b"[" * 100_000, "application/json")).run()
    assert "nested deeper" in at.error[0].value


def test_an_estimate_is_withdrawn_listed_and_put_back(open_page, store):
    at = give_initials(open_page(PAGE))
    next(box for box in at.selectbox if box.label == "Open a patient").set_value("P-001")
    at.run()
    press(at, "Withdraw")
    assert "Choose a reason first." in at.error[0].value
    next(box for box in at.selectbox if box.label == "Reason").set_value(REASONS[0])
    next(box for box in at.text_input if box.label == "Details").set_value("was Anna Jones")
    at.run()
    assert next(button for button in at.button if button.label == "Withdraw").disabled
    next(box for box in at.text_input if box.label == "Details").set_value("seen at the board")
    at.run()
    at = press(at, "Withdraw")
    assert "**2 estimates**" in words(at)
    assert "1 more were withdrawn" in words(at)
    next(box for box in at.toggle if box.label == "Withdrawn ones").set_value(True)
    at.run()
    assert at.dataframe[0].value["Patient"].tolist() == ["P-001"]
    next(box for box in at.text_input if box.label == "Why it counts again").set_value("it was right")
    at.run()
    press(at, "Put back")
    assert [record.kind for record in store.read("P-001", kinds=REGISTER)] == [
        "registered",
        "withdrawal",
        "reinstatement",
    ]
    assert store.verify_chain().holds


def test_the_reason_of_a_correction_that_seems_to_name_the_patient_is_questioned(open_page, store):
    at = give_initials(open_page(PAGE))
    at.file_uploader[0].set_value(("found.csv", TABLE, "text/csv")).run()
    next(box for box in at.text_input if box.label.startswith("Reason, to enter")).set_value("Frau Schmidt, read again")
    at.run()
    assert next(button for button in at.button if button.label.startswith("Enter")).disabled
    next(box for box in at.checkbox if box.label == "It does not identify the patient").check()
    press(at.run(), "Enter 2 rows")
    assert read_kept(store)["P-003", "outcome"].values == {"ki67_pct": 45.0}
    next(box for box in at.selectbox if box.label == "Open a patient").set_value("P-002")
    at.run()
    at.number_input[0].set_value(44.0)
    next(box for box in at.text_input if box.label.startswith("Reason, where")).set_value("Report of 12.04.1961")
    press(at, "Save")
    assert read_kept(store)["P-002", "outcome"].values == {"ki67_pct": 20.0}
    next(box for box in at.checkbox if box.label == "It does not identify the patient").check()
    press(at, "Save")
    assert read_kept(store)["P-002", "outcome"].values == {"ki67_pct": 44.0}


def test_what_is_no_table_gets_a_sentence(open_page, store):
    at = open_page(PAGE)
    at.file_uploader[0].set_value(("outcomes.csv", b"name,age\nx,1\n", "text/csv")).run()
    assert "no column with the pseudonyms" in at.error[0].value


def test_an_estimate_of_the_case_page_is_added_once(open_page, store):
    at = open_page(CASE)
    press(press(at, "Try this patient"), "Estimate")
    at.run()
    assert next(b for b in at.button if b.label == "Add to register").disabled
    fields = {box.label: box for box in at.text_input}
    assert fields["Pseudonym"].value.startswith("SIM-")
    fields["Pseudonym"].set_value("Anna Schmidt")
    fields["Centre"].set_value("North")
    fields["Your initials"].set_value("AB")
    at.date_input[0].set_value("2026-03-01")
    at.run()
    assert "This looks like a name" in words(at)
    assert next(b for b in at.button if b.label == "Add to register").disabled
    {box.label: box for box in at.text_input}["Pseudonym"].set_value("N-17")
    at.run()
    at = press(at, "Add to register")
    (record,) = store.read("N-17", kinds=REGISTER)
    said = f"This estimate is entry **{record.number}:{record.hash[:16]}** of the register."
    assert said in words(at)
    assert said in words(press(at, "Add to register"))
    assert count_estimates(store, Filter(search="N-17")) == 1


def test_the_case_page_offers_nothing_while_it_is_off(open_page):
    at = open_page(CASE)
    press(press(at, "Try this patient"), "Estimate")
    assert "Add to register" not in [button.label for button in at.button]


def test_the_register_is_a_cohort_of_all_pages(open_page, store):
    rng = np.random.default_rng(2)
    for i, prob in enumerate(rng.random(60)):
        add_estimates(store, [f"R-{i}"], probability=float(prob), clinical={"age": float(rng.integers(30, 80))})
        if i < 50:
            enter(store, f"R-{i}", ki67_pct=float(40 * (rng.random() < prob) + 5), rfs_months=i + 1.0, rfs_event=i % 2)
    add_estimates(store, ["P-002"], input_sha256="2" * 64, bundle_sha256="c" * 64)
    at = open_page("pages/2_Cohort.py")
    assert "the register" not in words(at)
    choose_register(at)
    assert "63 of 63 patients of the register (prospective estimates)" in words(at)
    assert "the outcome is known of 52 (83 %)" in words(at)
    assert any("Verification bias" in warning.value for warning in at.warning)
    for page in sorted(PAGES.glob("[3-7]*.py")):
        at.switch_page(f"pages/{page.name}").run()
        assert not at.exception, page.name
        assert "patients of the register (prospective estimates)" in words(at), page.name


def test_estimates_after_the_outcome_count_only_where_asked_and_are_labelled(open_page, store):
    enter(store, "P-009", ki67_pct=50)
    add_estimates(store, ["P-009"])
    at = choose_register(open_page("pages/2_Cohort.py"))
    assert "3 of 3 patients of the register (prospective estimates)" in words(at)
    assert "Estimated after their outcome had been entered, and left out: 1 patients." in words(at)
    next(t for t in at.toggle if t.label.startswith("Include estimates")).set_value(True)
    at.run()
    assert "4 of 4 patients of the register (prospective and other estimates)" in words(at)


def test_the_register_is_offered_unread_where_it_has_a_prospective_estimate(open_page, store, monkeypatch):
    checked = []
    verify = Store.verify_chain
    monkeypatch.setattr(Store, "verify_chain", lambda store: checked.append(1) or verify(store))
    at = open_page("pages/2_Cohort.py")
    assert not checked
    choose_register(at)
    assert checked


def test_it_knows_whether_there_is_an_estimate_before_the_outcome(store, tmp_path):
    assert has_estimate(store, prospective=True)
    late = Store(f"sqlite:///{tmp_path / 'late.db'}")
    assert not has_estimate(late, prospective=False)
    enter(late, "P-009", ki67_pct=50)
    add_estimates(late, ["P-009"])
    assert has_estimate(late, prospective=False)
    assert not has_estimate(late, prospective=True)
    late.close()


def test_a_record_that_does_not_hold_is_no_cohort_and_stops_no_other(open_page, store):
    run(find_database(), "UPDATE entries SET probability = 0.99 WHERE number = 1")
    at = open_page("pages/2_Cohort.py")
    assert not at.error
    at = choose_register(at)
    assert [error.value for error in at.error] == [
        "No table is made, for the record does not hold: entry 1 was changed. Tell the database administrator."
    ]
    at.button_group[0].set_value("The bundle's own cohort")
    assert not at.run().error


def choose_register(at: AppTest) -> AppTest:
    next(group for group in at.get("button_group") if group.label == "Cohort").set_value("The register")
    return at.run()


@pytest.mark.parametrize(("may_see", "offered"), [(True, True), (False, False)])
def test_who_sees_sums_alone_is_not_offered_the_register_as_a_cohort(open_page, store, monkeypatch, may_see, offered):
    monkeypatch.setattr("core.ui.cohort.current.has_role", lambda role: may_see and role == "clinician")
    at = open_page("pages/2_Cohort.py")
    groups = [group for group in at.get("button_group") if group.label == "Cohort"]
    assert any("The register" in group.options for group in groups) == offered


def test_a_changed_entry_is_withheld(open_page, store):
    run(find_database(), "UPDATE entries SET probability = 0.99 WHERE number = 3")
    run(find_database(), "UPDATE entries SET details = 'Anna Maier' WHERE number = 4")
    at = open_page(PAGE)
    assert at.dataframe[0].value["High Ki-67"].tolist()[0] == "withheld"
    assert at.dataframe[0].value["Outcome"].tolist() == ["known", "not known", "not known"]
    next(box for box in at.selectbox if box.label == "Open a patient").set_value("P-002")
    at.run()
    assert [error.value.partition(" was ")[0] for error in at.error] == ["Withheld: entry 3", "Withheld: entry 4"]
    assert "Nothing can be entered for this patient" in words(at)
    assert "Maier" not in words(at)
    assert not [button for button in at.button if button.label == "Save"]
