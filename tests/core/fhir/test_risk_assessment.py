"""Estimates as FHIR: valid R4, by pseudonym alone, with interval, limits and where they come from."""

import json
from dataclasses import replace

from fhir.resources.R4B.bundle import Bundle

from core.fhir.risk_assessment import Assessed, Model, render_assessments
from core.register.estimate.entry import Estimate
from core.register.patients import read_estimates
from tests.core.register.register_entries import ESTIMATE, add_estimates

NOW = "2026-11-26T12:00:00+00:00"
MODEL = Model("ours", "b" * 64, ">= 20 %", is_simulated=True)


def write(*estimates: Estimate, entry: str = "") -> dict[str, list[dict]]:
    text = render_assessments([Assessed(one, NOW, entry) for one in estimates], [MODEL], created_utc=NOW)
    Bundle.model_validate_json(text)
    found: dict[str, list[dict]] = {}
    for one in json.loads(text)["entry"]:
        found.setdefault(one["resource"]["resourceType"], []).append(one["resource"] | {"url": one["fullUrl"]})
    return found


def test_an_estimate_is_a_risk_assessment_of_its_device_with_provenance():
    found = write(ESTIMATE, replace(ESTIMATE, patient="P-002"), entry="7:abcd")
    (device,), (one, _), (origin, _) = (found[kind] for kind in ("Device", "RiskAssessment", "Provenance"))
    assert one["subject"] == {"type": "Patient", "identifier": {"type": {"text": "Pseudonym"}, "value": "P-001"}}
    chance, span = one["prediction"]
    assert float(chance["probabilityDecimal"]) == 30
    ends = [span["probabilityRange"][end] for end in ("low", "high")]
    assert [(float(end["value"]), end["code"]) for end in ends] == [(20, "%"), (33.33, "%")]
    assert one["performer"]["reference"] == device["url"] == origin["agent"][0]["who"]["reference"]
    assert origin["target"] == [{"reference": one["url"]}]
    assert [part["what"]["identifier"]["value"] for part in origin["entity"]] == ["1" * 64, "7:abcd"]
    assert one["occurrenceDateTime"] == "2026-03-01"


def test_limits_are_said_in_the_resource():
    (one,) = write(replace(ESTIMATE, is_simulated=True, gate="caution"))["RiskAssessment"]
    notes = " ".join(note["text"] for note in one["note"])
    for words in ("Research use only", "trained on simulated patients", "patient is simulated", "Not known: "):
        assert words in notes
        assert words in one["text"]["div"]
    assert one["meta"]["security"][0]["code"] == "HTEST"
    (other,) = write(replace(ESTIMATE, bundle_sha256="c" * 64))["RiskAssessment"]
    assert "not known here" in other["note"][1]["text"]
    assert "meta" not in other


def test_without_interval_pseudonym_or_input_nothing_is_made_up():
    bare = replace(ESTIMATE, patient="", low=None, high=None, input_sha256="", exam_date="")
    found = write(bare)
    (one,), (origin,) = found["RiskAssessment"], found["Provenance"]
    assert len(one["prediction"]) == 1
    assert one["subject"] == {"type": "Patient", "display": "not named"}
    assert "entity" not in origin
    assert "occurrenceDateTime" not in one


def test_an_entry_of_the_register_gives_the_estimate_back(store):
    add_estimates(store, ["P-001"])
    (record,) = read_estimates(store)
    assert Estimate.of_record(record) == ESTIMATE
    assert Assessed.of_record(record).entry == f"1:{record.hash}"


def test_the_same_estimate_has_the_same_names():
    assert write(ESTIMATE) == write(ESTIMATE)
