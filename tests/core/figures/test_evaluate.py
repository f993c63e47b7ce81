"""The whole evaluation of a table: the records of its exhibits as plain JSON."""

import json
from dataclasses import replace

import pytest

from core.cohort import read_predictions
from core.errors import TableError
from core.evaluation import ThresholdResult, choose_threshold, compute_roc, compute_survival_models
from core.evaluation.cohort.survival import describe_hazards
from core.figures.cohort.correction import OptimismExhibit
from core.figures.cohort.evaluate import evaluate_cohort
from core.figures.cohort.exhibit import Patients
from tests.core.evaluation.cohorts import make_cohort
from tests.core.evaluation.test_cohort_survival import draw


@pytest.fixture(scope="module")
def cohort():
    return make_cohort()


def evaluate_survival(shape_high):
    """Models and JSON of one split whose hazards cross unless the shape is 1.5."""
    table = draw(shape_high=shape_high).assign(split="external", y=0.0)
    table.loc[:9, "y"] = 1.0
    return compute_survival_models(table, 0.5), evaluate_cohort(table, threshold=0.5)["external"]["survival"]


@pytest.fixture(scope="module")
def evaluation(cohort):
    return evaluate_cohort(cohort)


def test_the_evaluation_is_plain_json_with_the_agreed_keys(evaluation):
    assert json.loads(json.dumps(evaluation, allow_nan=False)) == evaluation
    assert list(evaluation) == ["train", "external"]
    block = evaluation["external"]
    assert {"auc", "auc_se", "auc_ci", "method"} <= set(block["discrimination"])
    assert {"value", "rule", "chosen_on"} <= set(block["threshold"])
    assert {"tp", "fp", "fn", "tn", "sensitivity", "mcc"} <= set(block["confusion"])
    assert {"est", "se", "ci"} == set(block["calibration"]["slope"])
    assert {"brier", "ici", "e50", "e90", "emax", "oe", "hosmer_lemeshow"} <= set(block["calibration"])
    assert {"model", "threshold", "net_benefit", "tp_rate", "fp_rate"} <= set(block["decision_curve"][0])
    assert {"km", "at_risk", "logrank", "cox"} <= set(block["survival"])
    assert {"horizon", "events", "auc", "ci"} <= set(block["early_recurrence"])
    assert block["lymph_nodes"]["rates"]["high"]["n"] + block["lymph_nodes"]["rates"]["low"]["n"] == block["n"]


def test_the_threshold_comes_from_development_and_holds_for_every_split(cohort, evaluation):
    development = cohort[cohort["split"] == "train"]
    value = choose_threshold(development["y"], development["prob"]).threshold
    assert {evaluation[split]["threshold"]["value"] for split in evaluation} == {value}
    assert evaluation["external"]["threshold"]["chosen_on"] == "train"
    assert not evaluation["external"]["threshold"]["exploratory"]


def test_a_threshold_chosen_on_the_test_itself_is_exploratory(cohort):
    alone = evaluate_cohort(cohort[cohort["split"] == "external"])
    assert alone["external"]["threshold"]["exploratory"]
    given = evaluate_cohort(cohort, threshold=0.4)["external"]["threshold"]
    assert (given["value"], given["rule"], given["exploratory"]) == (0.4, "given", False)


def test_figures_of_the_block_are_those_of_the_functions(cohort, evaluation):
    part = cohort[cohort["split"] == "external"]
    roc = compute_roc(part["y"], part["prob"])
    assert evaluation["external"]["discrimination"]["auc"] == roc.auc
    assert evaluation["external"]["discrimination"]["auc_ci"] == list(roc.auc_ci)
    comparison = evaluation["external"]["comparisons"][0]
    assert comparison["model"] == "clinical"
    assert comparison["difference"] == pytest.approx(roc.auc - compute_roc(part["y"], part["prob_clinical"]).auc)
    assert comparison["p_holm"] == comparison["p"]
    assert {row["model"] for row in evaluation["external"]["decision_curve"]} == {"all", "none", "model", "clinical"}
    assert evaluation["train"]["calibration"]["hosmer_lemeshow"]["df"] == 8
    assert evaluation["external"]["calibration"]["hosmer_lemeshow"]["df"] == 10
    assert evaluation["train"]["survival"]["logrank_by_centre"]["df"] == 1
    assert evaluation["external"]["survival"]["logrank_by_centre"] is None


