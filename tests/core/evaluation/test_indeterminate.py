import numpy as np
import pytest

from core.evaluation import compute_indeterminate


def test_the_zone_is_counted_like_a_test_result() -> None:
    y = [0, 0, 1, 0, 1, 1, 1, 0]
    prob = [0.1, 0.2, 0.35, 0.45, 0.55, 0.62, 0.9, np.nan]
    table = compute_indeterminate(y, prob, threshold=0.5, low=0.35, high=0.6)
    assert table.loc["inside", ["n", "events", "correct"]].tolist() == [3, 2, 2]
    assert table.loc["outside", ["n", "events", "correct"]].tolist() == [4, 2, 4]
    assert table.loc["all", "n"] == 7
    assert table.loc["inside", "share"] == pytest.approx(3 / 7)
    # R: prop.test(2, 3, correct = FALSE)$conf.int
    assert table.loc["inside", ["ci_low", "ci_high"]].tolist() == pytest.approx([0.2076596, 0.9385081], abs=1e-6)


def test_nobody_inside_has_no_accuracy() -> None:
    table = compute_indeterminate([0, 1], [0.1, 0.9], threshold=0.5, low=0.4, high=0.6)
    assert table.loc["inside", "n"] == 0
    assert np.isnan(table.loc["inside", "accuracy"])
