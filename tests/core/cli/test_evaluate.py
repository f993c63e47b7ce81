"""Tables whose results mislead easily, evaluated from the command line: figures, JSON and report."""

import json
from pathlib import Path

import pandas as pd
import pytest

CASES = Path(__file__).parent / "cases"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("auc_one", "AUC 1.000 (no interval: The AUC is 1"),
        ("one_event_test", "1 event, AUC 0.333 (no interval: A class with a single patient"),
        ("constant", "AUC 0.500 (no interval: The score does not vary"),
        ("single_pos", "AUC not estimable: All 300 patients are positive"),
        ("y_partly", "validation: n = 20 of 40 with a known outcome, 8 events"),
    ],
)
def test_the_summary_gives_the_reason(run, name: str, said: str) -> None:
    code, out, err = run("evaluate", CASES / f"{name}.csv")
    assert code == 0
    assert said in out
    assert "File (sha256)" in err


@pytest.mark.parametrize("name", ["auc_one", "constant", "single_pos", "cox_seed3", "clump74", "lnm60"])
def test_json_and_report_come_without_a_figure_that_misleads(run, tmp_path: Path, name: str) -> None:
    code, out, _ = run("evaluate", CASES / f"{name}.csv", "--json", "--out", tmp_path)
    data, report = json.loads(out), (tmp_path / "report.html").read_text(encoding="utf-8")
    assert code == 0
    for part in data.values():
        read = part["input"]
        assert read["used"] + read["refused"]["count"] == read["rows"]
        assert read["sha256"] in report
        assert (part["calibration"]["emax"] or 0) <= 1
    assert "e+1" not in report
    assert "nan to nan" not in report
    assert "100.0 to 100.0" not in report


def test_separation_gives_the_reason_and_no_ratio(run) -> None:
    data = json.loads(run("evaluate", CASES / "cox_seed3.csv", "--json")[1])
    cox = data["validation"]["survival"]["cox"]
    assert (cox["hr"], cox["ci"]) == (None, None)
    assert "separates" in cox["reason"]


def test_each_cox_model_has_its_own_patients(run) -> None:
    survival = json.loads(run("evaluate", CASES / "lnm60.csv", "--json")[1])["external"]["survival"]
    assert (survival["cox"]["n"], survival["cox_adjusted"]["n"]) == (300, 60)


def test_clumped_predictions_are_smoothed_by_a_spline(run) -> None:
    calibration = json.loads(run("evaluate", CASES / "clump74.csv", "--json")[1])["external"]["calibration"]
    assert calibration["smoother"] == "spline"
    assert calibration["emax"] < 0.1


def test_no_known_outcome_is_refused(run) -> None:
    code, _, err = run("evaluate", CASES / "ki_blank.csv")
    assert code == 3
    assert "known outcome" in err


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = {"patient_id": [f"P{i}" for i in range(40)], "ki67_pct": [20, 35, 10, 5] * 10, "ward": ["X", "Y"] * 20}
    path = tmp_path / "table.csv"
    pd.DataFrame(rows | {"prob": [0.1 + 0.02 * (i * 7 % 40) for i in range(40)]}).to_csv(path, index=False)
    return path


def test_cutoff_rule_threshold_and_subgroups(run, table: Path) -> None:
    for rule, events in ((">=", 20), (">", 10)):
        options = ("--cutoff", "20", "--rule", rule, "--threshold", "0.457", "--by", "ward")
        part = json.loads(run("evaluate", table, *options, "--json")[1])["external"]
        assert part["events"] == events
        assert part["input"]["cutoff"] == {"value": 20.0, "rule": rule}
        assert (part["threshold"]["value"], part["threshold"]["exploratory"]) == (0.457, False)
        assert f"  ward X: n = 20, {0 if rule == '>' else 10} events" in run("evaluate", table, *options)[1]
    assert run("evaluate", table, "--rule", "<")[0] == 2
    assert run("evaluate", table, "--threshold", "45.7")[0] == 2


def test_what_score_left_beside_the_table_is_used(run, table: Path) -> None:
    record = {
        "threshold": 0.3,
        "chosen_on": "train of the bundle b",
        "cutoff": {"value": 14, "rule": ">"},
        "bundle_sha256": "0" * 64,
    }
    beside = table.with_name("table.csv.threshold.json")
    beside.write_text(json.dumps(record))
    part = json.loads(run("evaluate", table, "--json")[1])["external"]
    assert (part["threshold"]["value"], part["threshold"]["chosen_on"]) == (0.3, "train of the bundle b")
    assert part["input"]["cutoff"] == {"value": 14.0, "rule": ">"}
    beside.write_text("{}")
    code, _, err = run("evaluate", table)
    assert code == 3
    assert "damaged" in err


def test_a_threshold_of_another_cutoff_is_said(run, bundle_dir: Path, table: Path, tmp_path: Path) -> None:
    options = ("--bundle", bundle_dir, "--cutoff", "30", "--json", "--out", tmp_path)
    _, out, err = run("evaluate", table, *options)
    said = "for Ki-67 of 20 % or more and not for 30 % or more, which is judged here"
    assert json.loads(out)["external"]["threshold"]["chosen_on"].endswith(said)
    assert said in err
    assert said in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_bundle_gives_its_threshold_and_cutoff(run, bundle_dir: Path, table: Path) -> None:
    manifest = json.loads((bundle_dir / "manifest.json").read_text())
    part = json.loads(run("evaluate", table, "--bundle", bundle_dir, "--json")[1])["external"]
    assert part["threshold"]["value"] == manifest["threshold"]["value"]
    assert part["input"]["cutoff"] == manifest["cutoff"]
