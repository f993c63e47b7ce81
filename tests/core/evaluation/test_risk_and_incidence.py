"""Risk by a horizon, Uno's index, cumulative incidence, and the intervals of the errors: what must hold of any data."""

import numpy as np
import pytest
from scipy.special import expit, logit

from core.errors import InputError
from core.evaluation import (
    compute_calibration,
    compute_concordance,
    compute_cumulative_incidence,
    compute_kaplan_meier,
    compute_risk_calibration,
    compute_uno_concordance,
)

N = 300


@pytest.fixture
def drawn():
    """Times, events, competing events and risks; whoever comes last is censored."""
    rng = np.random.default_rng(11)
    risk = rng.uniform(0.05, 0.6, N)
    first, second, left = rng.exponential(20 / risk), rng.exponential(60, N), rng.uniform(5, 60, N)
    time = np.minimum(np.minimum(first, second), left)
    return time, (first == time) * 1.0, (second == time) * 1.0, risk


def test_without_censoring_the_brier_score_is_the_mean_squared_error(drawn):
    time, _, _, risk = drawn
    result = compute_risk_calibration(time, np.ones(N), risk, 20)
    errors = ((time <= 20) - risk) ** 2
    assert result.brier == pytest.approx(errors.mean(), abs=1e-12)
    assert result.brier_ci[1] - result.brier == pytest.approx(1.959964 * errors.std(ddof=1) / N**0.5, rel=1e-4)
    assert result.observed == pytest.approx((time <= 20).mean())
    assert result.groups["n"].sum() == N
    assert result.groups["events"].sum() == result.events


def test_the_risk_of_everybody_has_no_share_and_no_slope(drawn):
    time, event, _, _ = drawn
    observed = compute_risk_calibration(time, event, np.full(N, 0.3), 20).observed
    result = compute_risk_calibration(time, event, np.full(N, observed), 20)
    assert result.scaled_brier == pytest.approx(0, abs=1e-12)
    assert result.oe == pytest.approx(1)
    assert result.slope is None
    assert "slope" in result.reasons


def test_risks_that_hold_have_slope_and_ratio_near_one():
    rng = np.random.default_rng(3)
    inside = 0
    for _ in range(40):
        rate = rng.uniform(0.005, 0.05, 400)
        first, left = rng.exponential(1 / rate), rng.uniform(10, 60, 400)
        time, event = np.minimum(first, left), (first <= left) * 1.0
        result = compute_risk_calibration(time, event, 1 - np.exp(-24 * rate), 24)
        inside += (result.slope_ci[0] < 1 < result.slope_ci[1]) + (result.oe_ci[0] < 1 < result.oe_ci[1])
    assert inside >= 70


@pytest.mark.parametrize(("horizon", "words"), [(0.001, "No event by"), (1e4, "Nobody is followed beyond")])
def test_a_horizon_out_of_reach_is_said(drawn, horizon, words):
    time, event, _, risk = drawn
    result = compute_risk_calibration(time, event, risk, horizon)
    assert words in result.reasons["n"]
    assert result.brier is None


def test_unos_index_without_censoring_is_harrells_and_ignores_later_events(drawn):
    time, _, _, risk = drawn
    everyone = np.ones(N)
    assert compute_uno_concordance(time, everyone, risk, np.inf).c == pytest.approx(
        compute_concordance(time, everyone, risk).c, abs=1e-12
    )
    early = compute_uno_concordance(time, everyone, risk, 10)
    shuffled = np.where(time > 10, risk.mean(), risk)
    assert early.horizon == 10
    assert early.pairs < compute_concordance(time, everyone, risk).pairs
    assert compute_uno_concordance(time, everyone, shuffled, 10).c != pytest.approx(0.5, abs=0.01)


def test_incidence_without_a_competing_event_is_one_minus_survival(drawn):
    time, event, _, _ = drawn
    times = [5, 10, 20, 40]
    table = compute_cumulative_incidence(time, event, np.zeros(N), np.repeat("all", N), times=times).table
    curve = compute_kaplan_meier(time, event, times=times).at_times
    np.testing.assert_allclose(table["incidence"], 1 - curve["survival"], atol=1e-12)
    np.testing.assert_allclose(table["se"], curve["se"], rtol=0.01)


def test_incidences_of_both_events_and_survival_add_up_to_one(drawn):
    time, event, competing, _ = drawn
    group, times = np.repeat("all", N), np.linspace(0, time.max(), 30)
    one = compute_cumulative_incidence(time, event, competing, group, times=times).table["incidence"]
    other = compute_cumulative_incidence(time, competing, event, group, times=times).table["incidence"]
    free = compute_kaplan_meier(time, event + competing, times=times).at_times["survival"]
    np.testing.assert_allclose(one + other + free, 1, atol=1e-12)
    assert (one.diff().dropna() >= 0).all()


def test_without_censoring_incidence_is_a_share(drawn):
    time, event, _, _ = drawn
    table = compute_cumulative_incidence(time, event, 1 - event, np.repeat("all", N), times=[15]).table
    share = ((time <= 15) & (event == 1)).mean()
    assert table["incidence"][0] == pytest.approx(share)
    assert table["se"][0] == pytest.approx((share * (1 - share) / N) ** 0.5)


def test_one_patient_has_one_end():
    with pytest.raises(InputError, match="ends with the first"):
        compute_cumulative_incidence([1, 2], [1, 0], [1, 0], ["a", "a"], times=[1])


def test_limits_of_the_errors_hold_the_truth():
    rng = np.random.default_rng(5)
    spread = expit(rng.normal(0, 1.2, 100_000))
    truth = expit(0.6 * logit(spread))
    brier, ici = ((truth - spread) ** 2 + truth * (1 - truth)).mean(), np.abs(truth - spread).mean()
    inside = {"brier": 0, "ici": 0}
    for _ in range(60):
        p = expit(rng.normal(0, 1.2, 250))
        y = (rng.uniform(size=250) < expit(0.6 * logit(p))).astype(float)
        result = compute_calibration(y, p, ici_interval=True)
        inside["brier"] += result.brier_ci[0] < brier < result.brier_ci[1]
        inside["ici"] += result.ici_ci[0] < ici < result.ici_ci[1]
        assert result.scaled_brier_ci[0] < result.scaled_brier < result.scaled_brier_ci[1]
    assert min(inside.values()) >= 51  # 95 % of 60 is 57; 51 has a chance below 1 %


def test_an_interval_of_the_ici_is_asked_for():
    result = compute_calibration([0, 1] * 20, np.linspace(0.1, 0.9, 40))
    assert (result.ici_ci, result.reasons.get("ici_ci")) == (None, None)