def test_what_the_table_lacks_is_null_with_a_reason(cohort):
    bare = evaluate_cohort(cohort[["split", "y", "prob"]])["external"]
    assert (bare["survival"], bare["early_recurrence"], bare["lymph_nodes"]) == (None, None, None)
    assert bare["reasons"]["lymph_nodes"] == "The table has no values in lnm."
    assert bare["reasons"]["survival"] == "The table has no values in rfs_months and rfs_event."


def test_one_class_everywhere_is_null_with_reasons(cohort):
    flat = cohort.assign(y=1.0)
    block = evaluate_cohort(flat)["external"]
    assert block["discrimination"]["auc"] is None
    assert block["confusion"] is None
    assert "no threshold" in block["reasons"]["confusion"]
    assert "predicted groups" in block["reasons"]["lymph_nodes"]
    json.dumps(block, allow_nan=False)


def test_subgroups_by_centre_and_by_age(cohort):
    by_centre = evaluate_cohort(cohort, by="centre")
    assert set(by_centre["train"]["by"]["levels"]) == {"A", "B"}
    sizes = [level["n"] for level in by_centre["train"]["by"]["levels"].values()]
    assert sizes == [90, 90]
    by_age = evaluate_cohort(cohort, by="age")["external"]["by"]
    assert [row["level"] for row in by_age["subgroups"]][1:] == ["< 50 years", "50 to < 65 years", "≥ 65 years"]
    assert sum(level["n"] for level in by_age["levels"].values()) == 120


def test_tables_that_can_not_be_evaluated(cohort):
    with pytest.raises(TableError, match="no column device"):
        evaluate_cohort(cohort, by="device")
    with pytest.raises(TableError, match="no rows"):
        evaluate_cohort(cohort.iloc[:0])


def test_a_file_gives_the_same_numbers(cohort, evaluation, tmp_path):
    path = tmp_path / "predictions.csv"
    cohort.to_csv(path, index=False)
    from_file = evaluate_cohort(read_predictions(path).table)
    assert from_file["external"]["discrimination"] == evaluation["external"]["discrimination"]
    assert from_file["external"]["survival"]["logrank"] == evaluation["external"]["survival"]["logrank"]


def test_the_record_holds_hazards_restricted_means_and_the_groups():
    models, record = evaluate_survival(0.5)
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["cuts"] == [0.5]
    assert record["hazards"] == describe_hazards(models)
    assert record["cox"]["not_proportional"] == ["high"]
    assert [row["group"] for row in record["rmst"]["table"]] == ["low", "high"]
    assert record["rmst"]["difference"] == models.rmst.difference
    assert evaluate_survival(1.5)[1]["hazards"] is None


def test_limits_stand_in_the_record_only_after_the_first_event():
    _, record = evaluate_survival(0.5)
    for name in ("km", "at_risk"):
        for row in record[name]:
            assert (row["ci_low"] is None) == (row["survival"] in {0.0, 1.0, None})


def test_optimism_needs_both_parts_and_says_so(cohort):
    train = cohort[cohort["split"] == "train"]
    patients = Patients(train, cohort, "the training split", ThresholdResult(0.5, "given"), is_development=True)
    assert "prob_image and prob_clinical" in OptimismExhibit.explain_lack(patients)
    both = replace(patients, table=train.assign(prob_image=train["prob"]))
    assert OptimismExhibit.explain_lack(both) == ""
    assert not OptimismExhibit.applies(replace(both, is_development=False))
