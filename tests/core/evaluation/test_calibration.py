"""Calibration, recalibration and optimism: what can't be estimated, and by hand what can."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from core.errors import InputError
from core.evaluation import compute_calibration, compute_optimism, compute_recalibration
from core.evaluation.calibration.optimism import compute_combination_optimism
from core.evaluation.calibration.spline import fit_spline

GENERATOR = np.random.default_rng(5)
LINEAR = GENERATOR.normal(size=400)
PROB = expit(LINEAR)
Y = (GENERATOR.uniform(size=400) < PROB).astype(float)


def test_one_class_keeps_the_brier_score_and_names_the_rest():
    result = compute_calibration(np.zeros(30), PROB[:30])
    assert (result.intercept, result.slope, result.scaled_brier, result.oe) == (None, None, None, None)
    assert result.brier == pytest.approx((PROB[:30] ** 2).mean())
    assert result.reasons["slope"] == "All patients have the same outcome."
    assert "same outcome" in result.reason


@pytest.mark.parametrize("edge", [0.0, 1.0])
def test_a_probability_of_0_or_1_is_clipped_and_said(edge):
    prob = PROB.copy()
    prob[7] = edge
    result = compute_calibration(Y, prob)
    clipped = compute_calibration(Y, np.clip(prob, 1e-8, 1 - 1e-8))
    for name in ("intercept", "slope", "log_loss", "slope_ci"):
        assert getattr(result, name) == pytest.approx(getattr(clipped, name))
    assert "1 probability is exactly 0 or 1" in result.note
    assert result.note in result.reason
    assert (clipped.note, result.reasons) == (None, {})
    assert result.oe == pytest.approx(Y.sum() / prob.sum())


def test_where_most_probabilities_are_0_or_1_nothing_is_said_in_log_odds():
    decided = PROB.round()
    result = compute_calibration(Y, decided)
    assert (result.intercept, result.slope, result.log_loss, result.note) == (None, None, None, None)
    assert "they are decisions" in result.reasons["slope"]
    assert result.brier == pytest.approx((decided != Y).mean())
    half = np.where(np.arange(len(Y)) % 2, PROB, decided)
    assert compute_calibration(Y, half).slope is not None


def test_where_everybody_has_the_event_the_ratio_has_no_interval():
    result = compute_calibration(np.ones(30), PROB[:30])
    assert result.oe == pytest.approx(30 / PROB[:30].sum())
    assert result.oe_ci is None
    assert "no width" in result.reasons["oe_ci"]


@pytest.mark.parametrize("share", [0.0, 0.5, 0.68, 0.74, 0.75, 0.8, 0.9])
@pytest.mark.parametrize("clump", [0.02, 0.1, 0.5, 0.97])
@pytest.mark.parametrize("n", [300, 3000])
def test_a_curve_of_perfect_predictions_stays_near_them_however_they_clump(share, clump, n):
    generator = np.random.default_rng([int(100 * share), int(100 * clump), n])
    prob = np.where(generator.random(n) < share, clump, generator.uniform(0.05, 0.95, n))
    result = compute_calibration((generator.random(n) < prob).astype(float), prob)
    assert result.smoother == ("spline" if share >= 0.7 else result.smoother)
    assert result.curve["observed"].between(0, 1).all()
    assert result.ici < (0.09 if n == 300 else 0.025)
    assert result.emax < (0.6 if n == 300 else 0.25)
    if result.smoother == "spline":
        assert result.curve[["ci_low", "ci_high"]].stack().between(0, 1).all()


def test_the_spline_is_the_logistic_model_on_harrells_basis():
    knots = np.quantile(LINEAR, (0.05, 0.275, 0.5, 0.725, 0.95))
    spline = fit_spline(Y, PROB)
    below, above = expit(knots[0] - np.array([1.0, 2.0, 3.0])), expit(knots[-1] + np.array([1.0, 2.0, 3.0]))
    for tail in (below, above):
        assert np.diff(logit(spline.predict(tail)), 2) == pytest.approx(0, abs=1e-8)
    assert spline.predict(PROB).sum() == pytest.approx(Y.sum())
    assert (spline.predict(PROB, -1.96) < spline.predict(PROB)).all()


def test_constant_predictions_have_no_slope_and_no_curve():
    result = compute_calibration(Y, np.full(400, 0.3))
    assert (result.slope, result.ici) == (None, None)
    assert result.intercept == pytest.approx(logit(Y.mean()) - logit(0.3))
    assert result.hosmer_lemeshow.statistic is None
    assert len(result.bins) == 1


def test_separated_classes_have_no_slope():
    result = compute_calibration([0, 0, 0, 1, 1, 1], [0.1, 0.2, 0.3, 0.6, 0.7, 0.8])
    assert result.slope is None
    assert "separate" in result.reasons["slope"]


def test_three_patients_and_nobody():
    three = compute_calibration([0, 1, 0], [0.2, 0.6, 0.5])
    assert (three.n, three.ici) == (3, None)
    assert "at least 10 different" in three.reasons["ici"]
    nobody = compute_calibration([], [])
    assert (nobody.n, nobody.brier, len(nobody.bins)) == (0, None, 0)
    assert "No row" in nobody.reason


def test_ties_leave_fewer_groups_and_no_test_without_variance():
    result = compute_calibration(Y, PROB.round(1))
    assert len(result.bins) <= 10
    assert result.bins["n"].sum() == 400
    assert result.hosmer_lemeshow.df == len(result.bins)
    certain = compute_calibration([0, 0, 1, 1, 0, 1], [0, 0, 0.5, 0.5, 1, 1])
    assert "exactly 0 or 1" in certain.hosmer_lemeshow.reason


def test_missing_values_are_left_out():
    y = Y.copy()
    y[:5] = np.nan
    result = compute_calibration(y, PROB)
    assert (result.n, result.n_excluded) == (395, 5)


def test_degrees_of_freedom_follow_the_role():
    assert compute_calibration(Y, PROB).hosmer_lemeshow.df == 10
    assert compute_calibration(Y, PROB, role="development").hosmer_lemeshow.df == 8


def test_malformed_input_is_refused():
    with pytest.raises(InputError, match="lie outside 0 to 1"):
        compute_calibration([0, 1], [20, 80])
    with pytest.raises(InputError, match="external or development"):
        compute_calibration(Y, PROB, role="internal")


def test_histogram_counts_everybody():
    histogram = compute_calibration(Y, PROB).histogram
    assert histogram["events"].sum() == Y.sum()
    assert histogram["nonevents"].sum() == 400 - Y.sum()


def test_a_large_cohort_keeps_its_band():
    prob = np.tile(PROB, 10)
    y = np.random.default_rng(1).uniform(size=4000) < prob
    curve = compute_calibration(y, prob).curve
    width = curve["ci_high"] - curve["ci_low"]
    middle = curve["prob"].between(0.4, 0.6)
    assert width[middle].mean() == pytest.approx(2 * 1.96 * 0.5 / np.sqrt(4000 * 0.3), rel=0.4)


def test_recalibration_moves_the_intercept_back():
    update = compute_recalibration(Y, expit(LINEAR - 1))
    assert update.intercept == pytest.approx(1, abs=0.3)
    assert update.slope == 1
    assert update.before.oe > 1.3
    assert update.after.oe == pytest.approx(1, abs=0.03)
    information = (expit(LINEAR - 1 + update.intercept) * expit(1 - LINEAR - update.intercept)).mean()
    assert update.n_needed == np.ceil(1.959964**2 / 0.04 / information)


def test_recalibration_stretches_the_slope():
    update = compute_recalibration(Y, expit(2 * LINEAR), update="intercept + slope")
    assert update.slope == pytest.approx(0.5, abs=0.1)
    assert update.after.slope == pytest.approx(1, abs=0.15)
    assert update.recalibrate([0.0, 1.0]).tolist() == [0.0, 1.0]


def test_recalibration_that_can_not_be():
    update = compute_recalibration([1, 1, 1], [0.2, 0.3, 0.4])
    assert (update.intercept, update.after, update.n_needed) == (None, None, None)
    assert "same outcome" in update.reason
    with pytest.raises(InputError, match="no update to apply"):
        update.recalibrate([0.5])
    with pytest.raises(InputError, match="not known"):
        compute_recalibration(Y, PROB, update="slope")
    assert "too few" in compute_recalibration([], []).reason


def test_optimism_of_noise_is_large_and_of_one_strong_term_small():
    noise = np.random.default_rng(2).normal(size=(80, 8))
    fitted = compute_optimism(Y[:80], noise, n_boot=40)
    assert fitted.table.loc["auc", "apparent"] > 0.6
    assert fitted.table.loc["auc", "corrected"] == pytest.approx(0.5, abs=0.12)
    assert fitted.table.loc["slope", "apparent"] == pytest.approx(1)
    assert fitted.table.loc["slope", "corrected"] < 0.7
    strong = compute_optimism(Y, LINEAR[:, None], n_boot=20)
    assert abs(strong.table.loc["auc", "optimism"]) < 0.02
    assert (strong.n_used, strong.events) == (20, Y.sum())


def test_optimism_draws_patients_whole():
    patient = np.repeat(np.arange(40), 2)
    twice = compute_optimism(np.repeat(Y[:40], 2), np.repeat(LINEAR[:40], 2)[:, None], patient=patient, n_boot=30)
    once = compute_optimism(Y[:40], LINEAR[:40, None], n_boot=30)
    np.testing.assert_allclose(twice.table["apparent"], once.table["apparent"], atol=1e-8)
    np.testing.assert_allclose(twice.table["optimism"], once.table["optimism"], atol=1e-8)


def test_optimism_that_can_not_be():
    assert "All 3" in compute_optimism([1, 1, 1], [[1.0], [2.0], [3.0]]).reason
    separated = compute_optimism([0, 0, 1, 1], [[1.0], [2.0], [3.0], [4.0]])
    assert separated.table["apparent"].isna().all()
    assert "no finite fit" in separated.reason
    with pytest.raises(InputError, match="table of patients"):
        compute_optimism([0, 1], [1.0, 2.0])


def test_optimism_of_the_combination_has_finite_log_odds():
    rng = np.random.default_rng(5)
    y = rng.integers(0, 2, 80)
    table = pd.DataFrame({"y": y, "prob_image": rng.uniform(0.1, 0.9, 80), "prob_clinical": rng.uniform(0.1, 0.9, 80)})
    table.loc[0, "prob_clinical"] = 1.0
    result = compute_combination_optimism(table)
    assert result.n == 80
    assert result.table.loc["auc", "optimism"] > 0.01
    assert result.table.loc["slope", "corrected"] < 1


def test_an_intercept_that_no_step_can_reach_has_a_reason() -> None:
    rng = np.random.default_rng(3)
    y = rng.integers(0, 2, 60)
    prob = (0.2 + 0.6 * rng.random(60)) * 1e-12
    result = compute_calibration(y, prob)
    assert result.intercept is None
    assert "no finite solution" in result.reasons["intercept"]
