"""Figures of one case: what is drawn equals the numbers it was given."""

import dataclasses
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from core.figures.case.frame import BOX, OUTLINE, render_frame
from core.figures.case.nomogram import describe_nomogram, join_levels, place_labels, plot_nomogram, tabulate_points
from core.figures.case.probability import (
    count_icons,
    describe_icons,
    describe_scale,
    plot_icons,
    plot_probability_scale,
)
from core.figures.case.waterfall import describe_waterfall, plot_waterfall
from core.figures.drawing.fonts import measure
from core.figures.rendering import render_svg
from core.figures.theme import LOWERS, NEUTRAL, RAISES, TINY_SIZE
from core.inference.explain import format_percent, tabulate_contributions
from core.inference.lesion import Lesion
from core.inference.points import score_points
from core.ui.figure import BOARD_PX, NARROW_PX, WIDE_PX
from models.bundle import read_bundle

SHIPPED = Path(__file__).parents[3] / "models" / "ki67-demo"


def test_the_waterfall_goes_from_the_intercept_to_the_logit(prediction):
    table = tabulate_contributions(prediction, {"size_mm": 24.0})
    bars = plot_waterfall(table).data[0]
    ends = [base + step for base, step in zip(bars.base, bars.x, strict=True)]
    assert list(bars.base[1:-1]) == pytest.approx(ends[:-2])
    assert ends[-2] == pytest.approx(ends[-1])
    assert ends[-1] == pytest.approx(prediction.logit)
    signs = [
        (RAISES, "") if step > 0 else (LOWERS, "/") if step else (NEUTRAL, "") for step in np.round(bars.x[1:-1], 2)
    ]
    assert list(zip(bars.marker.color[1:-1], bars.marker.pattern.shape[1:-1], strict=True)) == signs


def test_a_value_that_is_not_known_neither_raises_nor_lowers(prediction):
    table = tabulate_contributions(prediction, {})
    table["log_odds"] *= table["term"] == "image"
    colours = dict(zip(table["term"], plot_waterfall(table).data[0].marker.color, strict=True))
    assert {term for term, colour in colours.items() if colour != NEUTRAL} == {"image"}


def test_the_waterfall_names_values_and_what_is_not_known(prediction):
    table = tabulate_contributions(prediction, {"size_mm": 24.0})
    labels = plot_waterfall(table).data[0].y
    assert "Largest diameter <b>24 mm</b>" in labels
    assert "Age <b>not known</b>" in labels
    assert "Age not known -0.30" in describe_waterfall(table)


def test_the_image_leaves_the_bars_their_room(prediction):
    two = dataclasses.replace(prediction, views=prediction.views * 2)
    assert "Ultrasound image <b>+0.25, 2 views</b>" in plot_waterfall(tabulate_contributions(two, {})).data[0].y


def test_labels_are_short_where_there_is_little_room(prediction):
    figure = plot_waterfall(tabulate_contributions(prediction, {"size_mm": 21.5}))
    rows = figure.data[0].y
    assert "Largest diameter <b>21.5 mm</b>" in rows
    assert not any("on ultrasound" in row or "before biopsy" in row for row in rows)


@pytest.mark.parametrize(("probability", "full"), [(0.0, 1), (0.004, 1), (0.634, 63), (0.9999, 99)])
def test_icons_are_full_as_often_as_ki67_is_high(probability, full):
    high, low = plot_icons(probability).data
    assert len(high.x) == count_icons(probability) == full
    assert len(low.x) == 100 - full
    assert {(x, y) for trace in (high, low) for x, y in zip(trace.x, trace.y, strict=True)} == {
        (x, y) for x in range(10) for y in range(10)
    }
    assert high.marker.symbol != low.marker.symbol
    assert f"{full} of 100" in describe_icons(probability)


def test_the_scale_shows_estimate_interval_threshold_and_zone(prediction):
    zone, threshold, estimate = plot_probability_scale(prediction).data
    assert (min(zone.x), max(zone.x)) == prediction.no_call
    assert set(threshold.x) == {prediction.threshold}
    assert estimate.x[0] == prediction.probability
    assert estimate.x[0] + estimate.error_x.array[0] == pytest.approx(prediction.interval[1])
    assert estimate.x[0] - estimate.error_x.arrayminus[0] == pytest.approx(prediction.interval[0])
    assert "95 % interval 50 % to 80 %" in describe_scale(prediction).replace("\N{NO-BREAK SPACE}", " ")


def test_the_box_is_painted_where_it_is(frame, roi):
    painted = np.asarray(render_frame(frame, roi))
    yellow = (painted == [int(BOX[i : i + 2], 16) for i in (1, 3, 5)]).all(axis=2)
    rows, cols = np.nonzero(yellow)
    assert (cols.min(), rows.min(), cols.max() + 1, rows.max() + 1) == (roi.x0, roi.y0, roi.x1, roi.y1)
    assert (painted[50, 80] == 90).all()


