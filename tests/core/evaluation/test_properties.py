"""Invariants that hold for any data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from core.evaluation import (
    choose_threshold,
    compare_roc,
    compute_calibration,
    compute_concordance,
    compute_confusion,
    compute_decision_curve,
    compute_kaplan_meier,
    compute_logrank,
    compute_recalibration,
    compute_roc,
    compute_time_auc,
)
from core.evaluation.cohort.holm import adjust_holm
from core.evaluation.proportion import compute_wilson

THRESHOLDS = np.arange(1, 20) / 20
few = settings(max_examples=25, deadline=None, derandomize=True)


@st.composite
def cohorts(draw):
    """Outcome and probability with both classes, with or without ties."""
    n, seed = draw(st.integers(8, 60)), draw(st.integers(0, 2**31))
    generator = np.random.default_rng(seed)
    prob = generator.uniform(0.02, 0.98, n)
    if draw(st.booleans()):
        prob = prob.round(1).clip(0.1, 0.9)
    y = (generator.uniform(size=n) < prob).astype(float)
    y[:4] = [0, 0, 1, 1]
    return y, prob


@st.composite
def follow_ups(draw):
    n, seed = draw(st.integers(6, 60)), draw(st.integers(0, 2**31))
    generator = np.random.default_rng(seed)
    return generator.integers(1, 25, n).astype(float), (generator.uniform(size=n) < 0.6).astype(float), generator


@few
@given(cohorts())
def test_auc_is_the_share_of_pairs_in_the_right_order(cohort):
    y, prob = cohort
    gap = prob[y == 1][:, None] - prob[y == 0]
    assert compute_roc(y, prob).auc == pytest.approx(((gap > 0) + (gap == 0) / 2).mean(), abs=1e-12)


@few
@given(cohorts())
def test_auc_and_its_error_are_unchanged_under_monotone_maps_and_order(cohort):
    y, prob = cohort
    order = np.random.default_rng(0).permutation(len(y))
    plain, mapped = compute_roc(y, prob), compute_roc(y[order], 3 * logit(prob[order]) - 7)
    assert mapped.auc == pytest.approx(plain.auc, abs=1e-12)
    assert mapped.auc_se == pytest.approx(plain.auc_se, abs=1e-9)


@few
@given(cohorts())
def test_auc_of_the_opposite_score_is_its_complement(cohort):
    y, prob = cohort
    assert compute_roc(y, -prob).auc == pytest.approx(1 - compute_roc(y, prob).auc, abs=1e-12)


@few
@given(cohorts())
def test_the_area_under_the_curve_is_the_auc(cohort):
    y, prob = cohort
    roc = compute_roc(y, prob)
    assert np.trapezoid(roc.curve["tpr"], roc.curve["fpr"]) == pytest.approx(roc.auc, abs=1e-12)
    assert roc.curve[["fpr", "tpr"]].iloc[[0, -1]].to_numpy().tolist() == [[0, 0], [1, 1]]


@few
@given(cohorts())
def test_the_curve_and_the_confusion_matrix_agree_at_every_threshold(cohort):
    y, prob = cohort
    for point in compute_roc(y, prob).curve.iloc[1:-1].itertuples():
        metrics = compute_confusion(y, prob, point.threshold).metrics["value"]
        assert metrics["sensitivity"] == pytest.approx(point.tpr)
        assert metrics["specificity"] == pytest.approx(1 - point.fpr)


@few
@given(cohorts())
def test_youden_is_reached_by_no_other_threshold(cohort):
    y, prob = cohort
    chosen = choose_threshold(y, prob)
    if chosen.threshold is not None:
        curve = compute_roc(y, prob).curve.iloc[1:-1]
        assert chosen.sensitivity + chosen.specificity - 1 == pytest.approx((curve["tpr"] - curve["fpr"]).max())
        assert chosen.threshold not in prob


@few
@given(cohorts())
def test_comparison_is_antisymmetric_and_null_against_itself(cohort):
    y, prob = cohort
    other = np.random.default_rng(1).uniform(size=len(y))
    forth, back = compare_roc(y, prob, other), compare_roc(y, other, prob)
    assert forth.difference == pytest.approx(-back.difference)
    assert forth.p == pytest.approx(back.p)
    same = compare_roc(y, prob, prob)
    assert (same.difference, same.z, same.p) == (0.0, 0.0, 1.0)


@few
@given(cohorts())
def test_intervals_hold_their_estimates(cohort):
    y, prob = cohort
    metrics = compute_confusion(y, prob, 0.5).metrics.dropna(subset=["value", "ci_low", "ci_high"])
    assert (metrics["ci_low"] <= metrics["value"] + 1e-12).all()
    assert (metrics["value"] <= metrics["ci_high"] + 1e-12).all()


@few
@given(cohorts())
def test_recalibrated_probabilities_are_calibrated(cohort):
    y, prob = cohort
    update = compute_recalibration(y, prob, update="intercept + slope")
    if update.intercept is not None:
        after = compute_calibration(y, update.recalibrate(prob))
        if after.slope is not None:
            assert after.intercept == pytest.approx(0, abs=1e-6)
            assert after.slope == pytest.approx(1, abs=1e-6)
            assert after.oe == pytest.approx(1, abs=1e-6)


@few
@given(cohorts())
def test_treating_nobody_has_no_benefit_and_a_model_never_beats_prevalence(cohort):
    y, prob = cohort
    table = compute_decision_curve(y, {"model": prob}, THRESHOLDS).table.set_index("model")
    assert (table.loc["none", "net_benefit"] == 0).all()
    assert (table["net_benefit"] <= y.mean() + 1e-12).all()
    assert table.loc["all", "interventions_avoided"].abs().max() == 0


@few
@given(follow_ups())
def test_kaplan_meier_without_censoring_is_one_minus_the_ecdf(follow_up):
    time, _, _ = follow_up
    curve = compute_kaplan_meier(time, np.ones(len(time))).curve
    ecdf = [(time <= moment).mean() for moment in curve["time"]]
    np.testing.assert_allclose(curve["survival"], 1 - np.array(ecdf), atol=1e-12)


@few
@given(follow_ups())
def test_kaplan_meier_falls_and_shifts_with_time(follow_up):
    time, event, _ = follow_up
    curve = compute_kaplan_meier(time, event).curve
    shifted = compute_kaplan_meier(time + 100, event).curve
    assert (curve["survival"].diff().dropna() <= 1e-12).all()
    np.testing.assert_allclose(shifted["survival"], curve["survival"], atol=1e-12)
    assert (curve["at_risk"].iloc[1:-1].to_numpy() >= curve["at_risk"].iloc[2:].to_numpy()).all()


@few
@given(follow_ups())
def test_logrank_sees_no_names_and_balances(follow_up):
    time, event, generator = follow_up
    group = generator.integers(0, 2, len(time))
    plain, renamed = compute_logrank(time, event, group), compute_logrank(time, event, np.array(["z", "a"])[group])
    assert plain.table["observed"].sum() == pytest.approx(plain.table["expected"].sum())
    if plain.chisq is not None:
        assert renamed.chisq == pytest.approx(plain.chisq)


@few
@given(follow_ups())
def test_concordance_is_the_share_of_comparable_pairs(follow_up):
    time, event, generator = follow_up
    score = generator.integers(0, 6, len(time)).astype(float)
    right = pairs = 0.0
    for i in np.flatnonzero(event == 1):
        later = (time > time[i]) | ((time == time[i]) & (event == 0))
        right += (score[later] < score[i]).sum() + (score[later] == score[i]).sum() / 2
        pairs += later.sum()
    result = compute_concordance(time, event, score)
    assert result.pairs == pairs
    if pairs:
        assert result.c == pytest.approx(right / pairs)


@few
@given(follow_ups())
def test_time_auc_without_censoring_is_the_plain_auc(follow_up):
    time, _, generator = follow_up
    score = generator.uniform(size=len(time))
    result = compute_time_auc(time, np.ones(len(time)), score, 12)
    assert result.auc == compute_roc(time <= 12, score).auc or result.auc == pytest.approx(
        compute_roc(time <= 12, score).auc
    )


@few
@given(st.integers(0, 50), st.integers(0, 50))
def test_wilson_stays_inside_and_is_symmetric(count, more):
    n = count + more
    low, high = compute_wilson(count, n)
    mirrored_low, mirrored_high = compute_wilson(more, n)
    if n == 0:
        assert np.isnan([low, high]).all()
        return
    assert 0 <= low <= count / n <= high <= 1
    assert low == pytest.approx(1 - mirrored_high, abs=1e-12)
    assert high == pytest.approx(1 - mirrored_low, abs=1e-12)


@few
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_never_lowers_and_keeps_the_order(p_values):
    named = {str(i): p for i, p in enumerate(p_values)}
    adjusted = adjust_holm(named)
    assert all(adjusted[name] >= p for name, p in named.items())
    by_p = sorted(named, key=lambda name: named[name])
    assert [adjusted[name] for name in by_p] == sorted(adjusted.values())
    assert adjusted[by_p[0]] == pytest.approx(min(1, len(p_values) * named[by_p[0]]))


def test_holm_passes_over_what_was_not_tested():
    assert adjust_holm({"a": 0.01, "b": None, "c": 0.04}) == {"a": 0.02, "b": None, "c": 0.04}


def test_loess_ici_of_a_true_model_is_small_and_of_a_shifted_one_is_the_shift():
    generator = np.random.default_rng(3)
    prob = generator.uniform(0.1, 0.9, 4000)
    y = generator.uniform(size=4000) < prob
    assert compute_calibration(y, prob).ici < 0.03
    assert compute_calibration(y, np.clip(prob + 0.1, 0, 1)).ici == pytest.approx(0.1, abs=0.03)
    assert compute_calibration(y, expit(logit(prob) - 1)).intercept == pytest.approx(1, abs=0.15)
