"""A probability's group and the indeterminate range."""

import numpy as np
import pandas as pd
import pytest

from models.call_rule import CallRule

RULE = CallRule(0.5, (0.4, 0.6))


@pytest.mark.parametrize(
    ("probability", "group", "is_indeterminate"),
    [(0.39, "low", False), (0.4, "low", True), (0.5, "high", True), (0.6, "high", True), (0.61, "high", False)],
)
def test_the_threshold_itself_is_high_and_both_ends_are_indeterminate(probability, group, is_indeterminate):
    assert RULE.classify(probability) == group
    assert RULE.is_indeterminate(probability) is is_indeterminate
    assert RULE.is_indeterminate(pd.Series([probability])).tolist() == [is_indeterminate]


def test_certainty_is_the_share_of_refits_on_the_estimates_side():
    refits = np.array([0.2, 0.5, 0.7, 0.9])
    assert RULE.measure_certainty(0.8, refits) == 0.75
    assert RULE.measure_certainty(0.3, refits) == 0.25