def test_the_nomogram_marks_each_term_and_reads_the_probability(fusion):
    patient = score_points(fusion, 0.7, {"age": 61.0, "birads": "4C"})
    figure = plot_nomogram(patient)
    marks = {t.name: t for t in figure.data if t.name in {term.label for term in patient.terms}}
    assert marks["Age"].x[0] == pytest.approx(next(t.points for t in patient.terms if t.name == "age"))
    assert marks["Age"].marker.symbol == "diamond"
    assert marks["Palpable mass"].marker.symbol == "diamond-open"
    reading = next(t for t in figure.data if t.name == "This patient")
    assert reading.x[0] == reading.x[1]
    titles = [a.text for a in figure.layout.annotations]
    assert f"Probability of high Ki-67:<br><b>{format_percent(patient.probability)}</b>" in titles
    assert f"Total {patient.total:.0f} points" in describe_nomogram(patient)


def test_the_patients_line_goes_through_every_mark(fusion):
    patient = score_points(fusion, 0.7, {"age": 61.0})
    drawn = {t.name: t for t in plot_nomogram(patient).data}
    line, total = drawn["Reading line"], drawn["This patient"]
    assert list(line.x) == [*(term.points for term in patient.terms), total.x[0]]
    assert list(line.y) == list(range(1, len(patient.terms) + 2))
    assert total.y == (line.y[-1], line.y[-1] + 1)


def test_every_level_of_a_short_axis_is_labelled_from_left_to_right():
    levels = [(8.0, "3"), (0.0, "5"), (4.0, "4B"), (6.0, "4A"), (2.0, "4C")]
    assert join_levels(levels, 100.0) == (8.0, "5 · 4C · 4B · 4A · 3", "left")
    at_the_end = [(50 + x, text) for x, text in levels]
    assert join_levels(at_the_end, 100.0) == (50.0, "5 · 4C · 4B · 4A · 3", "right")
    assert join_levels([(0.0, "no"), (50.0, "yes")], 100.0) is None


def test_labels_between_are_left_out_where_they_run_into_others():
    assert place_labels([(0.0, "25"), (3.0, "30"), (50.0, "85")], 100.0) == [
        (0.0, "25", "center"),
        (50.0, "85", "center"),
    ]


@pytest.mark.parametrize("width", [WIDE_PX, BOARD_PX, NARROW_PX])
@pytest.mark.parametrize("clinical", [{}, {"age": 61.0, "birads": "4C", "size_mm": 21.5, "menopausal": "post"}])
def test_no_label_of_the_pages_nomogram_runs_into_another(width, clinical):
    patient = score_points(read_bundle(SHIPPED).fusion_heads["m1"], 0.3, clinical)
    svg = render_svg(plot_nomogram(patient, compact=True), width=width, outlined=False)
    texts = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    boxes = [_measure(text) for text in texts]
    assert len(boxes) > 30
    assert [(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :] if _run_into_each_other(a, b)] == []


def _measure(text: ElementTree.Element) -> tuple[float, float, float, str]:
    """Give left and right end, baseline and words of a text."""
    left, words = float(text.attrib["x"]), text.text or ""
    width = measure(words, float(text.attrib["font-size"]), bold=text.attrib["font-weight"] == "600")
    return left, left + width, float(text.attrib["y"]), words


def _run_into_each_other(a: tuple[float, float, float, str], b: tuple[float, float, float, str]) -> bool:
    return min(a[1], b[1]) - max(a[0], b[0]) > 1 and abs(a[2] - b[2]) < TINY_SIZE - 3


def test_one_point_is_singular(fusion):
    patient = score_points(fusion, 0.0, {})
    one = dataclasses.replace(patient, terms=(dataclasses.replace(patient.terms[0], points=1.2),), total=1.2)
    assert "1 point." in describe_nomogram(one).replace(", read", ".")


def test_the_points_add_up_to_the_total(fusion):
    table = tabulate_points(score_points(fusion, -0.4, {"size_mm": 30.0}))
    assert table["points"].iloc[:-1].sum() == pytest.approx(table["points"].iloc[-1])
    assert table.set_index("term")["known"].to_dict()["size_mm"]


def test_outlines_are_painted_beside_the_box_and_numbered_where_there_are_several(frame, roi):
    corners = np.array([[20.0, 20.0], [50.0, 20.0], [50.0, 40.0], [20.0, 40.0]])
    lesions = (Lesion(corners, 0.9), Lesion(corners + np.array([30, 25]), 0.8))
    plain, one, two = (np.asarray(render_frame(frame, roi, lesions[:n])).astype(int) for n in (0, 1, 2))
    blue = (one == [int(OUTLINE[i : i + 2], 16) for i in (1, 3, 5)]).all(axis=2)
    rows, cols = np.nonzero(blue)
    assert (cols.min(), rows.min(), cols.max(), rows.max()) == pytest.approx((20, 20, 50, 40), abs=2)
    assert (one == plain)[30, 35].all()
    assert (two != one)[28:33, 30:40].any()
