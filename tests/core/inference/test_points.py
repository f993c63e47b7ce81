"""The nomogram read for one patient gives the model's own probability."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.inference.points import choose_ticks, score_points
from models.fusion import Term

VALUES = st.fixed_dictionaries(
    {},
    optional={
        "age": st.floats(18, 100),
        "menopausal": st.sampled_from(["pre", "peri", "post"]),
        "palpable": st.sampled_from(["no", "yes"]),
        "size_mm": st.floats(3, 120),
        "adler": st.sampled_from(["0", "1", "2", "3"]),
        "birads": st.sampled_from(["3", "4A", "4B", "4C", "5"]),
        "aln_suspicious": st.sampled_from(["negative", "suspicious"]),
    },
)


def expit(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))


def test_points_give_the_probability_of_the_model(fusion):
    @settings(max_examples=100, deadline=None)
    @given(score=st.floats(-5, 5), clinical=VALUES)
    def check(score, clinical):
        patient = score_points(fusion, score, clinical)
        known = fusion.given(clinical)
        logit = known.intercept + sum(known.contribute(score, clinical).values())
        assert patient.probability == pytest.approx(expit(logit), abs=1e-6)

    check()


def test_the_longest_axis_has_a_hundred_points(fusion):
    terms = score_points(fusion, 0.0, {}).terms
    assert max(max(term.tick_points) for term in terms) == pytest.approx(100)
    assert all(min(term.tick_points) == pytest.approx(0, abs=1e-9) for term in terms)


def test_a_value_beyond_the_training_range_lies_beyond_its_axis(fusion):
    terms = {term.name: term for term in score_points(fusion, 0.0, {"size_mm": 120.0}).terms}
    assert terms["size_mm"].points > max(terms["size_mm"].tick_points)


def test_what_is_not_known_says_so(fusion):
    terms = {term.name: term for term in score_points(fusion, 0.5, {"age": 50.0}).terms}
    assert (terms["age"].known, terms["age"].value) == (True, "50 years")
    assert (terms["palpable"].known, terms["palpable"].value) == (False, "not known")
    assert terms["image"].value == "+0.50"


def test_levels_are_ticks_in_the_order_of_their_values():
    term = Term("birads", "levels", 0.0, 1.0, {"4A": 1.0, "3": 0.0, "5": 2.0}, 0.0, 2.0)
    assert choose_ticks(term) == ("3", "4A", "5")


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(25.0, 85.0, (25, 30, 40, 50, 60, 70, 80, 85)), (4.2, 61.0, (4.2, 10, 20, 30, 40, 50, 61.0)), (0.0, 1.0, None)],
)
def test_ticks_of_a_number_are_round_between_the_ends(low, high, ticks):
    chosen = choose_ticks(Term("size_mm", "linear", 0.0, 1.0, {}, low, high))
    assert (chosen[0], chosen[-1]) == (low, high)
    assert list(chosen) == sorted(set(chosen))
    if ticks:
        assert chosen == pytest.approx(ticks)
