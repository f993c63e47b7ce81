"""The look of figures: contrast on both pages, and signs beside colour."""

import plotly.graph_objects as go
import pytest

from core.figures.theme import BACKGROUND, COLOURS, TEXT, apply_theme, fill_colour, new_figure, style_series


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


def test_the_dark_theme_changes_text_and_ground_and_leaves_the_original():
    light = new_figure(x_title="Threshold", y_title="Net benefit")
    dark = apply_theme(light, "dark")
    assert isinstance(dark, go.Figure)
    assert dark.layout.template.layout.font.color == TEXT["dark"]
    assert light.layout.template.layout.font.color == TEXT["light"]
    assert dark.layout.xaxis.title.text == "Threshold"


def test_a_band_is_translucent():
    assert fill_colour("#FF8000", 0.5) == "rgba(255, 128, 0, 0.5)"
