"""A bundle's evidence as tables."""

import pytest

from core.errors import ModelError
from core.figures.evidence import (
    METRICS,
    NOT_ESTIMABLE,
    read_evidence,
    tabulate_coefficients,
    tabulate_flow,
    tabulate_metrics,
)
from models.bundle import read_bundle


def test_what_can_not_be_estimated_says_so():
    part = {"n": 5, "events": 0, "discrimination": {"auc": None}, "confusion": None, "calibration": None}
    table = tabulate_metrics({"test": part}).set_index("Figure")["Internal test"]
    assert table["Patients"] == "5"
    assert set(table.drop(["Patients", "With high Ki-67"])) == {NOT_ESTIMABLE}


def test_the_flow_has_a_row_a_split():
    table = tabulate_flow({"splits": {"external": {"n": 50, "events": 10, "centres": ["D", "E"]}}})
    assert table.to_dict("records") == [
        {"Split": "External test", "Centres": "D, E", "Patients": 50, "High Ki-67": "10 (20 %)"}
    ]


def test_splits_stand_in_the_order_of_a_study():
    part = {"n": 5, "events": 1, "centres": ["A"]}
    table = tabulate_flow({"splits": dict.fromkeys(["external", "pilot", "test", "train"], part)})
    assert table["Split"].tolist() == ["Training", "Internal test", "External test", "Pilot"]


def test_coefficients_stand_beside_their_intervals(bundle_dir):
    table = tabulate_coefficients(read_bundle(bundle_dir)).set_index("Term")
    assert table.loc["Ultrasound image", "Log-odds"] == "+0.90"
    low, high = (float(x) for x in table.loc["Ultrasound image", "95 % interval"].split(" to "))
    assert low < 0.9 < high


def test_a_bundle_without_evidence_says_what_to_do(bundle_dir):
    with pytest.raises(ModelError, match=r"no evidence/other\.json: train it again"):
        read_evidence(read_bundle(bundle_dir), "evidence/other.json")
    assert "external" in read_evidence(read_bundle(bundle_dir), METRICS)
