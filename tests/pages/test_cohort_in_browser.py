"""The cohort pages in a real Chromium: upload, filter, threshold, downloads; no request to the outside."""

import json

from tests.pages.cohorts import encode, make_table
from tests.pages.test_in_browser import PATIENCE_MS, address, browser, page, pick, pytestmark, settle  # noqa: F401


def upload(page, address: str) -> None:  # noqa: F811
    page.goto(f"{address}/Cohort", timeout=PATIENCE_MS)
    page.get_by_text("Evaluate the model on a cohort of your own").click()
    table = {"name": "cohort.csv", "mimeType": "text/csv", "buffer": encode(make_table())}
    place = page.get_by_label("Prediction table: CSV, Excel, ODS or Parquet")
    place.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(table)
    page.get_by_text("120 of 120 patients of the uploaded cohort").wait_for()


def go(page, name: str) -> None:  # noqa: F811
    page.get_by_test_id("stSidebar").get_by_role("link", name=name).click()
    page.get_by_role("heading", name=name, exact=True).wait_for()


def unfold(page, name: str) -> None:  # noqa: F811
    page.get_by_role("button", name=name, exact=True).click()


def fetch(page, label: str) -> bytes:  # noqa: F811
    with page.expect_download() as waiting:
        page.get_by_role("button", name=label, exact=True).first.click()
    return waiting.value.path().read_bytes()


def test_upload_filter_threshold_and_downloads(page, address):  # noqa: F811
    upload(page, address)
    go(page, "Discrimination")
    page.get_by_text("In the external test of the uploaded cohort the AUC was").wait_for()
    unfold(page, "Filters")
    page.get_by_role("button", name="North").click()
    page.get_by_text("30 of 120 patients of the uploaded cohort").wait_for()

    page.keyboard.press("Escape")
    unfold(page, "Threshold")
    slider = page.get_by_role("slider", name="Threshold")
    slider.focus()
    for _ in range(3):
        slider.press("ArrowRight")
    page.get_by_text("Exploratory", exact=True).wait_for()
    go(page, "Decision curve")
    page.get_by_text("30 of 120 patients of the uploaded cohort").wait_for()
    page.get_by_text("Exploratory", exact=True).wait_for()

    go(page, "Discrimination")
    page.get_by_text("The threshold was moved to").wait_for()
    record = json.loads(fetch(page, "Numbers (JSON)"))
    assert record["origin"]["patients"] == "the external test of the uploaded cohort (centre North)"
    assert record["roc"]["threshold"]["exploratory"] is True
    assert record["roc"]["discrimination"]["n"] == 30
    assert fetch(page, "Data (CSV)").startswith(b"score,threshold,fpr,tpr")
    assert fetch(page, "Figure (SVG)").startswith(b"<svg")
    assert fetch(page, "Figure (PNG)").startswith(b"\x89PNG")


def test_a_filter_holds_on_the_first_visit_of_another_page(page, address):  # noqa: F811
    upload(page, address)
    go(page, "Discrimination")
    unfold(page, "Filters")
    page.get_by_role("button", name="\u2265 65").click()
    external = make_table().query("split == 'external' and age >= 65")
    shown = f"{len(external)} of 120 patients of the uploaded cohort"
    page.get_by_text(shown).wait_for()
    go(page, "Calibration")
    page.get_by_text("In the external test of the uploaded cohort (age").first.wait_for()
    page.get_by_text(shown).wait_for()


def test_the_report(page, address):  # noqa: F811
    page.goto(f"{address}/Cohort", timeout=PATIENCE_MS)
    page.get_by_text("Flow of patients").wait_for()
    page.get_by_role("button", name="Make the report of the whole evaluation").click()
    page.get_by_role("button", name="Report of the whole evaluation (HTML)").wait_for()
    report = fetch(page, "Report of the whole evaluation (HTML)").decode()
    assert "TRIPOD+AI" in report
    assert "SIMULATED patients" in report


def give(page, address: str, content: bytes) -> None:  # noqa: F811
    page.goto(f"{address}/Cohort", timeout=PATIENCE_MS)
    page.get_by_text("Evaluate the model on a cohort of your own").click()
    place = page.get_by_label("Prediction table: CSV, Excel, ODS or Parquet")
    file = {"name": "cohort.csv", "mimeType": "text/csv", "buffer": content}
    place.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)


def test_a_coding_that_the_file_does_not_say_is_asked_for_and_told(page, address):  # noqa: F811
    give(page, address, encode(make_table().assign(y=lambda table: table["y"] + 1)))
    page.get_by_text("Its codes are 1 and 2; which is yes can't be told. Say what they mean below.").wait_for()
    for code, meaning in (("1", "no"), ("2", "yes")):
        pick(page, f"What '{code}' means", meaning)
    page.get_by_role("button", name="Read the table this way").click()
    page.get_by_text("120 of 120 patients of the uploaded cohort").wait_for()
