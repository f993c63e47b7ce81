"""Kaplan-Meier, log-rank, Cox and time-dependent AUC: by hand, and what can't be estimated."""

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from core.evaluation import (
    compute_concordance,
    compute_cox,
    compute_follow_up,
    compute_kaplan_meier,
    compute_logrank,
    compute_rmst,
    compute_roc,
    compute_time_auc,
)
from core.evaluation.survival.kaplan_meier import find_common_time, hide_unseen

TIME = np.array([2.0, 3.0, 3.0, 5.0, 7.0, 8.0, 8.0, 10.0])
EVENT = np.array([1, 1, 0, 1, 0, 1, 1, 0])


def test_curve_by_hand():
    curve = compute_kaplan_meier(TIME, EVENT).curve
    assert curve["time"].tolist() == [0, 2, 3, 5, 7, 8, 10]
    assert curve["at_risk"].tolist() == [8, 8, 7, 5, 4, 3, 1]
    assert curve["events"].tolist() == [0, 1, 1, 1, 0, 2, 0]
    assert curve["censored"].tolist() == [0, 0, 1, 0, 1, 0, 1]
    expected = [1, 7 / 8, 7 / 8 * 6 / 7, 3 / 4 * 4 / 5, 0.6, 0.6 / 3, 0.2]
    np.testing.assert_allclose(curve["survival"], expected)


def test_asked_times_before_between_and_past_the_data():
    table = compute_kaplan_meier(TIME, EVENT, times=[1, 3, 4, 11]).at_times
    assert table["at_risk"].tolist() == [8, 7, 5, 0]
    assert table["events"].tolist() == [0, 2, 2, 5]
    assert table["censored"].tolist() == [0, 1, 1, 3]
    np.testing.assert_allclose(table["survival"], [1, 0.75, 0.75, np.nan])
    assert table[["ci_low", "ci_high"]].iloc[0].tolist() == [1, 1]


def test_survival_of_zero_has_no_interval_and_stays_zero():
    result = compute_kaplan_meier([1, 2], [1, 1], times=[5])
    assert result.curve["survival"].iloc[-1] == 0
    assert np.isnan(result.curve["ci_low"].iloc[-1])
    assert result.at_times["survival"].iloc[0] == 0


def test_a_median_on_a_flat_half_lies_in_the_middle():
    assert compute_kaplan_meier([1, 2, 3, 4], [1, 1, 1, 1]).medians["median"].iloc[0] == 2.5
    never = compute_kaplan_meier([1, 2, 3, 4], [0, 0, 0, 1]).medians
    assert never["median"].iloc[0] == 4
    assert np.isnan(compute_kaplan_meier([1, 2, 3], [0, 1, 0]).medians["ci_high"].iloc[0])


def test_events_at_time_zero():
    curve = compute_kaplan_meier([0, 1, 2, 3], [1, 0, 1, 0]).curve
    assert curve["time"].tolist() == [0, 1, 2, 3]
    assert curve["survival"].iloc[0] == 0.75


def test_groups_keep_their_order_and_lose_missing_labels():
    group = pd.Categorical(["low", "high", None, "low", "high", "low", "high", "low"], categories=["low", "high"])
    result = compute_kaplan_meier(TIME, EVENT, group)
    assert result.medians["group"].tolist() == ["low", "high"]
    assert result.medians["n"].tolist() == [4, 3]
    assert result.n_excluded == 1


def test_nobody_and_no_events():
    assert "No patient" in compute_kaplan_meier([], []).reason
    result = compute_kaplan_meier([1, 2, 3], [0, 0, 0])
    assert (result.curve["survival"] == 1).all()
    assert np.isnan(result.medians["median"].iloc[0])


def test_malformed_follow_up_is_refused():
    with pytest.raises(InputError, match="negative"):
        compute_kaplan_meier([-1, 2], [0, 1])
    with pytest.raises(InputError, match="neither 0 nor 1"):
        compute_kaplan_meier([1, 2], [0, 3])


def test_restricted_mean_without_censoring_is_the_mean():
    time = np.array([1.0, 4.0, 6.0, 9.0])
    result = compute_rmst(time, np.ones(4), tau=7).table.iloc[0]
    assert result["rmst"] == pytest.approx(np.minimum(time, 7).mean())
    assert result["se"] == pytest.approx(np.minimum(time, 7).std() / 2)


