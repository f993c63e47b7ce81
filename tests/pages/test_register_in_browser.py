"""The register in a real Chromium: a patient is opened, an outcome entered and corrected, a table imported."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.register.outcome_entry import read_kept
from core.register.store import Store
from tests.core.fhir.bundles import write_bundle, write_observation
from tests.core.register.register_entries import add_estimates
from tests.pages.serving import PATIENCE_MS, serve_app
from tests.pages.test_accessibility_in_browser import find_lasting_violations
from tests.pages.test_in_browser import browser, page, pick, pytestmark, settle  # noqa: F401

TABLE = b"patient;ki67;pN\nP-01;35;N1\nP-02;20;\nQ-9;50;\n"


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("register")
    before = os.environ.get("XDG_CONFIG_HOME")
    os.environ["XDG_CONFIG_HOME"] = str(folder / "config")
    opened = Store(f"sqlite:///{folder / 'board.db'}")
    add_estimates(opened, [f"P-{i:02d}" for i in range(60)])
    yield opened
    opened.close()
    os.environ.pop("XDG_CONFIG_HOME")
    os.environ |= {"XDG_CONFIG_HOME": before} if before else {}


@pytest.fixture(scope="module")
def address(store: Store, bundle_dir: Path) -> Iterator[str]:
    url = str(store.url)
    with serve_app(SONOKI_DATABASE_URL=url, SONOKI_REGISTER="on", SONOKI_BUNDLE=str(bundle_dir)) as running:
        yield running


def open_register(page, address: str) -> None:  # noqa: F811
    page.goto(f"{address}/Register", timeout=PATIENCE_MS)
    page.get_by_text("60 estimates, newest first, page 1 of 2").wait_for()
    page.get_by_label("Your initials").fill("AB")
    page.get_by_label("Your initials").press("Enter")
    settle(page)


def open_patient(page, name: str) -> None:  # noqa: F811
    pick(page, "Open a patient", name)
    page.get_by_role("heading", name=name, exact=True).wait_for()
    settle(page)


def save(page, percent: str, reason: str = "") -> None:  # noqa: F811
    page.get_by_label("Ki-67 (%)").fill(percent)
    page.get_by_role("textbox", name="Reason, where something kept").fill(reason)
    page.get_by_role("button", name="Save", exact=True).click()
    settle(page)


def test_an_outcome_is_entered_and_corrected_only_with_a_reason(page, address, store):  # noqa: F811
    open_register(page, address)
    open_patient(page, "P-59")
    save(page, "35")
    page.get_by_text("Saved as entry 61").wait_for()
    save(page, "30")
    page.get_by_text("This contradicts what is kept: give the reason for the correction.").wait_for()
    save(page, "30", "Typing error.")
    page.get_by_text("Saved as entry 62").wait_for()
    page.get_by_text("Outcome 62, corrects entry 61").wait_for()
    assert read_kept(store)["P-59", "outcome"].values == {"ki67_pct": 30.0}
    assert "P-59" not in page.url
    assert store.verify_chain().holds


def test_a_table_is_previewed_and_entered(page, address, store):  # noqa: F811
    open_register(page, address)
    page.get_by_role("button", name="Older").click()
    page.get_by_text("page 2 of 2").wait_for()
    page.get_by_text("Enter outcomes from a table").click()
    file = {"name": "outcomes.csv", "mimeType": "text/csv", "buffer": TABLE}
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)
    page.get_by_text("2 new, 0 matched, 0 contradicting, 1 unmatched, 0 not used").wait_for()
    page.get_by_role("button", name="Enter 2 rows").click()
    page.get_by_text("2 entries were written.").wait_for()
    assert read_kept(store)["P-01", "outcome"].values == {"ki67_pct": 35.0, "pn": "N1"}


def test_a_fhir_bundle_is_previewed_and_entered(page, address, store):  # noqa: F811
    open_register(page, address)
    page.get_by_text("Enter outcomes from a table or a FHIR Bundle").click()
    bundle = write_bundle(write_observation("P-10"), write_observation("P-11", "Specimen/core"))
    file = {"name": "bundle.json", "mimeType": "application/json", "buffer": bundle}
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)
    page.get_by_text("1 new, 0 matched, 0 contradicting, 0 unmatched, 1 not used").wait_for()
    page.get_by_role("button", name="Enter 1 rows").click()
    page.get_by_text("1 entries were written.").wait_for()
    kept = read_kept(store)
    assert kept["P-10", "outcome"].values == {"ki67_pct": 35.0}
    assert ("P-11", "outcome") not in kept


def test_an_estimate_is_withdrawn_and_put_back(page, address, store):  # noqa: F811
    open_register(page, address)
    open_patient(page, "P-57")
    page.get_by_text("Withdraw an estimate, or put one back").click()
    pick(page, "Reason", "entered for a test")
    page.get_by_role("button", name="Withdraw", exact=True).click()
    page.get_by_text("withdraws entry 58").wait_for()
    page.get_by_text("1 more were withdrawn").wait_for()
    page.get_by_text("Withdraw an estimate, or put one back").click()
    page.get_by_label("Why it counts again").fill("no test after all")
    page.get_by_label("Why it counts again").press("Enter")
    settle(page)
    page.get_by_role("button", name="Put back", exact=True).click()
    page.get_by_text("puts back entry 58").wait_for()
    page.get_by_text("60 estimates, newest first").wait_for()
    assert store.verify_chain().holds


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_rule_is_broken_and_a_narrow_screen_needs_no_sideways_scrolling(browser, address, scheme):  # noqa: F811
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    narrow = context.new_page()
    narrow.set_default_timeout(PATIENCE_MS)
    narrow.goto(f"{address}/Register", timeout=PATIENCE_MS)
    open_patient(narrow, "P-58")
    assert narrow.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
    assert find_lasting_violations(narrow) == {}
    context.close()
