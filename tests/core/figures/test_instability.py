"""The instability plot draws each patient's range, and nothing where it was not measured."""

import pytest

from core.figures.cohort.calibration import explain_slope
from core.figures.instability import plot_instability, tabulate_instability

INTERNAL = {"instability": {"points": [[0.1, 0.05, 0.2], [0.5, 0.4, 0.7], [0.9, 0.8, 0.95]]}}


def test_both_ends_of_every_range_are_drawn() -> None:
    table = tabulate_instability(INTERNAL)
    figure = plot_instability(table)
    drawn = [trace for trace in figure.data if trace.mode == "markers"]
    assert [list(trace.y) for trace in drawn] == [[0.05, 0.4, 0.8], [0.2, 0.7, 0.95]]
    assert tabulate_instability({}).empty


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ((0.4, 0.9), "high probabilities are too high"),
        ((1.1, 1.6), "high probabilities are too low"),
        ((0.8, 1.2), "holds 1: no sign"),
        ((-0.5, 2.0), "too few patients to tell"),
    ],
)
def test_a_slope_is_said_in_words(interval: tuple[float, float], words: str) -> None:
    assert words in explain_slope(interval)
    assert explain_slope(None) == ""
