"""What a paper says: sums, Table 1 by hand, methods from the manifest, checklists, two cohorts side by side."""

import dataclasses
import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest

from core import __version__
from core.cohort import PredictionTable
from core.cohort.splits import label_split
from core.errors import InputError, ModelError
from core.evaluation import compare_roc
from core.evaluation.discrimination.roc_comparison import compare_roc_unpaired
from core.paper.checklists import ANSWERED, fill_checklists
from core.paper.comparison import find_shared, write_comparison
from core.paper.paper import write_paper
from core.paper.study import NOT_KEPT, read_other, read_study
from core.training.bundle.reporting import (
    CLAIM,
    STARD,
    TRIPOD,
    describe_reporting,
    list_items,
    read_answers,
    write_form,
)
from models.cutoff import Cutoff
from tests.core.paper.conftest import SHIPPED

PREDICTIONS = SHIPPED / "evidence" / "predictions.csv"


def find(paper, id_):
    return next(section for section in paper.sections if section.id == id_)


def read_text(paper):
    return " ".join(words for section in paper.sections for words in section.paragraphs)


def test_flow_adds_up_to_the_patients_of_the_predictions(study):
    patients = study.patients
    rows = pd.read_csv(PREDICTIONS)
    assert study.flow["rows"] == patients.refused + patients.further + len(rows)
    assert sum(count for _, count in patients.reasons) == patients.refused
    assert {name: part["n"] for name, part in study.flow["splits"].items()} == rows["split"].value_counts().to_dict()


def test_table_one_by_hand(paper):
    rows = pd.read_csv(PREDICTIONS)
    shown = find(paper, "characteristics").tables[0].table.set_index("Characteristic")
    for split in ("train", "validation", "test", "external"):
        part = rows[rows["split"] == split]
        column = f"{label_split(split)}, n = {len(part)}"
        age, pct = part["age"], 100 * part["y"].mean()
        assert shown.loc["Age (years), mean (SD)", column] == f"{age.mean():.1f} ({age.std():.1f})"
        assert shown.loc["High Ki-67", column] == f"{part['y'].sum()} ({pct:.1f} %)"
        size = part["size_mm"].dropna()
        low, middle, high = np.quantile(size, [0.25, 0.5, 0.75])
        label = "Largest diameter on ultrasound (mm), median (quartiles)"
        assert shown.loc[label, column] == f"{middle:.1f} ({low:.1f} to {high:.1f})"
        post = part["menopausal"].dropna()
        share = 100 * (post == "post").mean()
        assert shown.loc["Menopausal status: post", column] == f"{(post == 'post').sum()} ({share:.1f} %)"
    missing = {split: int(part["menopausal"].isna().sum()) for split, part in rows.groupby("split")}
    words = shown.loc["Menopausal status: pre", "Missing"]
    assert all((f"{label_split(split)} {count}" in words) == (count > 0) for split, count in missing.items())
    assert not any("p " in column or column == "P" for column in shown.columns)


def test_the_first_table_is_table_one_and_the_first_figure_the_flow(paper):
    assert paper.tables[0][0] == "table_01_all_table_1_1"
    assert paper.figures[0][0] == "figure_01_all_flow"
    assert any("nomogram" in name for name, _ in paper.figures)
    assert any("external_survival" in name for name, _ in paper.figures)


def test_methods_say_what_the_manifest_says(paper, study):
    text, manifest = read_text(paper), study.manifest
    assert manifest["backbone"]["architecture"] in text
    assert f"{manifest['threshold']['value']:.3f}" in text
    assert f"{len(study.bundle.refits)} refits" in text
    assert all(f"{name} {version}" in text for name, version in manifest["versions"].items())
    assert all(f" {value:g}" in text for value in manifest["penalties"].values())
    assert f"SonoKi {__version__}" in text
    for name, part in study.flow["splits"].items():
        assert f"{name} {part['n']} ({part['events']} with high Ki-67" in text
    assert "20 % or more" in text


def test_methods_follow_the_bundle(study):
    manifest = json.loads(json.dumps(study.manifest))
    manifest["threshold"]["value"], manifest["versions"]["torch"] = 0.123, "9.9.9"
    manifest["cutoff"] = {"value": 14.0, "rule": ">"}
    text = read_text(write_paper(dataclasses.replace(study, manifest=manifest)))
    assert "Threshold 0.123" in text
    assert "torch 9.9.9" in text
    assert "more than 14 %" in text


def test_results_give_n_and_intervals_and_leave_out_what_is_not_estimable(paper):
    external = find(paper, "split-external").paragraphs
    assert len(external) == 5
    assert all("n = " in words and words.startswith("SIMULATED patients. ") for words in external)
    assert "n = 204, 99 events" in external[0]
    assert "95 % CI" in external[0]
    lacks = find(paper, "lacks").tables[0].table
    assert "Early recurrence" in set(lacks["What"])
    assert not any("not estimable" in words for section in paper.sections for words in section.paragraphs)


