"""The look of figures: contrast on both pages, and signs beside colour."""

import re

import pytest

from core.figures.case.nomogram import plot_nomogram
from core.figures.case.probability import plot_icons, plot_probability_scale
from core.figures.case.waterfall import plot_waterfall
from core.figures.rendering import render_svg
from core.figures.theme import BACKGROUND, COLOURS, GRID, TEXT, fill_colour, style_series
from core.inference.explain import tabulate_contributions
from core.inference.points import score_points


def luminance(colour: str) -> float:
    """Relative luminance after WCAG 2.2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(a: str, b: str) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("colour", COLOURS)
def test_every_colour_stands_out_on_both_pages(colour, theme):
    assert contrast(colour, BACKGROUND[theme]) >= 3


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_is_readable_on_both_pages(theme):
    assert contrast(TEXT[theme], BACKGROUND[theme]) >= 7


def test_series_differ_without_their_colour():
    styles = [style_series(i) for i in range(len(COLOURS))]
    assert len({style["line"]["dash"] for style in styles}) == len(COLOURS)
    assert len({style["marker"]["symbol"] for style in styles}) == len(COLOURS)
    assert style_series(len(COLOURS)) == style_series(0)


@pytest.fixture(params=["probability", "icons", "waterfall", "nomogram"])
def figure(request, prediction, fusion):
    if request.param == "waterfall":
        return plot_waterfall(tabulate_contributions(prediction, {"size_mm": 24.0}))
    if request.param == "nomogram":
        return plot_nomogram(score_points(fusion, prediction.score, {"size_mm": 24.0}), compact=True)
    return plot_icons(0.4) if request.param == "icons" else plot_probability_scale(prediction)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_figure_is_drawn_in_the_colours_of_its_page(figure, theme):
    svg = render_svg(figure, outlined=False, theme=theme).decode()
    ground = re.search(r'<rect width="100%" height="100%" fill="(#\w+)"/>', svg)[1]
    inks = set(re.findall(r'<text [^>]*fill="(#\w+)"', svg))
    assert ground == BACKGROUND[theme]
    assert inks
    assert all(contrast(ink, ground) >= 4.5 for ink in inks)
    other = "dark" if theme == "light" else "light"
    assert not {BACKGROUND[other], TEXT[other], GRID[other]} & set(re.findall(r"#\w{6}", svg))


def test_a_band_is_translucent():
    assert fill_colour("#FF8000", 0.5) == "rgba(255, 128, 0, 0.5)"
