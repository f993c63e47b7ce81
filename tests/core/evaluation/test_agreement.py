"""Agreement of readers: Cohen's kappa with its interval."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.inter_rater import cohens_kappa

from core.errors import InputError
from core.evaluation import compare_readers, compute_agreement


def make_calls(both: int, first: int, second: int, neither: int) -> tuple[list[bool], list[bool]]:
    a = [True] * (both + first) + [False] * (second + neither)
    b = [True] * both + [False] * first + [True] * second + [False] * neither
    return a, b


def test_one_patient_gives_no_kappa():
    result = compute_agreement([True], [False])
    assert np.isnan(result.kappa)


def test_kappa_equals_statsmodels():
    result = compute_agreement(*make_calls(20, 5, 10, 15))
    other = cohens_kappa(np.array([[20, 5], [10, 15]]))
    assert (result.n, result.agreed, result.share) == (50, 35, 0.7)
    assert result.kappa == pytest.approx(0.4)
    assert result.kappa_ci == pytest.approx((other.kappa_low, other.kappa_upp))
    assert result.reason is None


def test_full_agreement_has_no_interval_and_says_why():
    result = compute_agreement(*make_calls(4, 0, 0, 4))
    assert result.kappa == 1.0
    assert np.isnan(result.kappa_ci).all()
    assert "differ nowhere" in result.reason


def test_readers_who_never_vary_have_no_kappa():
    result = compute_agreement([True] * 5, [True] * 5)
    assert np.isnan(result.kappa)
    assert "do not vary" in result.reason
    assert result.share == 1.0


def test_kappa_is_symmetric():
    a, b = make_calls(7, 3, 5, 9)
    assert compute_agreement(a, b) == compute_agreement(b, a)


def test_lengths_must_fit():
    with pytest.raises(InputError, match="as many: 2 and 1 came"):
        compute_agreement([True, False], [True])


def test_each_reader_is_compared_with_model_and_reference():
    calls = pd.DataFrame(
        {
            "author": ["B", "A", "A", "A"],
            "reader": [True, True, False, True],
            "model": [True, False, False, True],
            "reference": [None, True, None, False],
        }
    )
    found = compare_readers(calls).set_index(["author", "pair"])
    assert found["n"].tolist() == [3, 2, 2, 1, 0, 0]
    assert found.loc[("A", "reader and model"), "agreed"] == 2
    assert found.loc[("B", "reader and surgical Ki-67"), "reason"] == "Nobody to count it on."
    assert compare_readers(calls.head(0)).empty