def test_the_checklists_have_every_item_of_the_published_lists(paper):
    tripod = [item.number for item in paper.checklists[TRIPOD]]
    assert list(dict.fromkeys(number.rstrip("abcdefg") for number in tripod)) == [str(n) for n in range(1, 28)]
    assert [n for n in tripod if n.startswith("12")] == [f"12{letter}" for letter in "abcdefg"]
    assert [n for n in tripod if n.startswith("18")] == [f"18{letter}" for letter in "abcdef"]
    assert len(tripod) == 52
    assert [item.number for item in paper.checklists[CLAIM]] == [str(n) for n in range(1, 45)]
    for guideline, answered in ANSWERED.items():
        assert set(answered) <= set(list_items(guideline))


def test_each_item_names_a_section_or_is_missing(paper):
    ids = {section.id for section in paper.sections}
    for items in paper.checklists.values():
        for item in items:
            assert item.section in ids or (item.section == "" and item.missing == "missing")
    by_number = {item.number: item for item in paper.checklists[TRIPOD]}
    assert by_number["17"].missing == "missing"
    assert by_number["23a"].section == "split-external"
    assert by_number["20a"].section == "flow"


def test_what_the_people_answered_is_not_missing_and_a_gap_is():
    items = fill_checklists({"TRIPOD+AI 17": "Board of Graz, 12/2021"}, {"flow"}, {"flow": "reasons"})
    by_number = {item.number: item for item in items[TRIPOD]}
    assert (by_number["17"].answer, by_number["17"].missing) == ("Board of Graz, 12/2021", "")
    assert (by_number["20a"].section, by_number["20a"].missing) == ("flow", "reasons")
    assert by_number["22"].missing == "missing"


@pytest.fixture
def other(study):
    """The same patients with other probabilities."""
    table = study.cohort.table.copy()
    table["prob"] = 1 / (1 + np.exp(-(np.log(table["prob"] / (1 - table["prob"])) + np.sin(np.arange(len(table))))))
    read = PredictionTable(table, study.cohort.read.reading, study.cohort.read.cutoff)
    return dataclasses.replace(study.cohort, name="theirs", read=read)


def test_the_same_patients_are_compared_in_pairs(study, other):
    section = write_comparison(study.cohort, other)
    a, b = (cohort.table[cohort.table["split"].isin(["test", "external"])] for cohort in (study.cohort, other))
    test = compare_roc(a["y"], a["prob"], b["prob"])
    row = section.tables[1].table.iloc[0]
    low, high = test.ci
    assert row["Difference (95 % CI)"] == f"{test.difference:.3f} ({low:.3f} to {high:.3f})"
    assert "300 held-out patients that stand in both" in section.paragraphs[0]
    assert [figure.name.removeprefix("comparison_") for figure in section.figures] == [
        "roc",
        "decision_curve",
        "net_benefit_difference",
    ]
    assert all("SIMULATED" in figure.note for figure in section.figures)
    benefit = section.tables[2].table.set_index("Threshold")
    for name, prob in ((study.cohort.name, a["prob"]), ("theirs", b["prob"])):
        called = prob.to_numpy() >= 0.4
        y = a["y"].to_numpy()
        by_hand = (called & (y == 1)).mean() - (called & (y == 0)).mean() * 0.4 / 0.6
        assert benefit.loc["0.40", name] == f"{by_hand:.3f}"
    assert benefit["Difference (95 % CI)"].str.contains(" to ").all()


def test_other_patients_are_compared_unpaired_and_it_is_said(study, other):
    strange = other.table.assign(patient_id=[f"X-{i}" for i in range(len(other.table))])
    strange = dataclasses.replace(other, read=dataclasses.replace(other.read, table=strange))
    section = write_comparison(study.cohort, strange)
    assert "The comparison is unpaired" in section.paragraphs[0]
    assert section.figures == ()
    a, b = (cohort.table[cohort.table["split"].isin(["test", "external"])] for cohort in (study.cohort, strange))
    test = compare_roc_unpaired(a["y"], a["prob"], b["y"], b["prob"])
    assert f"{test.difference:.3f}" in section.tables[1].table.iloc[0]["Difference (95 % CI)"]
    benefit = section.tables[2].table
    assert list(benefit) == [
        "Threshold",
        f"{study.cohort.name}, n = {len(a):,}",
        f"Treat all of {study.cohort.name}",
        f"theirs, n = {len(b):,}",
        "Treat all of theirs",
    ]


def test_a_pseudonym_with_other_values_is_another_patient(study):
    table = study.cohort.table
    aged = table.assign(age=table["age"] + 1)
    shared = find_shared(table, aged)
    assert len(shared.table) == int(table.loc[table["split"].isin(["test", "external"]), "age"].isna().sum())
    assert shared.differing == 300 - len(shared.table)


