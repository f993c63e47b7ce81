"""Values of R's rms 6.5.0: nomogram(lrm(cancer ~ age + famhistory + marker), df_binary)."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ModelError
from core.nomogram import LinearHead, build_nomogram

PREFIX = "nomogram.df_binary."
VALUES = {
    v["path"].removeprefix(PREFIX): (v["value"], v["tol_abs"])
    for v in json.loads((Path(__file__).parents[1] / "golden" / "nomogram.json").read_text())
    if v["path"].startswith(PREFIX)
}
RANGES = {"age": range(30, 91, 10), "famhistory": (0, 1), "marker": range(9)}
HEAD = LinearHead(VALUES["coef.Intercept"][0], {name: VALUES[f"coef.{name}"][0] for name in RANGES})
NOMOGRAM = build_nomogram(HEAD, RANGES)


def value_of(path: str) -> tuple[float, float]:
    value, tolerance = VALUES[path]
    return value, max(tolerance, 1e-9)


@pytest.mark.parametrize("name", list(RANGES))
def test_points_of_each_axis_equal_r(name: str) -> None:
    axis = next(axis for axis in NOMOGRAM.axes if axis.name == name)
    for i, points in enumerate(axis.points):
        value, tolerance = value_of(f"axes.{name}.points[{i}]")
        assert points == pytest.approx(value, abs=max(tolerance, 1e-6))


def test_scale_and_shift_equal_r() -> None:
    assert NOMOGRAM.scale == pytest.approx(VALUES["sc"][0], rel=1e-9)
    assert NOMOGRAM.lp0 == pytest.approx(VALUES["intercept_shift"][0], abs=1e-6)


def test_total_points_at_a_probability_equal_r() -> None:
    for i in range(11):
        prob = VALUES[f"prob_axis.Predicted Value.prob[{i}]"][0]
        total, tolerance = value_of(f"prob_axis.Predicted Value.total_points[{i}]")
        assert NOMOGRAM.total_points(prob) == pytest.approx(total, abs=tolerance)


def test_total_points_at_log_odds_equal_r() -> None:
    for i in range(16):
        total = VALUES[f"lp_axis.total_points[{i}]"][0]
        assert NOMOGRAM.logit(total) == pytest.approx(VALUES[f"lp_axis.lp[{i}]"][0], abs=1e-6)


@given(
    st.lists(st.floats(-3, 3).filter(lambda b: abs(b) > 1e-3), min_size=1, max_size=6),
    st.floats(-4, 4),
    st.data(),
)
def test_points_and_probability_are_the_same_number(coefs: list[float], intercept: float, data: st.DataObject) -> None:
    head = LinearHead(intercept, {f"x{i}": b for i, b in enumerate(coefs)})
    nomogram = build_nomogram(head, dict.fromkeys(head.coefs, (-2, 3)))
    x = {name: data.draw(st.floats(-2, 3)) for name in head.coefs}
    total = sum(nomogram.points(name, value) for name, value in x.items())
    logit = intercept + sum(head.coefs[name] * value for name, value in x.items())
    assert nomogram.probability(total) == pytest.approx(1 / (1 + math.exp(-logit)), abs=1e-6)
    assert max(max(axis.points) for axis in nomogram.axes) == pytest.approx(100)
    assert min(min(axis.points) for axis in nomogram.axes) == pytest.approx(0)
    assert -1e-9 <= total <= nomogram.max_total + 1e-9


def test_more_points_never_lower_the_probability() -> None:
    probabilities = [NOMOGRAM.probability(total) for total in np.linspace(0, NOMOGRAM.max_total, 50)]
    assert probabilities == sorted(probabilities)


def test_a_head_that_moves_nothing_is_refused() -> None:
    with pytest.raises(ModelError, match="No term of this model moves"):
        build_nomogram(LinearHead(0.0, {"age": 0.0}), {"age": (0, 1)})


def test_a_term_without_a_range_is_named() -> None:
    with pytest.raises(ModelError, match="axis values for age"):
        build_nomogram(LinearHead(0.0, {"age": 1.0}), {})
