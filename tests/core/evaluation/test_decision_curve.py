"""Net benefit by hand, given prevalence, harm, survival and what can't be estimated."""

import numpy as np
import pytest

from core.errors import InputError
from core.evaluation import (
    compute_decision_curve,
    compute_net_benefit_difference,
    compute_survival_decision_curve,
)

Y = np.array([1, 1, 1, 0, 0, 0, 0, 0, 0, 0])
PROB = np.array([0.9, 0.8, 0.3, 0.7, 0.2, 0.2, 0.1, 0.1, 0.1, 0.1])


def read(result, model, column="net_benefit"):
    return result.table.set_index("model").loc[model, column]


def test_by_hand():
    result = compute_decision_curve(Y, {"m": PROB}, [0.5])
    assert read(result, "m") == pytest.approx(0.2 - 0.1)
    assert read(result, "all") == pytest.approx(0.3 - 0.7)
    assert read(result, "m", "standardized_net_benefit") == pytest.approx(1 / 3)
    assert read(result, "m", "interventions_avoided") == pytest.approx(50)
    assert (result.n, result.prevalence) == (10, 0.3)


def test_harm_lowers_one_model_only():
    result = compute_decision_curve(Y, {"a": PROB, "b": PROB}, [0.5], harm={"b": 0.03})
    assert read(result, "a") - read(result, "b") == pytest.approx(0.03)


def test_given_prevalence_weighs_the_classes():
    result = compute_decision_curve(Y, {"m": PROB}, [0.5], prevalence=0.1)
    assert read(result, "m") == pytest.approx(0.1 * 2 / 3 - 0.9 / 7)
    assert read(result, "all") == pytest.approx(0.1 - 0.9)


def test_complete_cases_over_all_models():
    other = PROB.copy()
    other[0] = np.nan
    result = compute_decision_curve(Y, {"m": PROB, "other": other}, [0.5])
    assert (result.n, result.n_excluded) == (9, 1)
    assert set(result.table["n"]) == {9}


@pytest.mark.parametrize("threshold", [0, 1, -0.1, np.nan])
def test_thresholds_lie_strictly_inside(threshold):
    with pytest.raises(InputError, match="threshold"):
        compute_decision_curve(Y, {"m": PROB}, [0.5, threshold])


def test_names_and_shares_that_do_not_fit():
    with pytest.raises(InputError, match="treating"):
        compute_decision_curve(Y, {"all": PROB}, [0.5])
    with pytest.raises(InputError, match="not among the models"):
        compute_decision_curve(Y, {"m": PROB}, [0.5], harm={"x": 0.1})
    with pytest.raises(InputError, match="prevalence is 30"):
        compute_decision_curve(Y, {"m": PROB}, [0.5], prevalence=30)


def test_nobody_and_one_class():
    nobody = compute_decision_curve([np.nan], {"m": [0.5]}, [0.5])
    assert nobody.table["net_benefit"].isna().all()
    assert "No patient" in nobody.reason
    one_class = compute_decision_curve([1, 1], {"m": [0.5, 0.6]}, [0.5], prevalence=0.2)
    assert "both classes" in one_class.reason


def test_difference_of_two_models_and_of_a_model_with_itself():
    worse = PROB[::-1]
    result = compute_net_benefit_difference(Y, PROB, worse, [0.25, 0.5], n_boot=200)
    expected = [
        read(compute_decision_curve(Y, {"m": PROB}, [t]), "m") - read(compute_decision_curve(Y, {"m": worse}, [t]), "m")
        for t in (0.25, 0.5)
    ]
    np.testing.assert_allclose(result.table["difference"], expected)
    assert (result.table["ci_low"] < result.table["difference"]).all()
    assert (result.table["difference"] < result.table["ci_high"]).all()
    same = compute_net_benefit_difference(Y, PROB, PROB, [0.5], n_boot=20).table
    assert same[["difference", "ci_low", "ci_high"]].to_numpy().tolist() == [[0, 0, 0]]
    assert "No patient" in compute_net_benefit_difference([np.nan], [0.1], [0.2], [0.5]).reason


def test_the_band_is_that_of_drawing_patients():
    rng = np.random.default_rng(5)
    first, second, n, grid = rng.random(300), rng.random(300), 300, np.array([0.6, 0.2, 0.4])
    y = (rng.random(n) < first).astype(float)
    drawn = [rng.integers(n, size=n) for _ in range(3000)]
    worth = ((first[:, None] >= grid) * 1.0 - (second[:, None] >= grid)) * np.where(
        y[:, None] == 1, 1, -grid / (1 - grid)
    )
    naive = np.quantile([worth[rows].mean(axis=0) for rows in drawn], [0.025, 0.975], axis=0)
    result = compute_net_benefit_difference(y, first, second, grid, n_boot=3000).table
    np.testing.assert_allclose(result["difference"], worth.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(result[["ci_low", "ci_high"]].T, naive, atol=0.012)


def test_survival_without_censoring_equals_the_binary_curve():
    time = np.where(Y == 1, 3.0, 20.0)
    survival = compute_survival_decision_curve(time, np.ones(10), {"m": PROB}, [0.15, 0.5], 12)
    binary = compute_decision_curve(Y, {"m": PROB}, [0.15, 0.5])
    np.testing.assert_allclose(survival.table["net_benefit"], binary.table["net_benefit"])
    assert survival.horizon == 12


def test_survival_where_nobody_is_followed_to_the_horizon():
    late = compute_survival_decision_curve([1, 2, 3], [0, 1, 0], {"m": [0.2, 0.6, 0.7]}, [0.5], 12)
    assert late.prevalence is None
    assert "Nobody is followed to 12 months" in late.reason
    part = compute_survival_decision_curve([1, 20, 3], [0, 0, 1], {"m": [0.9, 0.1, 0.2]}, [0.5], 12)
    assert np.isnan(read(part, "m"))
    assert "Above some thresholds" in part.reason
    with pytest.raises(InputError, match="time above 0"):
        compute_survival_decision_curve([1], [0], {"m": [0.2]}, [0.5], 0)
