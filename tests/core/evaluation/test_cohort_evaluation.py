"""Nodes, subgroups, Table 1 and the whole evaluation of a table."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from core.clinical import M2_PREDICTORS
from core.errors import InputError, TableError
from core.evaluation import (
    choose_threshold,
    compute_lymph_nodes,
    compute_roc,
    compute_subgroups,
    compute_table_one,
    count_flow,
    cut_levels,
    evaluate_cohort,
    evaluate_file,
)
from core.evaluation.cohort.results import describe_patients
from core.evaluation.cohort.table_one import order_levels


@pytest.fixture(scope="module")
def cohort():
    generator = np.random.default_rng(11)
    n = 300
    signal = generator.normal(size=n)
    prob = expit(1.5 * signal)
    months = generator.exponential(60 / (1 + 2 * prob))
    limit = generator.uniform(3, 50, n)
    return pd.DataFrame(
        {
            "patient_id": [f"P{i}" for i in range(n)],
            "split": np.repeat(["train", "external"], [180, 120]),
            "centre": np.r_[np.tile(["A", "B"], 90), np.repeat("D", 120)],
            "y": (generator.uniform(size=n) < prob).astype(float),
            "prob": prob,
            "prob_clinical": expit(0.5 * signal + generator.normal(size=n)),
            "lnm": (generator.uniform(size=n) < 0.1 + 0.6 * prob).astype(float),
            "prob_lnm": 0.1 + 0.6 * prob,
            "aln_us": (generator.uniform(size=n) < 0.3).astype(float),
            "rfs_months": np.minimum(months, limit).round(1),
            "rfs_event": (months <= limit).astype(float),
            "age": generator.integers(30, 80, n).astype(float),
        }
    )


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
    from_file = evaluate_file(path)
    assert from_file["external"]["discrimination"] == evaluation["external"]["discrimination"]
    assert from_file["external"]["survival"]["logrank"] == evaluation["external"]["survival"]["logrank"]


def test_node_rates_of_the_paper():
    """63 of 93 against 18 of 111: accuracy .765, rates 67.7 and 16.2 %."""
    metastasis = np.repeat([1, 0, 1, 0], [63, 30, 18, 93])
    prob = np.repeat([0.9, 0.1], [93, 111])
    result = compute_lymph_nodes(metastasis, prob, 0.5)
    assert result.rates["rate"].round(3).tolist() == [0.677, 0.162]
    assert result.group_classifier.metrics.loc["accuracy", "value"] == pytest.approx(156 / 204)
    assert result.chisq == pytest.approx(204 * (63 * 93 - 30 * 18) ** 2 / (93 * 111 * 81 * 123))
    assert result.p < 0.001
    assert result.p_fisher < 0.001
    assert result.test == "chi-squared"
    assert result.difference == pytest.approx(63 / 93 - 18 / 111)
    assert result.difference_ci[0] < result.difference < result.difference_ci[1]
    assert "circular" in result.note
    assert result.head is None


def test_nodes_with_few_patients_take_fishers_test_and_empty_groups_none():
    small = compute_lymph_nodes([1, 1, 0, 0, 0, 1], [0.9, 0.8, 0.7, 0.1, 0.2, 0.3], 0.5)
    assert small.test == "Fisher"
    empty = compute_lymph_nodes([1, 0], [0.9, 0.8], 0.5)
    assert (empty.p, empty.difference) == (None, None)
    assert "empty" in empty.reason
    assert "same node status" in compute_lymph_nodes([0, 0], [0.9, 0.1], 0.5).reason


def test_heads_are_compared_with_and_without_axillary_ultrasound(cohort):
    result = compute_lymph_nodes(
        cohort["lnm"],
        cohort["prob"],
        0.5,
        head=cohort["prob_lnm"],
        head_without_aln=cohort["prob_clinical"],
        ultrasound=cohort["aln_us"],
    )
    assert set(result.comparisons) == {"ki67", "ultrasound", "head_without_aln"}
    assert result.comparisons["ki67"].difference == 0
    assert result.ultrasound.n == 300


def test_subgroup_table_has_reasons_and_corrected_p_values(cohort):
    label = np.where(np.arange(300) < 3, "tiny", np.where(np.arange(300) % 2, "odd", "even"))
    y = cohort["y"].to_numpy().copy()
    y[:3] = 1
    table = compute_subgroups(y, cohort["prob"], {"label": label}).table.set_index("level")
    assert table["n"].to_dict() == {"all patients": 300, "even": 148, "odd": 149, "tiny": 3}
    assert np.isnan(table.loc["tiny", "auc"])
    assert "All 3 patients are positive" in table.loc["tiny", "reason"]
    assert (table["p_holm"].dropna() >= table["p"].dropna()).all()
    with pytest.raises(InputError, match="300 levels"):
        compute_subgroups(y, cohort["prob"], {"id": cohort["patient_id"]})


def test_levels_are_closed_on_the_left():
    assert cut_levels([19.9, 20, 50, np.nan], [20, 50], "mm").astype("string").fillna("-").tolist() == [
        "< 20 mm",
        "20 to < 50 mm",
        "≥ 50 mm",
        "-",
    ]


def test_table_one_by_hand():
    table = pd.DataFrame(
        {
            "split": ["train", "train", "train", "external", "external", "external"],
            "age": [40.0, 50.0, 60.0, 50.0, 60.0, np.nan],
            "palpable": ["yes", "no", None, "yes", "yes", "no"],
        }
    )
    result = compute_table_one(table, "split", ["age", "palpable"])
    rows = result.table.set_index(["variable", "level", "group"])
    assert rows.loc[("age", "", "train"), ["median", "q1", "q3", "missing"]].tolist() == [50, 45, 55, 0]
    assert rows.loc[("age", "", "external"), "missing"] == 1
    assert rows.loc[("palpable", "yes", "train"), ["count", "percent", "missing"]].tolist() == [1, 50, 1]
    smd = result.differences.set_index("variable")["smd"]
    assert smd["age"] == pytest.approx(5 / np.sqrt((100 + 50) / 2))
    assert smd["palpable"] == pytest.approx((2 / 3 - 1 / 2) / np.sqrt((1 / 4 + 2 / 9) / 2))
    assert result.sizes == {"train": 3, "external": 3}
    with pytest.raises(InputError, match="no column 'grade'"):
        compute_table_one(table, "split", ["grade"])


def test_levels_stand_in_their_own_order():
    assert order_levels("menopausal", pd.Series(["post", "pre", None, "peri"])) == ["pre", "peri", "post"]
    assert order_levels("palpable", pd.Series(["no", "yes"])) == ["yes", "no"]
    assert order_levels("her2", pd.Series(["3+", "0", "2+/ISH+", "2+/ISH-"])) == ["0", "2+/ISH-", "2+/ISH+", "3+"]
    assert order_levels("birads", pd.Series(["5", "odd", "4A"])) == ["4A", "5", "odd"]
    assert order_levels("ward", pd.Series(["b", "a"])) == ["a", "b"]
    table = pd.DataFrame({"split": ["train"] * 3, "menopausal": ["post", "pre", "peri"]})
    assert compute_table_one(table, "split", ["menopausal"]).table["level"].tolist() == ["pre", "peri", "post"]


def test_table_one_has_every_input_of_the_models_that_the_table_has(cohort):
    inputs = {
        "her2": ["3+", "0"],
        "er_pct": [90.0, 10.0],
        "adler": ["0", "3"],
        "palpable": ["yes", "no"],
        "birads": ["5", "4A"],
        "grade_cnb": ["3", "1"],
        "pr_pct": [0.0, 80.0],
        "size_mm": [12.0, 30.0],
        "menopausal": ["post", "pre"],
    }
    table = cohort.assign(**{name: np.resize(values, len(cohort)) for name, values in inputs.items()}, device="X")
    described = list(dict.fromkeys(describe_patients(table, "split").table["variable"]))
    expected = ["aln_us" if name == "aln_suspicious" else name for name in M2_PREDICTORS]
    assert described[: len(expected) + 1] == ["high Ki-67", *expected]
    assert {"lnm", "centre", "device"} <= set(described)
    assert len(described) == len(set(described))


def test_flow_counts_patients_to_each_analysis(cohort):
    flow = count_flow(cohort.assign(lnm=cohort["lnm"].where(cohort.index > 9)), refused=4)
    rows = flow.table.set_index("split")
    assert rows["n"].tolist() == [180, 120]
    assert rows.loc["train", "with_nodes"] == 170
    assert rows.loc["train", "centres"] == "A, B"
    assert (flow.read, flow.refused) == (304, 4)
