from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from models.cutoff import Cutoff


@pytest.mark.parametrize(("rule", "at", "words"), [(">=", True, "20 % or more"), (">", False, "more than 20 %")])
def test_the_rule_decides_at_the_cutoff_alone(rule: str, at: bool, words: str) -> None:
    cutoff = Cutoff(20.0, rule)
    assert [cutoff.is_high(value) for value in (0.0, 19.99, 20.0, 20.01, 100.0)] == [False, False, at, True, True]
    assert cutoff.is_high(pd.Series([19.0, 20.0, 21.0, np.nan])).tolist() == [False, at, True, False]
    assert cutoff.words == words
    assert Cutoff.from_json(cutoff.to_json()) == cutoff


@pytest.mark.parametrize(
    ("change", "match"), [({"value": 120.0}, "120"), ({"value": np.nan}, "nan"), ({"rule": "<"}, "'<'")]
)
def test_what_is_no_cutoff_is_refused(change: dict[str, object], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        replace(Cutoff(), **change)
