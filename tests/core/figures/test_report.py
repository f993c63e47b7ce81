"""The report: whole, self-contained, marked, and with the numbers of the evaluation."""

import hashlib
import html
import re
from dataclasses import replace

import pytest

from core.cohort import PredictionTable, read_predictions
from core.evaluation.cohort.provenance import list_origin
from core.evaluation.cohort.results import settle_threshold
from core.figures.cohort.evaluate import evaluate_cohort
from core.figures.cohort.report import render_report
from models.cutoff import DEFAULT_CUTOFF, Cutoff
from tests.pages.cohorts import encode, make_table

ORIGIN = {"cohort_sha256": "ab12", "app_version": "0"}


@pytest.fixture(scope="module")
def read() -> PredictionTable:
    table = make_table().astype({"prob": object})
    table.loc[3, "prob"] = "x"
    return read_predictions(encode(table))


@pytest.fixture(scope="module")
def page(read) -> str:
    threshold = settle_threshold(read.table)
    return render_report(read, threshold, title="the tried cohort", simulated=True, origin=ORIGIN).decode()


def test_it_holds_the_numbers_of_evaluate(read, page):
    external = evaluate_cohort(read.table)["external"]
    auc, (low, high) = external["discrimination"]["auc"], external["discrimination"]["auc_ci"]
    assert f"In the external test of the tried cohort the AUC was {auc:.3f} (95 % CI {low:.3f} to {high:.3f})" in page
    slope = external["calibration"]["slope"]
    assert f"{slope['est']:.3f} ({slope['ci'][0]:.3f} to {slope['ci'][1]:.3f})" in page


def test_recurrence_and_nodes_have_their_decision_curves(read, page):
    external = read.table[read.table["split"] == "external"]
    assert page.count("<h4>Decision curve for recurrence</h4>") == 2
    assert "Risk of recurrence within 36 months" in page
    assert "fitted on train (n = 59" in page
    assert re.search(
        f"to 0[.]\\d+: Recurrence .* n = {len(external)} complete patients, Kaplan-Meier risk by 36 m", page
    )
    assert "the range of the middle 95 % of these patients&#39; predicted risks" in page
    assert "Mean up to 48 months (95 % CI)" in page
    assert "Decision curve for node metastasis" not in page
    heads = read.table.assign(prob_lnm=read.table["prob"] / 2, lnm=read.table["lnm"].where(read.table.index % 2 == 0))
    part = replace(read, table=heads[heads["split"] == "external"])
    one = render_report(part, settle_threshold(part.table), title="a cohort", simulated=True, origin={}).decode()
    known = int(part.table["lnm"].notna().sum())
    assert re.search(f"from 0.05 to 0.30: Node model, with axillary ultrasound .* n = {known} complete patients", one)
    assert "exploratory and optimistic" in one
    assert one.index("SIMULATED patients", one.index("External test</h2>")) < one.index("Decision curve for node")


def test_it_asks_no_server_and_runs_no_script(page):
    assert not re.findall(r"(?:src|href)=[\"'](?!data:|#)", page)
    assert "<script" not in page
    assert "@import" not in page


def test_every_split_is_marked_as_simulated(page):
    assert page.count("SIMULATED patients") == 1 + 2
    assert "Research use only" in page


def test_refused_rows_flow_origin_and_checklist(page):
    assert "Of 120 rows of the tried cohort, 1 were refused and 119 patients are evaluated." in page
    assert "is not a number" in page
    assert "ab12" in page
    assert "Performance with confidence intervals, subgroups" in page


def test_the_origin_makes_the_checklist_true(read):
    table = make_table()
    coded = table.assign(y=table["y"].map({0: "no", 1: "yes"}), size_cm=2.5)
    coded.loc[len(coded)] = coded.loc[0]
    content = encode(coded)
    strict = read_predictions(content, cutoff=Cutoff(14, ">"))
    settled, origin = settle_threshold(strict.table), list_origin(strict)
    page = render_report(strict, settled, title="a cohort", simulated=False, origin=origin).decode()
    assert hashlib.sha256(content).hexdigest() in page
    for words in (html.escape(Cutoff(14, ">").words), "121: 120 used, 1 refused", "Cells left out", "size_cm: cm"):
        assert words in page, words
    assert "y: " in origin["Coding and units"]
    assert origin["Made (UTC)"] in page
    assert list_origin(read)["High Ki-67"].endswith(DEFAULT_CUTOFF.words)


def test_a_cut_off_that_the_file_does_not_show_is_not_claimed():
    read = read_predictions(encode(make_table()))
    assert list_origin(read)["High Ki-67"].startswith("as y says, without Ki-67 in the file")


def test_a_unit_of_a_column_that_was_not_read_is_not_listed():
    read = read_predictions(encode(make_table().assign(age=1962)))
    assert "years" not in list_origin(read)["Coding and units"]


def test_it_names_no_patient(page):
    assert "U-1" not in page


def test_what_the_table_lacks_is_said(read):
    bare = replace(read, table=read.table[["patient_id", "split", "y", "prob"]])
    page = render_report(bare, settle_threshold(bare.table), title="a cohort", simulated=False, origin={}).decode()
    assert "the table has no recurrence-free survival and no node metastasis" in page
    assert "SIMULATED" not in page


def test_one_class_gives_a_report_with_reasons(read):
    single = replace(read, table=read.table.assign(y=1.0))
    page = render_report(single, settle_threshold(single.table), title="a cohort", simulated=False, origin={}).decode()
    assert "There is no threshold" in page
    assert "there is nothing to tell apart" in page


def test_every_column_has_a_name(page):
    headers = re.findall(r'<th scope="col">(.*?)</th>', page)
    assert "Prediction" in headers
    assert all(header.strip() for header in headers)
