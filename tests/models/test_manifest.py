"""How far two views of a patient differ: percentiles and ranks."""

import numpy as np
import pytest

from models.manifest import BetweenViews

SIZES = np.random.default_rng(5).gamma(2, 0.2, 400)


def test_a_rank_is_the_share_of_smaller_differences():
    others = BetweenViews.of(SIZES * np.where(np.arange(400) % 2, 1, -1), "400 patients")
    for size in (0.1, 0.35, 0.9):
        assert others.rank(size) == pytest.approx(np.mean(size > SIZES), abs=0.015)
        assert others.rank(-size) == others.rank(size)
    assert others.rank(0) == 0
    assert others.rank(100) == 1


def test_it_comes_back_from_json():
    others = BetweenViews.of(SIZES, "400 patients")
    assert BetweenViews.from_json(others.to_json()) == others


@pytest.mark.parametrize("quantiles", [[0.0, 1.0], [0.0] * 100 + [-1.0], ["a"] * 101])
def test_another_shape_is_refused(quantiles: list):
    with pytest.raises(ValueError, match=r"rising|finite numbers"):
        BetweenViews.from_json({"source": "somebody", "quantiles": quantiles})
