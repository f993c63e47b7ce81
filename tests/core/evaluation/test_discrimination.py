"""ROC, comparisons, thresholds and the confusion matrix: exact values and what can't be estimated."""

import numpy as np
import pytest

from core.errors import InputError
from core.evaluation import (
    choose_threshold,
    compare_roc,
    compare_roc_unpaired,
    compute_confusion,
    compute_mcnemar,
    compute_roc,
)

Y = np.array([0, 0, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0] * 4)
SCORE = np.array([0.1, 0.4, 0.35, 0.2, 0.8, 0.7, 0.6, 0.9, 0.55, 0.3, 0.5, 0.45] * 4) + np.arange(48) / 1000


def test_one_class_has_no_auc_and_says_so():
    roc = compute_roc([1, 1, 1], [0.2, 0.4, 0.9])
    assert (roc.n, roc.n_pos, roc.auc, roc.auc_se, roc.auc_ci) == (3, 3, None, None, None)
    assert "All 3 patients are positive" in roc.reason


def test_a_perfect_score_has_an_auc_but_no_interval():
    roc = compute_roc([0] * 12 + [1] * 12, np.arange(24))
    assert (roc.auc, roc.auc_se, roc.auc_ci) == (1.0, None, None)
    assert "do not overlap" in roc.reason


def test_three_patients():
    roc = compute_roc([0, 1, 1], [0.2, 0.1, 0.9])
    assert roc.auc == 0.5
    assert roc.auc_ci is None
    assert "single patient" in roc.reason


def test_a_constant_score_is_a_coin():
    roc = compute_roc(Y, np.full(48, 0.3))
    assert roc.auc == 0.5
    assert roc.auc_se is None
    assert "does not vary" in roc.reason


def test_missing_values_are_left_out_and_counted():
    y, score = Y.astype(float), SCORE.copy()
    y[0], score[1] = np.nan, np.nan
    roc = compute_roc(y, score)
    assert (roc.n, roc.n_excluded) == (46, 2)
    assert roc.auc == compute_roc(Y[2:], SCORE[2:]).auc


def test_nobody_is_left():
    roc = compute_roc([np.nan], [0.5])
    assert (roc.n, roc.auc) == (0, None)
    assert "No row" in roc.reason


def test_fewer_than_ten_events_take_the_logit_interval():
    roc = compute_roc([0] * 20 + [1] * 5, [*np.linspace(0, 1, 20), 0.4, 0.6, 0.7, 0.9, 0.95])
    assert roc.method == "logit"
    assert "Fewer than 10" in roc.reason
    assert 0 < roc.auc_ci[0] < roc.auc < roc.auc_ci[1] < 1


def test_the_direction_of_a_score_is_never_turned():
    assert compute_roc(Y, -SCORE).auc == pytest.approx(1 - compute_roc(Y, SCORE).auc)


@pytest.mark.parametrize(
    ("y", "score", "match"),
    [
        ([0, 1], [0.1], "2, 1 rows"),
        ([0, 2], [0.1, 0.2], "neither 0 nor 1"),
        (["yes", "no"], [0.1, 0.2], "not numbers"),
        ([0, 1], [0.1, np.inf], "infinite"),
        ([[0, 1]], [[0.1, 0.2]], "dimensions"),
    ],
)
def test_malformed_input_is_refused(y, score, match):
    with pytest.raises(InputError, match=match):
        compute_roc(np.array(y), np.array(score))


def test_unknown_method_and_level_are_refused():
    with pytest.raises(InputError, match="delong, logit or bootstrap"):
        compute_roc(Y, SCORE, method="exact")
    with pytest.raises(InputError, match="between 0 and 1"):
        compute_roc(Y, SCORE, conf_level=95)


def test_bootstrap_interval_lies_near_delong_and_repeats_with_its_seed():
    boot = compute_roc(Y, SCORE, method="bootstrap", n_boot=400)
    delong = compute_roc(Y, SCORE)
    assert boot.auc_ci == compute_roc(Y, SCORE, method="bootstrap", n_boot=400).auc_ci
    np.testing.assert_allclose(boot.auc_ci, delong.auc_ci, atol=0.04)


def test_rows_of_one_patient_widen_the_interval():
    patient = np.repeat(np.arange(12), 4)
    y, score = np.repeat(Y[:12], 4), np.repeat(SCORE[:12], 4)
    alone, clustered = compute_roc(y, score), compute_roc(y, score, patient=patient)
    assert clustered.auc == alone.auc
    assert clustered.auc_se == pytest.approx(compute_roc(Y[:12], SCORE[:12]).auc_se)
    assert clustered.auc_se > 1.8 * alone.auc_se


def test_patients_drawn_whole_widen_the_bootstrap_interval():
    patient, y, score = np.repeat(np.arange(24), 4), np.repeat(Y[:24], 4), np.repeat(SCORE[:24], 4)
    rows = compute_roc(y, score, method="bootstrap", n_boot=300).auc_ci
    patients = compute_roc(y, score, method="bootstrap", n_boot=300, patient=patient).auc_ci
    assert patients[1] - patients[0] > 1.5 * (rows[1] - rows[0])


def test_unpaired_comparison_by_hand():
    a, b = compute_roc(Y[:24], SCORE[:24]), compute_roc(Y[24:], -SCORE[24:])
    test = compare_roc_unpaired(Y[:24], SCORE[:24], Y[24:], -SCORE[24:])
    assert test.difference == pytest.approx(a.auc - b.auc)
    assert test.se == pytest.approx(np.hypot(a.auc_se, b.auc_se))
    assert test.z == pytest.approx(test.difference / test.se)
    assert 23 <= test.df <= 46
    assert test.p < 0.001


