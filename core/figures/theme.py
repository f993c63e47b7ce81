"""One look for every figure: colours, line styles, and a plotly template.

Colours are after Okabe and Ito (colour-blind safe), shaded so that each reaches a contrast of 3 : 1 on the light page
and on the dark one. A series differs by dash and symbol too, so that colour is never the only sign. Figures set no text
colour: it comes from the page or the document that shows the figure.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

import plotly.graph_objects as go

Theme = Literal["light", "dark"]

COLOURS = ("#2F7EBB", "#D55E00", "#0B9C74", "#C0639A", "#9A7B0A", "#7F7F88")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x")
LOWERS, RAISES, NEUTRAL = COLOURS[0], COLOURS[1], COLOURS[5]
BAND_OPACITY = 0.18
BACKGROUND: dict[Theme, str] = {"light": "#FFFFFF", "dark": "#14181D"}
TEXT: dict[Theme, str] = {"light": "#1D252C", "dark": "#E8ECEF"}
GRID: dict[Theme, str] = {"light": "#DDE2E6", "dark": "#39424B"}
FONT = "Source Sans, Source Sans Pro, Helvetica, Arial, sans-serif"
FONT_SIZE = 14
SMALL_SIZE = 13
TINY_SIZE = 11
HEIGHT = 380
RIGHT = 12  # room for half a tick's label; each figure has it, since Streamlit's theme takes the template's away
PERCENT = {"tickformat": ".0%", "labelalias": {f"{i}%": f"{i} %" for i in range(101)}}
VALIDATES = False  # whether plotly checks each property, for nine tenths of a figure's time; the tests turn it on


class SeriesStyle(TypedDict):
    """Line and marker of one series, as keyword arguments of a plotly scatter."""

    line: dict[str, str | float]
    marker: dict[str, str | float]


def _make_template() -> go.layout.Template:
    axis = {
        "automargin": True,
        "gridcolor": GRID["light"],
        "linecolor": GRID["light"],
        "showline": True,
        "ticks": "outside",
        "tickcolor": GRID["light"],
        "title": {"standoff": 8},
        "zeroline": False,
    }
    layout = go.Layout(
        colorway=COLOURS,
        font={"family": FONT, "size": FONT_SIZE, "color": TEXT["light"]},
        paper_bgcolor=BACKGROUND["light"],
        plot_bgcolor=BACKGROUND["light"],
        xaxis=axis,
        yaxis=axis,
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "xanchor": "left", "x": 0, "title": {"text": ""}},
        margin={"l": 8, "r": RIGHT, "t": 12, "b": 8},
        hoverlabel={"font": {"family": FONT, "size": FONT_SIZE}},
        height=HEIGHT,
    )
    return go.layout.Template(layout=layout)


TEMPLATE = _make_template()


def new_figure(*, x_title: str = "", y_title: str = "", height: int = HEIGHT) -> go.Figure:
    """Start a figure in the house's look."""
    return go.Figure(layout=_lay_out(x_title, y_title, height))


def build_figure(traces: Sequence[Mapping[str, object]], layout: Mapping[str, object], *, height: int) -> go.Figure:
    """Build a whole figure in the house's look at once, which takes a tenth of the time of adding part by part."""
    whole = _lay_out("", "", height)
    axes = {name: whole[name] | layout.get(name, {}) for name in ("xaxis", "yaxis")}
    return go.Figure(list(traces), {**whole, **layout, **axes}, _validate=VALIDATES)


def _lay_out(x_title: str, y_title: str, height: int) -> dict[str, Any]:
    layout = {"template": TEMPLATE, "height": height, "margin": {"r": RIGHT}}
    layout["legend"] = {"font": {"size": SMALL_SIZE}}
    axes = {
        name: {"title": {"text": title, "font": {"size": FONT_SIZE}}, "tickfont": {"size": SMALL_SIZE}}
        for name, title in (("xaxis", x_title), ("yaxis", y_title))
    }
    return layout | axes


def style_series(index: int) -> SeriesStyle:
    """Give colour, dash and symbol of the series at a position; they repeat after six."""
    i = index % len(COLOURS)
    return {
        "line": {"color": COLOURS[i], "dash": DASHES[i], "width": 2.5},
        "marker": {"color": COLOURS[i], "symbol": SYMBOLS[i], "size": 8},
    }


def fill_colour(colour: str, opacity: float = BAND_OPACITY) -> str:
    """Turn a colour such as "#2F7EBB" into the translucent one of a band."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity:g})"
