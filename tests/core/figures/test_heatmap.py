"""The heat map: raw values, one fixed scale, the hottest place where it is."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageColor

from core.figures.case.heatmap import describe_heatmap, locate_cells, plot_heatmap, tabulate_heatmap, trace_contours
from core.figures.case.heatmap_png import render_heatmap_png, render_overlay
from core.figures.theme import LOWERS, RAISES
from core.inference import ViewEstimate

LIMIT = 2.0


@pytest.fixture
def view(prediction) -> ViewEstimate:
    return prediction.views[0]


def test_values_with_their_offset_are_unscaled_and_their_mean_is_the_images_term(view):
    assert np.mean(tabulate_heatmap(view)["log_odds"]) == pytest.approx(view.contribution)


def test_cells_lie_over_the_square_that_the_network_saw(view):
    x, y = locate_cells(view)
    assert x == [65.0, 95.0]
    assert y == [35.0, 65.0]
    hottest = tabulate_heatmap(view).sort_values("log_odds").iloc[-1]
    assert hottest.tolist() == pytest.approx([95.0, 65.0, 0.4])


def test_contours_reach_the_edge_of_the_square_and_stand_at_quarters_of_the_scale(view):
    lines = trace_contours(replace(view, heatmap=np.array([[-1.8, 1.8], [-1.8, 1.8]]), heatmap_offset=0.0), LIMIT)
    assert {level for level, _ in lines} == {-1.5, -1.0, -0.5, 0.5, 1.0, 1.5}
    assert all({line[:, 1].min(), line[:, 1].max()} == {20.0, 80.0} for _, line in lines)
    assert all((line[0] == line[-1]).all() for _, line in lines)


def test_on_paper_a_sign_stands_in_each_place_that_weighs(frame, roi, view):
    heat, signs = plot_heatmap(frame, roi, view, limit=LIMIT, height=300).data
    cells = tabulate_heatmap(view)
    np.testing.assert_allclose(np.ravel(heat.z), cells["log_odds"])
    assert (heat.zmin, heat.zmax, heat.colorscale[0][1], heat.colorscale[-1][1]) == (-LIMIT, LIMIT, LOWERS, RAISES)
    heavy = cells[cells["log_odds"].abs() >= 0.1 * LIMIT]
    assert list(signs.text) == ["+" if value > 0 else "\u2212" for value in heavy["log_odds"]]
    hottest = int(np.argmax(signs.textfont.size))
    assert (signs.x[hottest], signs.y[hottest], signs.text[hottest]) == (95.0, 65.0, "+")


def test_weak_evidence_looks_weak():
    heatmap = np.array([[1.0, -1.0], [0.0, 0.5]])
    strong = np.asarray(render_overlay(heatmap, limit=LIMIT, opacity=1.0, size=(2, 2)))
    weak = np.asarray(render_overlay(heatmap / 10, limit=LIMIT, opacity=1.0, size=(2, 2)))
    assert strong[0, 0, 3] == pytest.approx(127.5, abs=1)
    assert weak[0, 0, 3] == pytest.approx(12.75, abs=1)


def test_signs_have_their_colours_and_zero_is_clear():
    overlay = np.asarray(render_overlay(np.array([[LIMIT, -LIMIT, 0.0]]), limit=LIMIT, opacity=0.8, size=(3, 1)))
    assert tuple(overlay[0, 0, :3]) == ImageColor.getrgb(RAISES)
    assert tuple(overlay[0, 1, :3]) == ImageColor.getrgb(LOWERS)
    assert overlay[0, :, 3].tolist() == [204, 204, 0]


def test_values_beyond_the_scale_keep_its_end():
    overlay = np.asarray(render_overlay(np.array([[50.0, -50.0]]), limit=LIMIT, opacity=1.0, size=(2, 1)))
    assert overlay[0, :, 3].tolist() == [255, 255]


def test_the_file_carries_its_origin_and_the_colour_at_its_place(frame, roi, view):
    hot = replace(view, heatmap=np.array([[0.0, 0.0], [0.0, LIMIT]]), heatmap_offset=0.0)
    data = render_heatmap_png(
        frame, roi, hot, limit=LIMIT, opacity=1.0, captions=("Research use only",), provenance={"bundle": "test-bundle"}
    )
    image = Image.open(io.BytesIO(data))
    assert image.text == {"bundle": "test-bundle"}
    pixels = np.asarray(image).astype(int)
    scale = image.width / frame.width
    red_excess = pixels[: round(frame.height * scale), :, 0] - pixels[: round(frame.height * scale), :, 2]
    inside = red_excess[round(76 * scale), round(104 * scale)]
    assert inside > 150
    assert red_excess[round(5 * scale), round(5 * scale)] == 0


def test_captions_hold_no_sign_that_the_pictures_font_lacks(frame, roi, view):
    glued, spaced = (
        render_heatmap_png(frame, roi, view, limit=LIMIT, opacity=1.0, captions=(caption,), provenance={})
        for caption in ("63\N{NO-BREAK SPACE}%", "63 %")
    )
    assert glued == spaced


def test_the_description_names_the_scale(view):
    assert "from -0.30 to +0.40 log-odds on a scale of plus and minus 2.00" in describe_heatmap(view, LIMIT)
