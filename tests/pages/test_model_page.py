"""Model: figures, flow and dictionary come from the bundle."""

import json
import re

import pytest

from core.clinical import FIELDS
from core.errors import UsageError
from core.inference.engines.choice import describe_choice


@pytest.fixture
def at(open_page):
    return open_page("pages/8_Model.py")


def test_figures_are_those_of_the_evidence(at, bundle_dir):
    external = json.loads((bundle_dir / "evidence" / "metrics.json").read_text())["external"]
    table = at.table[0].value.set_index("Figure")["External test"]
    auc, (low, high) = external["discrimination"]["auc"], external["discrimination"]["auc_ci"]
    assert table["AUC"] == f"{auc:.2f} ({low:.2f} to {high:.2f})"
    assert table["Patients"] == str(external["n"])
    brier, (low, high) = external["calibration"]["brier"], external["calibration"]["brier_ci"]
    assert table["Brier score"] == f"{brier:.2f} ({low:.2f} to {high:.2f})"


def test_every_figure_of_a_simulated_bundle_is_marked(at):
    assert "simulated" in at.warning[0].value


def test_threshold_zone_and_cut_off_are_named(at):
    text = "\n".join(m.value for m in at.markdown)
    assert "Threshold **50.0 %**: Youden's index, chosen on train + validation" in text
    assert "**40.0 to 60.0 %**" in text
    assert "20 % or more" in text


def test_the_boards_record_is_verified_and_the_page_says_when(at):
    text = "\n".join(m.value for m in at.markdown)
    assert re.search(r"The record holds: \d+ entries.*\. Verified 20|The record is being verified", text)


def test_the_whole_dictionary_is_listed(at):
    assert at.dataframe[0].value["Name"].tolist() == [field.name for field in FIELDS]


def test_the_card_is_there(at):
    assert any("For tests alone." in m.value for m in at.markdown)


def test_without_a_bundle_the_page_says_one_sentence(open_page, use_bundle, tmp_path):
    at = open_page("pages/8_Model.py")
    use_bundle(tmp_path)
    at.run()
    assert not at.exception
    assert [e.value for e in at.error] == [
        f"manifest.json is not in the folder '{tmp_path.name}': give a bundle's folder."
    ]


def test_the_engine_that_runs_is_named(at):
    assert any(f"The network runs in {describe_choice()}." in caption.value for caption in at.caption)


def test_a_paper_is_made_once_and_offered(at, open_page):
    button = next(b for b in at.button if b.label == "Make the figures, tables and text of a paper")
    button.click().run(timeout=300)
    assert not at.exception
    assert not at.error
    assert any(d.proto.label == "Paper (ZIP)" for d in at.get("download_button"))
    other = open_page("pages/8_Model.py")
    assert not [b for b in other.button if b.label.startswith("Make the figures")]
    assert any(d.proto.label == "Paper (ZIP)" for d in other.get("download_button"))


def test_who_may_not_see_the_page_gets_no_paper(open_page, monkeypatch):
    def refuse(least):
        raise UsageError(f"This page needs the role {least}.")

    monkeypatch.setattr("core.ui.page.require_role", refuse)
    at = open_page("pages/8_Model.py")
    assert not [b for b in at.button if b.label.startswith("Make the figures")]
    assert not at.get("download_button")
