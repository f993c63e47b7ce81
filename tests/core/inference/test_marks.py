"""What burned-in marks weigh in a heat map."""

from dataclasses import replace

import numpy as np
import pytest

from core.imaging import Frame, Roi
from core.imaging.frame import Survey
from core.inference.marks import weigh_marks


def survey(*, words: tuple[Roi, ...] = (), crosses: tuple[tuple[int, int], ...] = ()) -> Survey:
    return Survey((0, 255), crosses, words, None)


def test_without_marks_there_is_nothing_to_weigh(frame: Frame, prediction) -> None:
    assert weigh_marks(prediction.views[0], replace(frame, survey=survey())) is None
    outside = survey(words=(Roi(0, 0, 20, 10),))
    assert weigh_marks(prediction.views[0], replace(frame, survey=outside)) is None


def test_words_over_the_lower_half_carry_its_share(frame: Frame, prediction) -> None:
    view = replace(prediction.views[0], heatmap=np.array([[1.0, 1.0], [-3.0, -3.0]]), heatmap_offset=0.0)
    x0, y0, x1, y1 = view.reading.area
    lower = survey(words=(Roi(x0, (y0 + y1) / 2, x1, y1),))
    weight = weigh_marks(view, replace(frame, survey=lower))
    assert weight.share == pytest.approx(0.75)
    assert (weight.name, weight.place) == ("words", "at the lower edge")
    assert (weight.crosses, weight.words) == ((), lower.words)


def test_a_cross_in_a_place_without_weight_carries_nothing(frame: Frame, prediction) -> None:
    view = replace(prediction.views[0], heatmap=np.array([[0.0, 4.0], [4.0, 4.0]]), heatmap_offset=0.0)
    weight = weigh_marks(view, replace(frame, survey=survey(crosses=((60, 30),))))
    assert weight.share == 0
    assert weight.name == "1 caliper mark"