def test_restricted_means_are_compared_or_refused():
    group = [0, 1] * 4
    result = compute_rmst(TIME, EVENT, group, tau=8)
    assert result.difference == pytest.approx(result.table["rmst"].iloc[0] - result.table["rmst"].iloc[1])
    assert 0 < result.p < 1
    short = compute_rmst(TIME, EVENT, tau=50)
    assert short.table["rmst"].isna().all()
    assert "followed to 50 months" in short.reason
    with pytest.raises(InputError, match="tau"):
        compute_rmst(TIME, EVENT, tau=0)


def test_follow_up_turns_events_and_censorings_round():
    assert compute_follow_up(TIME, EVENT).median == 10
    assert compute_follow_up([3, 5, 9], [0, 0, 0]).median == 5
    assert "Too few" in compute_follow_up([1, 2], [1, 1]).reason


def test_logrank_without_a_second_group_or_events():
    assert compute_logrank(TIME, EVENT, np.zeros(8)).reason == "Fewer than two groups."
    assert compute_logrank(TIME, np.zeros(8), [0, 1] * 4).reason == "No events."
    apart = compute_logrank([1, 2, 3, 4], [1, 1, 1, 1], [0, 0, 1, 1], strata=[0, 0, 1, 1])
    assert apart.p is None
    assert "never at risk together" in apart.reason


def test_stratified_logrank_removes_what_lies_between_centres():
    generator = np.random.default_rng(0)
    centre = np.repeat([0, 1], 200)
    group = generator.uniform(size=400) < np.where(centre == 1, 0.8, 0.2)
    time = generator.exponential(np.where(centre == 1, 2, 10))
    assert compute_logrank(time, np.ones(400), group).p < 1e-6
    stratified = compute_logrank(time, np.ones(400), group, strata=centre)
    assert stratified.p > 0.01
    assert stratified.strata == 2


def test_cox_of_one_binary_term_by_its_score_equation(gbsg2):
    result = compute_cox(gbsg2["time"], gbsg2["cens"], {"horTh": gbsg2["horTh"] == "yes"})
    row = result.table.loc["horTh"]
    assert row["coef"] == pytest.approx(-0.3640, abs=1e-4)
    assert row["hr"] == pytest.approx(np.exp(row["coef"]))
    assert row["ci_low"] < row["hr"] < row["ci_high"] < 1
    assert (result.n, result.events, result.ties) == (686, 299, "efron")


def test_proportional_hazards_hold_or_not():
    generator = np.random.default_rng(4)
    x = np.repeat([0.0, 1.0], 300)
    steady = compute_cox(generator.exponential(np.exp(-0.5 * x)), np.ones(600), {"x": x})
    crossing = compute_cox(generator.weibull(np.where(x == 1, 3, 0.7)), np.ones(600), {"x": x})
    assert steady.proportional_hazards.loc["x", "p"] > 0.05
    assert crossing.proportional_hazards.loc["GLOBAL", "p"] < 1e-6
    single = steady.proportional_hazards
    assert single.loc["x", "chisq"] == pytest.approx(single.loc["GLOBAL", "chisq"])


def test_cox_that_can_not_be_fitted():
    assert compute_cox(TIME, np.zeros(8), {"x": np.arange(8)}).reason == "No events."
    assert "No term varies" in compute_cox(TIME, EVENT, {"x": np.ones(8)}).reason
    separated = compute_cox([1, 2, 3, 4], [1, 1, 0, 0], {"x": [1, 1, 0, 0]})
    assert separated.table["coef"].isna().all()
    assert separated.reason.startswith("x separates patients with an event")
    repeated = compute_cox(TIME, EVENT, {"a": np.arange(8), "b": 2 * np.arange(8)})
    assert "repeat each other" in repeated.reason
    with pytest.raises(InputError, match="at least one term"):
        compute_cox(TIME, EVENT, {})


