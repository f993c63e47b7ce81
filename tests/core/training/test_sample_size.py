import pytest

from core.errors import InputError
from core.training.bundle.sample_size import compute_sample_size


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