def test_other_cut_offs_are_not_compared(study, other):
    read = dataclasses.replace(other.read, cutoff=Cutoff(14.0))
    section = write_comparison(study.cohort, dataclasses.replace(other, read=read))
    assert "No test" in section.paragraphs[0]
    assert len(section.tables) == 1


def test_a_prediction_table_is_a_second_cohort(study, tmp_path):
    path = tmp_path / "second.csv"
    shutil.copy(PREDICTIONS, path)
    second = read_other(path, study)
    assert second.title == "the second cohort"
    assert second.threshold.threshold == study.cohort.threshold.threshold
    assert not second.is_simulated


def test_a_bundle_without_evidence_is_one_sentence(study, tmp_path, monkeypatch):
    with pytest.raises(ModelError, match=r"manifest\.json is not in the folder"):
        read_study(tmp_path)
    for name in ("evidence/flow.json", "evidence/predictions.csv"):
        manifest = study.bundle.manifest
        lacking = dataclasses.replace(manifest, files={key: sha for key, sha in manifest.files.items() if key != name})
        bundle = dataclasses.replace(study.bundle, manifest=lacking)
        monkeypatch.setattr("core.paper.study.load_bundle", lambda _, bundle=bundle: bundle)
        with pytest.raises(ModelError, match=f"The bundle has no {re.escape(name)}: train it again"):
            read_study(SHIPPED)


@pytest.mark.parametrize(
    "odd", [{"patients": 659}, {"rows": 670, "rows_refused": 10, "reasons": {"no image": 9}}, {"rows": 600}]
)
def test_counts_that_do_not_add_up_are_refused(study, monkeypatch, odd):
    monkeypatch.setattr("core.paper.study.read_evidence", lambda *_: {**study.flow, **odd})
    with pytest.raises(ModelError, match="do not add up: train it again"):
        read_study(SHIPPED)


def test_refused_rows_keep_their_reasons_and_the_sums(study):
    flow = {**study.flow, "rows": 700, "rows_refused": 17, "reasons": {"no image": 12, "no Ki-67": 5}}
    patients = dataclasses.replace(study, flow=flow).patients
    assert patients.reasons == (("no image", 12), ("no Ki-67", 5))
    assert patients.refused + patients.further + len(patients.whole) == 700
    without = {**study.flow, "rows": 670, "rows_refused": 10}
    assert dataclasses.replace(study, flow=without).patients.reasons == ((NOT_KEPT, 10),)


def test_the_answers_of_the_studys_people_are_read_from_the_form_and_stand_in_their_place(study, tmp_path):
    form = json.loads(write_form())
    assert set(form) == {f"{name} {number}" for name in (TRIPOD, STARD, CLAIM) for number in list_items(name)}
    form["TRIPOD+AI 18e"]["answer"] = "On request\nfrom Graz | within a year."
    (tmp_path / "form.json").write_text(json.dumps(form | {"CLAIM 2024 44": "None."}))
    answers = read_answers(tmp_path / "form.json")
    assert answers == {"TRIPOD+AI 18e": "On request from Graz | within a year.", "CLAIM 2024 44": "None."}
    told = write_paper(dataclasses.replace(study, answers=answers))
    assert "and how: On request from Graz" in " ".join(find(told, "availability").paragraphs)
    by_number = {item.number: item for item in told.checklists[CLAIM]}
    assert (by_number["44"].answer, by_number["44"].missing) == ("None.", "")
    internal = study.internal | {"left_out_centres": {"centres": []}}
    card = "\n".join(describe_reporting({"reporting": answers}, study.flow, internal))
    assert "| On request from Graz / within a year. |" in card
    assert "| CLAIM 2024 44 |" in card


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ('["TRIPOD+AI 1"]', "holds no items"),
        ('{"TRIPOD+AI 5": "2021"}', "'TRIPOD+AI 5' is not an item of the checklists. Did you mean 'TRIPOD+AI"),
        ('{"TRIPOD+AI 5b": 2021}', "TRIPOD+AI 5b: the answer is not text"),
        ('{"TRIPOD+AI 5b": {"answr": "2021"}}', "TRIPOD+AI 5b: 'answr' is not known"),
        ('{"TRIPOD+AI 5b": "2021", "TRIPOD+AI 5b": "2022"}', "'TRIPOD+AI 5b' stands twice"),
        (json.dumps({"TRIPOD+AI 5b": "x" * 2_001}), "has 2,001 letters; at most 2,000"),
        ('{"TRIPOD+AI 5b": "a\\u0000b"}', "a character that text can't have"),
    ],
)
def test_a_form_that_is_none_is_refused_by_its_item(tmp_path, form, words):
    (tmp_path / "form.json").write_text(form)
    with pytest.raises(InputError, match=re.escape(words)):
        read_answers(tmp_path / "form.json")