def test_labels_become_terms_as_in_r(gbsg2):
    own = compute_cox(gbsg2["time"], gbsg2["cens"], gbsg2[["horTh", "tgrade"]])
    assert list(own.table.index) == ["horThyes", "tgradeII", "tgradeIII"]
    by_hand = {"yes": gbsg2["horTh"] == "yes", "2": gbsg2["tgrade"] == "II", "3": gbsg2["tgrade"] == "III"}
    np.testing.assert_allclose(own.table, compute_cox(gbsg2["time"], gbsg2["cens"], by_hand).table)
    ordered = pd.Categorical(gbsg2["horTh"], categories=["yes", "no"])
    turned = compute_cox(gbsg2["time"], gbsg2["cens"], pd.Series(ordered, name="horTh"))
    alone = compute_cox(gbsg2["time"], gbsg2["cens"], gbsg2["horTh"])
    assert turned.table.loc["horThno", "coef"] == pytest.approx(-alone.table.loc["horThyes", "coef"])
    missing = gbsg2["horTh"].where(gbsg2["age"] > 40)
    assert compute_cox(gbsg2["time"], gbsg2["cens"], {"horTh": missing}).n == int((gbsg2["age"] > 40).sum())


def test_cox_leaves_out_a_term_that_does_not_vary():
    x = np.array([1, 0, 1, 0, 1, 1, 0, 0])
    both = compute_cox(TIME, EVENT, {"x": x, "constant": np.ones(8)})
    assert both.table.loc["x", "coef"] == pytest.approx(compute_cox(TIME, EVENT, {"x": x}).table.loc["x", "coef"])
    assert np.isnan(both.table.loc["constant", "coef"])
    assert "left out" in both.reason


def test_concordance_interval_and_nothing_to_compare():
    result = compute_concordance(TIME, EVENT, EVENT - 2 * TIME)
    assert (result.c, result.ci) == (1.0, None)
    assert compute_concordance([1, 2], [0, 0], [1, 2]).reason.startswith("No two patients")


def test_concordance_error_is_near_the_jackknife(gbsg2):
    part = gbsg2.iloc[:120]
    time, event, score = part["time"].to_numpy(), part["cens"].to_numpy(), part["pnodes"].to_numpy()
    left_out = [compute_concordance(*(np.delete(a, i) for a in (time, event, score))).c for i in range(120)]
    jackknife = np.sqrt(119 / 120 * ((left_out - np.mean(left_out)) ** 2).sum())
    assert compute_concordance(time, event, score).se == pytest.approx(jackknife, rel=0.03)


def test_time_auc_by_hand():
    time, event, score = [1, 2, 3, 4, 6, 7], [1, 0, 1, 0, 0, 0], [5, 1, 2, 3, 4, 1]
    result = compute_time_auc(time, event, score, 5)
    first, second = 1, 1 / (4 / 5)
    assert result.auc == pytest.approx((first * 1 + second * 0.5) / (first + second))
    assert (result.events, result.at_risk, result.censored, result.unstable) == (2, 2, 2, True)


def test_an_event_comes_before_a_censoring_at_the_same_time():
    tied = compute_time_auc([1, 2, 2, 3, 9, 9], [1, 1, 0, 1, 0, 0], [9, 1, 5, 4, 3, 2], 5)
    parted = compute_time_auc([1, 2, 2.5, 3, 9, 9], [1, 1, 0, 1, 0, 0], [9, 1, 5, 4, 3, 2], 5)
    assert tied.auc == pytest.approx(parted.auc)


def test_time_auc_error_is_near_the_jackknife(gbsg2):
    part = gbsg2.iloc[:200]
    time, event, score = part["time"].to_numpy(), part["cens"].to_numpy(), part["pnodes"].to_numpy()
    left_out = [compute_time_auc(*(np.delete(a, i) for a in (time, event, score)), 730).auc for i in range(200)]
    jackknife = np.sqrt(199 / 200 * ((left_out - np.mean(left_out)) ** 2).sum())
    result = compute_time_auc(time, event, score, 730)
    assert result.method == "ipcw"
    assert result.se == pytest.approx(jackknife, rel=0.03)


