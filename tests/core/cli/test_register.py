"""`python -m core register`: add, outcomes, export, verify."""

import csv
import json
import math
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.cli import app
from core.cli.console import DEMO_BUNDLE
from core.cohort.frozen_rule import FrozenRule
from core.errors import InputError, TableError, UsageError
from core.inference.trust import load_bundle
from core.register.store import Store
from tests.core.fhir.bundles import write_bundle, write_observation
from tests.core.register.register_entries import add_estimates, enter

PREDICTIONS = (
    "patient_id,centre,prob,age,birads,exam_date,gate\nP-1,A,0.7,54,4C,31.3.2026,ok\nP-2,A,0.2,61,4A,,caution\n"
)


@pytest.fixture(autouse=True)
def config(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def url(tmp_path) -> str:
    return f"sqlite:///{tmp_path / 'board.db'}"


def run(url: str, *arguments: str):
    return CliRunner().invoke(app, ["register", *arguments, "--database", url])


def write(tmp_path: Path, text: str, name: str = "table.csv") -> str:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return str(tmp_path / name)


def test_a_scored_table_is_added_once_and_comes_back(url, tmp_path, bundle_dir):
    table = write(tmp_path, PREDICTIONS)
    counts = [
        json.loads(run(url, "add", table, "--author", "AB", "--bundle", str(bundle_dir), "--json").stdout)
        for _ in range(2)
    ]
    assert [(one["added"], one["there_already"]) for one in counts] == [(2, 0), (0, 2)]
    out = tmp_path / "register.csv"
    assert run(url, "export", "--out", str(out)).exit_code == 0
    assert out.stat().st_mode & 0o077 == 0
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert [(row["patient_id"], row["exam_date"], row["gate"]) for row in rows] == [
        ("P-1", "2026-03-31", "ok"),
        ("P-2", "", "caution"),
    ]
    assert [float(row["prob"]) for row in rows] == [0.7, 0.2]
    assert "2 estimates, 0 outcomes, 0 follow-ups among 2 entries; the chain holds" in run(url, "verify").stdout


def test_rows_that_no_entry_can_keep_are_named_and_the_others_added(url, tmp_path, bundle_dir):
    rows = "P-3,A,0.5,50,4B,2999-01-01,ok\nP-4,A,0.5,50,4B,,refused\n" + f"P-5,{'C' * 101},0.5,50,4B,,ok\n"
    table = write(tmp_path, PREDICTIONS + rows)
    told = run(url, "add", table, "--author", "AB", "--bundle", str(bundle_dir), "--json")
    assert json.loads(told.stdout) == {"added": 2, "there_already": 0, "refused": 3, "withdrawn": 0}
    for words in ("row 4: The date of the examination, 2999-01-01", "row 5: A gate is 'refused'", "row 6: A name of"):
        assert words in told.stderr


def test_patients_of_a_simulated_device_are_never_kept_as_real_ones(url, tmp_path, bundle_dir):
    header, real, other = PREDICTIONS.splitlines()
    device = "Simulated SIM-US A1 L10 10 MHz"
    table = write(tmp_path, f"{header},image_device\n{real},Maker Model\n{other},{device}\n")
    told = run(url, "add", table, "--author", "AB", "--bundle", str(bundle_dir))
    assert "1 patients were examined on a simulated device: they are kept as simulated ones." in told.stderr
    out = tmp_path / "register.csv"
    run(url, "export", "--out", str(out))
    rows = csv.DictReader(out.read_text(encoding="utf-8").splitlines())
    assert [row["is_simulated"] for row in rows] == ["False", "True"]


def test_names_are_questioned_and_a_table_of_another_bundle_is_refused(url, tmp_path, bundle_dir):
    table = write(tmp_path, PREDICTIONS.replace("P-1", "Anna Schmidt"))
    asked = run(url, "add", table, "--author", "AB", "--bundle", str(bundle_dir))
    assert isinstance(asked.exception, InputError)
    assert "patient 1: This looks like a name" in str(asked.exception)
    assert "Schmidt" not in str(asked.exception)
    assert run(url, "add", table, "--author", "AB", "--bundle", str(bundle_dir), "--pseudonyms").exit_code == 0
    rule = FrozenRule.of(load_bundle(bundle_dir))
    FrozenRule(rule.threshold, rule.chosen_on, rule.cutoff, "f" * 64).write(Path(table))
    other = run(url, "add", table, "--author", "AB", "--bundle", str(bundle_dir))
    assert isinstance(other.exception, UsageError)


def test_a_table_is_never_entered_as_another_bundles(url, tmp_path):
    """A table that was moved or copied has nothing beside it that names its bundle; its own figures tell."""
    table = write(tmp_path, PREDICTIONS)
    unsaid = run(url, "add", table, "--author", "AB")
    assert isinstance(unsaid.exception, UsageError)
    assert "name the bundle" in str(unsaid.exception)
    head = load_bundle(DEMO_BUNDLE).fusion_heads["clinical"]
    clinical = {"age": 54.0, "birads": "4C"}
    given = head.given(clinical)
    own = 1 / (1 + math.exp(-(given.intercept + given.code(clinical) @ given.coefs)))
    header = "patient_id,centre,prob,prob_clinical,age,birads\n"
    for prob, is_own in ((own, True), (round(own, 2), True), (own + 0.02, False)):
        table = write(tmp_path, f"{header}P-1,A,0.7,{prob},54,4C\n")
        told = run(url, "add", table, "--author", "AB", "--bundle", str(DEMO_BUNDLE))
        assert (told.exit_code == 0) == is_own
    assert "In 1 of 1 rows prob_clinical is not what the bundle" in str(told.exception)


def test_outcomes_are_judged_row_by_row_and_corrected_with_a_reason_alone(url, tmp_path):
    store = Store(url)
    add_estimates(store, ["P-1", "P-2", "P-3", "P-4"])
    enter(store, "P-2", ki67_pct=20)
    enter(store, "P-3", ki67_pct=30)
    store.close()
    table = write(
        tmp_path,
        "Patient,Ki-67 (%),Lab,pN,follow-up [months],Recurrence,last contact\n"
        "P-1,35,Lab A,N1,24,no,2026-01-31\nP-2,20,,,,,\nP-3,45,,,,,\nP-4,15-25,,,,,\nQ-9,50,,,,,\n",
    )
    seen = run(url, "outcomes", table, "--author", "AB", "--preview", "--json")
    expected = {"new": 1, "matched": 1, "contradicting": 1, "not used": 1, "unmatched": 1}
    assert json.loads(seen.stdout) == {"rows": expected, "entries": 0}
    assert "row 4: contradicting: ki67_pct is 30 %, the file says 45 %" in seen.stderr
    entered = run(url, "outcomes", table, "--author", "AB", "--json")
    assert json.loads(entered.stdout)["entries"] == 2  # an outcome and a follow-up
    corrected = run(url, "outcomes", table, "--author", "AB", "--correct", "Second reading.", "--json")
    assert json.loads(corrected.stdout) == {
        "rows": {"matched": 2, "contradicting": 1, "not used": 1, "unmatched": 1},
        "entries": 1,
    }
    store = Store(url)
    (last,) = [r for r in store.read(kinds=("outcome",)) if r.corrects]
    assert (last.patient, last.corrects, last.text) == ("P-3", 6, "Second reading.")
    assert json.loads(last.details)["ki67_pct"] == 45
    store.close()


def test_a_reason_that_seems_to_name_the_patient_is_questioned(url, tmp_path):
    store = Store(url)
    add_estimates(store, ["P-1"])
    enter(store, "P-1", ki67_pct=20)
    table = write(tmp_path, "Patient,Ki-67 (%)\nP-1,35\n")
    for reason in ("Frau Schmidt was read again.", "Report of 12.04.1961.", "See record 4711 0022."):
        asked = run(url, "outcomes", table, "--author", "AB", "--correct", reason)
        assert isinstance(asked.exception, InputError)
        assert "(--says-nothing)" in str(asked.exception)
    assert not [record for record in store.read(kinds=("outcome",)) if record.corrects]
    said = ("--correct", "Frau Schmidt was read again.", "--says-nothing")
    assert run(url, "outcomes", table, "--author", "AB", *said).exit_code == 0
    store.close()


def test_what_is_asked_about_a_table_of_outcomes_can_be_answered_and_unknown_pseudonyms_are_named(url, tmp_path):
    """No value above 1: the sentence names an option, which the command has."""
    store = Store(url)
    add_estimates(store, ["P-1"])
    table = write(tmp_path, "Patient,ki67,Remark\nP-1,0.35,a\nQ-9,0.5,b\n")
    asked = run(url, "outcomes", table, "--author", "AB")
    assert "--unit ki67_pct=percent" in str(asked.exception)
    left = tmp_path / "left.csv"
    told = run(url, "outcomes", table, "--author", "AB", "--unit", "ki67_pct=fraction", "--refused", str(left))
    assert "Not read: Remark." in told.stderr
    assert "row 3: unmatched: the register has no estimate of this pseudonym" in told.stderr
    assert list(csv.DictReader(left.read_text().splitlines())) == [
        {"row": "3", "reason": "unmatched: the register has no estimate of this pseudonym"}
    ]
    assert [json.loads(record.details) for record in store.read(kinds=("outcome",))] == [{"ki67_pct": 35.0}]
    store.close()


def test_a_table_without_outcomes_is_refused(url, tmp_path):
    refused = run(url, "outcomes", write(tmp_path, "patient,age\nP-1,50\n"), "--author", "AB")
    assert "neither the surgical Ki-67" in str(refused.exception)


def test_an_import_says_in_words_what_became_of_the_rows(url, tmp_path):
    store = Store(url)
    add_estimates(store, ["P-1"])
    store.close()
    table = write(tmp_path, "patient_id,ki67_pct\nP-1,35\nP-9,20\n")
    assert run(url, "outcomes", table, "--author", "AB").stdout == "1 new, 1 unmatched; 1 entries written\n"
    (tmp_path / "empty.csv").write_text("patient_id,ki67_pct\n")
    assert run(url, "outcomes", str(tmp_path / "empty.csv"), "--author", "AB").stdout == "no row; 0 entries written\n"


def test_a_fhir_bundle_is_previewed_and_entered_and_estimates_leave_as_fhir(url, tmp_path):
    store = Store(url)
    add_estimates(store, ["P-1", "P-2"])
    found = [write_observation("P-1"), write_observation("P-2", None), write_observation("P-9")]
    bundle = write(tmp_path, write_bundle(*found).decode(), "bundle.json")
    first = run(url, "outcomes", bundle, "--author", "AB", "--json")
    assert json.loads(first.stdout) == {"rows": {"new": 1, "not used": 1, "unmatched": 1}, "entries": 1}
    assert "row 2: not used: the Bundle does not say" in first.stderr
    again = run(url, "outcomes", bundle, "--author", "AB", "--surgical", "--json")
    assert json.loads(again.stdout) == {"rows": {"matched": 1, "new": 1, "unmatched": 1}, "entries": 1}
    run(url, "export", "--fhir", "--out", str(tmp_path / "out.json"))
    kinds = [one["resource"]["resourceType"] for one in json.loads((tmp_path / "out.json").read_text())["entry"]]
    assert sorted(kinds) == ["Device", "Provenance", "Provenance", "RiskAssessment", "RiskAssessment"]
    store.close()


def test_an_estimate_is_withdrawn_and_put_back(url, tmp_path):
    add_estimates(Store(url), ["P-1"])
    first = run(url, "withdraw", "1", "--author", "AB", "--reason", "entered for a test")
    assert "entry 2 withdraws entry 1" in first.stderr
    assert json.loads(run(url, "verify", "--json").stdout)["withdrawn"] == 1
    asked = run(url, "withdraw", "1", "--undo", "--author", "AB", "--text", "was Anna Jones")
    assert isinstance(asked.exception, InputError)
    back = run(url, "withdraw", "1", "--undo", "--author", "AB", "--text", "no test after all")
    assert "entry 3 puts back entry 1" in back.stderr


def test_adding_a_withdrawn_estimate_again_says_that_it_does_not_count(url, tmp_path, bundle_dir):
    add = ("add", write(tmp_path, PREDICTIONS), "--author", "AB", "--bundle", str(bundle_dir))
    run(url, *add)
    run(url, "withdraw", "1", "--author", "AB", "--reason", "entered for a test")
    again = run(url, *add, "--json")
    assert json.loads(again.stdout)["withdrawn"] == 1
    assert "1 of those there already are withdrawn and do not count" in again.stderr


def test_what_was_not_read_of_a_table_of_estimates_is_said_and_can_be_answered(url, tmp_path, bundle_dir):
    table = write(tmp_path, "patient_id,prob,exam_date\nP-1,0.7,yesterday\np-1,0.2,2026-03-31\n")
    add = ("add", table, "--author", "AB", "--bundle", str(bundle_dir), "--json")
    asked = run(url, *add, "--ignore", "exam_date")
    assert "say that they differ: --exact-ids" in str(asked.exception)
    told = run(url, *add, "--exact-ids")
    assert "exam_date: 'yesterday' is not a date" in told.stderr
    assert json.loads(told.stdout)["added"] == 2


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("gate", "refused", "A gate is 'refused'"),
        ("input_sha256", "zz", "An input_sha256 is 'zz'"),
        ("views", "abc", "A lesion box in views is 'abc'"),
    ],
)
def test_what_score_never_writes_is_refused(url, tmp_path, bundle_dir, column, value, sentence):
    table = write(tmp_path, f"patient_id,prob,{column}\nP-1,0.7,{value}\n")
    refused = run(url, "add", table, "--author", "AB", "--bundle", str(bundle_dir))
    assert isinstance(refused.exception, TableError)
    ((row, reason),) = refused.exception.rows
    assert row == 2
    assert sentence in reason
