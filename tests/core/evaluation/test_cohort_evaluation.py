"""Nodes, subgroups, Table 1 and the flow of a table."""

import numpy as np
import pandas as pd
import pytest

from core.clinical import M2_PREDICTORS
from core.errors import InputError
from core.evaluation import (
    compute_lymph_nodes,
    compute_subgroups,
    compute_table_one,
    count_flow,
    cut_levels,
)
from core.evaluation.cohort.results import describe_patients
from core.evaluation.cohort.table_one import order_levels
from tests.core.evaluation.cohorts import make_cohort


@pytest.fixture(scope="module")
def cohort():
    return make_cohort()


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
    assert rows.loc[("age", "", "train"), ["mean", "sd"]].tolist() == [50, 10]
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