def test_time_auc_error_without_censoring_is_delongs():
    generator = np.random.default_rng(6)
    score = generator.normal(size=300)
    time = generator.exponential(np.exp(-score))
    result, plain = compute_time_auc(time, np.ones(300), score, 0.5), compute_roc(time <= 0.5, score)
    assert result.auc == pytest.approx(plain.auc)
    assert result.se == pytest.approx(plain.auc_se, rel=0.02)


def test_early_recurrence_rules():
    none = compute_time_auc([8, 9, 10], [1, 0, 1], [1, 2, 3])
    assert (none.horizon, none.events, none.auc) == (6.0, 0, None)
    assert none.reason == "No event by 6 months."
    assert compute_time_auc([1, 2, 3], [1, 0, 1], [1, 2, 3]).reason == "Nobody is followed beyond 6 months."
    generator = np.random.default_rng(1)
    few = compute_time_auc([*generator.uniform(1, 5, 7), *[20.0] * 60], [1] * 7 + [0] * 60, generator.uniform(size=67))
    assert (few.events, few.unstable, few.method) == (7, True, "ipcw-logit")
    assert "Only 7 events" in few.reason
    assert few.ci[0] < few.auc < few.ci[1]
    perfect = compute_time_auc([1, 2, 20, 20], [1, 1, 0, 0], [4, 3, 2, 1])
    assert (perfect.auc, perfect.ci) == (1.0, None)
    with pytest.raises(InputError, match="horizon"):
        compute_time_auc([1], [1], [1], -6)


@pytest.mark.parametrize("seed", range(20))
def test_more_terms_than_events_give_an_estimate_or_a_reason_and_no_warning(seed):
    rng = np.random.default_rng(seed)
    terms = pd.DataFrame(rng.normal(size=(8, 4)) * 3, columns=list("abcd"))
    result = compute_cox(rng.permutation(8) + 1.0, np.arange(8) < 2, terms)
    assert np.isfinite(result.table["coef"]).all() or result.reason is not None


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("kind", ["all_in_one", "none_in_one", "continuous", "beside_others", "by_two", "strata"])
def test_separation_never_gives_a_hazard_ratio(seed, kind):
    generator = np.random.default_rng(seed)
    n = 60
    x, other = generator.integers(0, 2, n).astype(float), generator.normal(size=n)
    time = generator.exponential(20, n).round(seed % 2)
    event = generator.random(n) < 0.4
    terms = {"x": x}
    if kind == "none_in_one":
        terms = {"x": 1 - x}
    elif kind == "continuous":
        terms = {"x": -time}
    elif kind == "beside_others":
        terms |= {"other": other, "third": generator.integers(0, 2, n)}
    elif kind == "by_two":
        second = generator.integers(0, 2, n).astype(float)
        terms = {"x": x + second, "second": second}
    event = (event & (x == 1)).astype(float)
    strata = generator.integers(0, 3, n) if kind == "strata" else None
    result = compute_cox(time, event, terms, strata=strata)
    assert result.table.isna().all(axis=None)
    assert result.concordance is None
    assert ("x separates" in result.reason) or ("x and second together separate" in result.reason)


def test_one_contrary_event_gives_a_finite_ratio_again():
    generator = np.random.default_rng(1)
    x = np.repeat([0.0, 1.0], 200)
    event = x.copy()
    event[0] = 1
    result = compute_cox(generator.exponential(size=400), event, {"x": x})
    assert result.reason is None
    assert 50 < result.table.loc["x", "hr"] < 1e5


def test_groups_without_events_have_no_interval_for_people():
    result = compute_kaplan_meier([5, 6, 7, 5, 6, 7], [0, 0, 0, 1, 0, 1], list("aaabbb"), times=[0, 3, 6, 7, 9])
    shown = hide_unseen(result.at_times)
    assert shown.loc[shown["group"] == "a", "ci_low"].isna().all()
    assert shown.loc[(shown["group"] == "b") & (shown["time"] == 6), "ci_low"].notna().all()
    assert find_common_time(result) == 7
    rmst = compute_rmst([5, 6, 7, 5, 6, 7], [0, 0, 0, 1, 0, 1], list("aaabbb"), tau=6)
    assert rmst.table["ci_low"].isna().tolist() == [True, False]
    assert "without an event" in rmst.reason
    assert rmst.difference == pytest.approx(1 / 3)
