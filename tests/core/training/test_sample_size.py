import numpy as np
import pytest
from scipy.stats import norm

from core.errors import InputError
from core.training.bundle.sample_size import compute_sample_size, compute_validation_size


def test_the_published_example_of_pmsampsize() -> None:
    """R: pmsampsize(type = "b", csrsquared = 0.288, parameters = 24, prevalence = 0.174)."""
    assert compute_sample_size(24, 0.288, 0.174) == {
        "shrinkage": 623,
        "optimism": 662,
        "intercept": 221,
        "needed": 662,
    }


@pytest.mark.parametrize(("r2", "prevalence"), [(0.9, 0.2), (0.2, 0.0)])
def test_what_cannot_be_is_refused(r2: float, prevalence: float) -> None:
    with pytest.raises(InputError):
        compute_sample_size(8, r2, prevalence)


def test_the_size_to_validate_is_that_of_pmvalsampsize() -> None:
    """Its own tests: ratio 905, found in steps of the standard error; AUC 4252; slope 4501, from 1,000 random draws."""
    linear = -5 + 2.5 * norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    sizes = compute_validation_size(0.018, 0.8, linear, ratio_width=1.0)
    assert sizes["auc"] == 4252
    assert sizes["ratio"] == pytest.approx(905, abs=1)
    assert sizes["slope"] == pytest.approx(4501, rel=0.03)
    assert sizes["needed"] == sizes["slope"]


def test_a_size_to_validate_needs_an_auc_above_one_half() -> None:
    with pytest.raises(InputError, match="AUC between"):
        compute_validation_size(0.5, 0.5, np.zeros(3))
