"""Net benefit from a prediction table, for Ki-67, nodes and recurrence."""

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter

from core.evaluation import compute_decision_curve, compute_survival_decision_curve
from core.evaluation.cohort.net_benefit import (
    RISK,
    choose_risk_grid,
    compute_net_benefit,
    compute_node_net_benefit,
    compute_recurrence_net_benefit,
    fit_recurrence_risk,
)
from tests.pages.cohorts import make_table


@pytest.fixture
def table() -> pd.DataFrame:
    return make_table()


def read(result, model):
    return result.table.loc[result.table["model"] == model, "net_benefit"].to_numpy()


def test_every_model_is_there_and_a_harm_lowers_each(table):
    plain, harmed = compute_net_benefit(table), compute_net_benefit(table, harm=0.02)
    assert plain.table["model"].unique().tolist() == ["all", "none", "model", "image"]
    for model in ("model", "image"):
        np.testing.assert_allclose(read(plain, model) - read(harmed, model), 0.02)
    np.testing.assert_array_equal(read(plain, "all"), read(harmed, "all"))


def test_another_prevalence_weighs_the_classes(table):
    grid = np.arange(1, 100) / 100
    expected = compute_decision_curve(table["y"], {"m": table["prob"]}, grid, prevalence=0.3)
    other = compute_net_benefit(table, prevalence=0.3)
    assert other.prevalence == 0.3
    np.testing.assert_allclose(read(other, "model"), read(expected, "m"))


def test_node_heads_beside_axillary_ultrasound(table):
    heads = table.assign(prob_lnm=table["prob"] / 2, aln_us=table["lnm"])
    result = compute_node_net_benefit(heads)
    assert result.table["model"].unique().tolist() == [
        "all",
        "none",
        "Node model, with axillary ultrasound",
        "Axillary ultrasound",
    ]
    np.testing.assert_allclose(read(result, "Axillary ultrasound"), table["lnm"].mean())


def test_the_risk_of_recurrence_is_coxs_on_development_patients(table):
    development = table.loc[table["split"] == "train", ["rfs_months", "rfs_event", "prob"]]
    risk = fit_recurrence_risk(table, 24.0)
    assert (risk.n, risk.fitted_on, risk.exploratory) == (60, "train", False)
    other = CoxPHFitter().fit(development, "rfs_months", "rfs_event")
    external = table[table["split"] == "external"]
    moments = development["rfs_months"]
    last = moments[moments <= 24.0].max()
    expected = 1 - other.predict_survival_function(external[["prob"]], times=[last]).to_numpy().ravel()
    own = 1 - np.exp(-risk.baseline * np.exp(risk.coef * external["prob"]))
    np.testing.assert_allclose(own, expected, atol=1e-5)
    grid = choose_risk_grid(own)
    curve = compute_survival_decision_curve(external["rfs_months"], external["rfs_event"], {RISK: own}, grid, 24.0)
    np.testing.assert_allclose(read(compute_recurrence_net_benefit(external, risk), RISK), read(curve, RISK))


def test_without_development_patients_or_recurrences_the_risk_says_so(table):
    late = fit_recurrence_risk(table[table["split"] == "external"], 24.0)
    assert (late.exploratory, late.fitted_on) == (True, "these data")
    none = fit_recurrence_risk(table.assign(rfs_event=0), 24.0)
    assert (none.coef, none.reason) == (None, "No events.")
    assert compute_recurrence_net_benefit(table, none) is None
    later = fit_recurrence_risk(table.assign(rfs_months=table["rfs_months"] + 24.0), 24.0)
    assert (later.coef, later.reason) == (None, "Nobody recurs within 24 months.")


@pytest.mark.parametrize(
    ("risks", "first", "last"),
    [
        (np.linspace(0.02, 0.09, 500), 0.021, 0.089),
        (np.linspace(0.10, 0.90, 500), 0.12, 0.88),
        (np.linspace(0.0005, 0.003, 500), 0.0005, 0.003),
        (np.linspace(0.0, 1.0, 2000), 0.02, 0.98),
        (np.full(50, 0.2), 0.10, 0.30),
        (np.array([0.3, np.nan]), 0.15, 0.45),
    ],
)
def test_thresholds_fit_the_predicted_risks(risks, first, last):
    grid = choose_risk_grid(risks)
    assert (grid[0], grid[-1]) == (pytest.approx(first, abs=1.1e-2 * last), pytest.approx(last, rel=0.03))
    assert 10 <= len(grid) <= 111
    np.testing.assert_allclose(np.diff(grid), grid[1] - grid[0])
    assert 0 < grid[0] < grid[-1] < 1


@pytest.mark.parametrize("risks", [np.zeros(9), np.ones(9), [], [0.0, 1.0], np.full(9, 1e-9), [1 - 1e-9] * 4])
def test_extreme_risks_still_give_thresholds_inside_0_and_1(risks):
    grid = choose_risk_grid(risks)
    assert len({f"{threshold:.6f}" for threshold in grid}) == len(grid) >= 2
    assert ((grid > 0) & (grid < 1)).all()


def test_rare_and_frequent_recurrence_have_ranges_of_their_own(table):
    ranges = []
    for rate in (0.05, 0.8):
        event = (np.random.default_rng(5).random(len(table)) < rate).astype(float)
        own = table.assign(rfs_event=event)
        thresholds = compute_recurrence_net_benefit(own, fit_recurrence_risk(own, 24.0)).table["threshold"]
        ranges.append((thresholds.min(), thresholds.max()))
    assert ranges[0][1] < 0.3 < ranges[1][1]
