"""The risk-adjusted CUSUM chart and its limits."""

import numpy as np
import pytest
from scipy import stats

from core.monitoring.cusum import HORIZON, LEAST, compute_cusum, compute_scores, simulate_limits

FALSE_ALARMS = 0.05


def test_scores_are_log_likelihood_ratios():
    p = np.array([0.1, 0.5, 0.9])
    changed = 2 * p / (1 - p + 2 * p)
    assert compute_scores(p, np.ones(3), 2.0) == pytest.approx(np.log(changed / p))
    assert compute_scores(p, np.zeros(3), 2.0) == pytest.approx(np.log((1 - changed) / (1 - p)))


def test_the_sum_is_never_negative_and_follows_the_recursion():
    rng = np.random.default_rng(5)
    p = rng.random(400)
    y = (rng.random(400) < p).astype(float)
    chart = compute_cusum(p, y, false_alarms=FALSE_ALARMS)
    assert (chart.path >= 0).all(axis=None)
    total, expected = 0.0, []
    for score in compute_scores(p, y, 0.5):
        total = max(0.0, total + score)
        expected.append(total)
    assert not [one for one in chart.crossings if one.side == "fewer"]
    assert chart.path["fewer"].to_numpy() == pytest.approx(expected)


def test_certain_probabilities_stay_finite():
    chart = compute_cusum(np.tile([0.0, 1.0], 50), np.tile([1.0, 0.0], 50), false_alarms=FALSE_ALARMS)
    assert np.isfinite(chart.path).all(axis=None)


def test_in_control_no_more_than_the_stated_share_of_runs_reaches_a_limit():
    rng, runs, alarms = np.random.default_rng(6), 200, 0
    p = rng.beta(1.5, 1.5, HORIZON)
    for _ in range(runs):
        y = (rng.random(HORIZON) < p).astype(float)
        alarms += bool(compute_cusum(p, y, false_alarms=FALSE_ALARMS).crossings)
    assert alarms <= stats.binom.ppf(0.999, runs, FALSE_ALARMS)
    assert alarms >= stats.binom.ppf(0.001, runs, FALSE_ALARMS)


def test_limits_rise_as_fewer_false_alarms_are_allowed_and_are_the_same_each_time():
    p = np.random.default_rng(7).random(300)
    strict, lax = simulate_limits(p, 0.01), simulate_limits(p, 0.2)
    assert all(strict[side] > lax[side] for side in strict)
    assert simulate_limits(p[::-1], 0.01) == strict


@pytest.mark.parametrize(("shift", "side"), [(1.0, "more"), (-1.0, "fewer")])
def test_a_change_is_found_on_its_side_and_where_it_began(shift, side):
    rng = np.random.default_rng(8)
    p = rng.beta(1.5, 1.5, 800)
    odds = p / (1 - p) * np.where(np.arange(800) < 400, 1.0, np.exp(shift))
    y = (rng.random(800) < odds / (1 + odds)).astype(float)
    first = compute_cusum(p, y, false_alarms=FALSE_ALARMS).crossings[0]
    assert first.side == side
    assert 300 < first.start < first.end < 600
    run = slice(first.start, first.end + 1)
    assert (first.observed, first.expected) == (y[run].sum(), pytest.approx(p[run].sum()))


def test_no_alarm_from_fewer_patients_than_the_method_needs():
    p, y = np.full(LEAST - 1, 0.05), np.ones(LEAST - 1)
    chart = compute_cusum(p, y, false_alarms=FALSE_ALARMS)
    assert (chart.limits, chart.crossings) == ({}, ())
    p, y = np.full(3 * LEAST, 0.05), np.ones(3 * LEAST)
    assert [one.end + 1 for one in compute_cusum(p, y, false_alarms=FALSE_ALARMS).crossings] == [50, 100, 150]
    assert compute_cusum(np.array([]), np.array([]), false_alarms=FALSE_ALARMS).n == 0