def test_comparisons_without_variance_say_so():
    assert "positive" in compare_roc([1, 1], [0.1, 0.2], [0.3, 0.4]).reason
    assert "single patient" in compare_roc([0, 1], [0.1, 0.2], [0.4, 0.3]).reason
    separated = compare_roc([0, 0, 1, 1], [1, 1, 2, 2], [2, 2, 1, 1])
    assert (separated.difference, separated.p) == (1.0, None)
    assert "does not vary" in separated.reason
    assert "no AUC" in compare_roc_unpaired([1, 1], [1, 2], Y, SCORE).reason


def test_thresholds_are_midpoints_that_reach_their_target():
    y, score = [0, 0, 0, 1, 1, 0, 1, 1], [1, 2, 3, 4, 5, 6, 7, 8]
    assert choose_threshold(y, score).threshold == 3.5
    assert choose_threshold(y, score, "sensitivity", target=0.5).threshold == 6.5
    assert choose_threshold(y, score, "specificity", target=1).threshold == 6.5
    assert float(choose_threshold(y, score, "specificity", target=0.5)) == 2.5


def test_a_threshold_between_neighbouring_floats_still_separates():
    low = 0.3
    high = np.nextafter(low, 1)
    chosen = choose_threshold([0, 0, 1, 1], [low, low, high, high])
    assert compute_confusion([0, 0, 1, 1], [low, low, high, high], chosen.threshold).tp == 2


def test_thresholds_that_can_not_be():
    assert "all" in choose_threshold([1, 1], [0.1, 0.2]).reason.lower()
    assert "equal" in choose_threshold([0, 1], [0.5, 0.5]).reason
    assert "reaches" in choose_threshold([0, 1, 0], [1, 2, 3], "specificity", target=1).reason
    assert np.isnan(float(choose_threshold([1, 1], [0.1, 0.2])))
    with pytest.raises(InputError, match="needs a target"):
        choose_threshold(Y, SCORE, "sensitivity")
    with pytest.raises(InputError, match="not known"):
        choose_threshold(Y, SCORE, "best")


def test_confusion_by_hand():
    y, score = [1] * 50 + [0] * 50, [0.9] * 40 + [0.1] * 10 + [0.9] * 5 + [0.1] * 45
    result = compute_confusion(y, score, 0.5)
    value = result.metrics["value"]
    assert (result.tp, result.fp, result.fn, result.tn, result.n) == (40, 5, 10, 45, 100)
    expected = {
        "sensitivity": 0.8,
        "specificity": 0.9,
        "ppv": 40 / 45,
        "npv": 45 / 55,
        "accuracy": 0.85,
        "balanced_accuracy": 0.85,
        "f1": 80 / 95,
        "lr_pos": 8,
        "lr_neg": 0.2 / 0.9,
        "dor": 36,
        "kappa": 0.7,
        "mcc": (40 * 45 - 5 * 10) / np.sqrt(45 * 55 * 50 * 50),
    }
    assert value.to_dict() == pytest.approx(expected)
    assert result.metrics.loc["sensitivity", ["ci_low", "ci_high"]].tolist() == pytest.approx(
        [0.66963, 0.88757], abs=1e-5
    )
    assert result.metrics.loc["lr_pos", "ci_low"] == pytest.approx(8 * np.exp(-1.959964 * np.sqrt(0.005 + 0.18)))
    assert result.metrics["reason"].isna().all()


def test_a_score_at_the_threshold_is_positive():
    assert compute_confusion([1, 0], [0.5, 0.4999], 0.5).tp == 1


def test_empty_cells_give_reasons_in_place_of_ratios():
    metrics = compute_confusion([1, 1, 0, 0], [0.9, 0.8, 0.1, 0.2], 0.5).metrics
    assert metrics.loc[["lr_pos", "dor"], "value"].isna().all()
    assert metrics.loc["lr_pos", "reason"] == "The ratio would divide by zero."
    assert metrics.loc["lr_neg", "value"] == 0
    assert metrics.loc["sensitivity", "ci_high"] == 1
    nobody = compute_confusion([1, 0], [0.1, 0.2], 0.5).metrics
    assert nobody.loc["ppv", "reason"] == "Nobody is classified as positive."
    assert nobody.loc["mcc", "reason"] == "A whole row or column of the matrix is empty."
    one_class = compute_confusion([1, 1], [0.9, 0.1], 0.5).metrics
    assert one_class.loc[["specificity", "balanced_accuracy", "lr_pos"], "value"].isna().all()
    assert compute_confusion([], [], 0.5).metrics["value"].isna().all()


def test_mcnemar_by_hand():
    y = np.ones(60)
    a, b = np.r_[np.ones(40), np.zeros(20)], np.r_[np.ones(20), np.zeros(30), np.ones(10)]
    test = compute_mcnemar(y, a, b)
    assert (test.only_a, test.only_b, test.statistic, test.exact) == (20, 10, pytest.approx(100 / 30), False)
    assert test.p == pytest.approx(0.0679, abs=1e-4)
    exact = compute_mcnemar([1, 1, 1, 1], [1, 1, 1, 0], [0, 0, 0, 0])
    assert (exact.exact, exact.p) == (True, pytest.approx(0.25))
    assert compute_mcnemar([1, 0], [1, 0], [1, 0]).reason.startswith("The two models decide alike")
