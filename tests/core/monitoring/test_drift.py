"""Population stability index, tests and their adjustment."""

import numpy as np
import pytest
from scipy import stats

from core.monitoring.drift import (
    LEAST_KNOWN,
    UNKNOWN,
    WATCHED,
    compare_choices,
    compare_known,
    compare_numbers,
    compare_window,
    compute_psi,
    encode_inputs,
    find_chance_psi,
)
from tests.core.monitoring.made import make_patients


def test_the_index_of_equal_samples_is_zero():
    assert compute_psi([10, 20, 70], [10, 20, 70]) == 0
    patients = encode_inputs(make_patients(300, np.random.default_rng(1)))
    found = compare_window(patients, patients)
    assert (found["psi"] == 0).all()
    assert (found["p"] > 0.999).all()


def test_the_index_is_never_negative_symmetric_and_finite():
    rng = np.random.default_rng(2)
    for _ in range(50):
        a, b = rng.multinomial(40, [0.2, 0.3, 0.5]), rng.multinomial(90, [0.6, 0.4, 0.0])
        assert compute_psi(a, b) == pytest.approx(compute_psi(b, a))
        assert 0 <= compute_psi(a, b) < np.inf


def test_the_index_reaches_by_chance_what_its_distribution_says():
    rng, shares = np.random.default_rng(3), np.full(5, 0.2)
    drawn = [compute_psi(rng.multinomial(2_000, shares), rng.multinomial(500, shares)) for _ in range(2_000)]
    beyond = np.mean(np.array(drawn) > find_chance_psi(5, 500, 2_000))
    assert stats.binom.ppf(0.0005, 2_000, 0.05) <= 2_000 * beyond <= stats.binom.ppf(0.9995, 2_000, 0.05)
    assert find_chance_psi(10, 50, 264) > 0.25


def test_choices_equal_a_chi_squared_test():
    own, other = np.repeat([0.0, 1.0, 2.0], [90, 60, 50]), np.repeat([0.0, 1.0, 2.0], [20, 30, 50])
    found = compare_choices(own, other, 3)
    expected = stats.chi2_contingency([[90, 60, 50], [20, 30, 50]], correction=False)
    assert (found.statistic, found.p) == pytest.approx((expected.statistic, expected.pvalue))


def test_rare_levels_are_joined_until_five_are_expected():
    own, other = np.repeat([0.0, 1.0, 2.0], [99, 99, 2]), np.repeat([0.0, 1.0, 2.0], [20, 29, 1])
    joined = stats.chi2_contingency([[99, 101], [20, 30]], correction=False)
    assert compare_choices(own, other, 3).p == pytest.approx(joined.pvalue)


@pytest.mark.parametrize("compare", [compare_numbers, lambda own, other: compare_choices(own, other, 2)])
def test_too_few_known_values_are_not_tested(compare):
    own, other = np.tile([0.0, 1.0], 100), np.full(50, np.nan)
    other[: LEAST_KNOWN - 1] = 1.0
    found = compare(own, other)
    assert found.n == LEAST_KNOWN - 1
    assert np.isnan([found.p, found.psi]).all()


def test_what_is_left_out_more_often_is_found():
    own, other = np.tile([1.0, 1.0, 1.0, np.nan], 50), np.tile([1.0, np.nan], 50)
    found = compare_known(own, other)
    assert found.statistic == 0.5
    assert found.p == pytest.approx(stats.fisher_exact([[50, 50], [50, 150]]).pvalue)


def test_a_shifted_score_alone_differs_and_p_values_are_adjusted_together():
    rng = np.random.default_rng(4)
    own, other = make_patients(300, rng), make_patients(100, rng)
    other["image_score"] += 1.5
    found = compare_window(encode_inputs(own), encode_inputs(other)).set_index("input")
    assert list(found.index[:1]) == ["image_score"]
    assert set(found.index) == {*WATCHED, *(name + UNKNOWN for name in WATCHED[1:])}
    assert found["p_adjusted"].idxmin() == "image_score"
    assert (found["p_adjusted"] >= found["p"]).all()
    assert found.loc["image_score", "p_adjusted"] == pytest.approx(15 * found.loc["image_score", "p"])


def test_a_value_that_the_training_never_knew_is_not_compared():
    never, known = np.full(200, np.nan), np.ones(50)
    found = compare_known(never, known)
    assert (found.n, found.test) == (50, "")
    assert np.isnan(found.p)
