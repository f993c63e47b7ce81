"""A plotly figure to SVG or PNG by matplotlib, so that no browser is needed on the server.

Knows what the evaluation figures are made of: scatter traces (lines, steps, markers, text, filled bands, error bars),
bars, straight shapes and annotations on one x axis and one or two stacked y axes.
"""

import io
import re
import threading
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import plotly.graph_objects as go
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from core.figures.theme import BACKGROUND, GRID, HEIGHT, TEXT

WIDTH, DPI = 720, 72
LEFT, RIGHT, TOP, BOTTOM, LEGEND_ROW, LETTER = 80, 24, 14, 56, 22, 6.6
LEGEND_COLUMNS = 3
SETTINGS: dict[Any, Any] = {
    "svg.hashsalt": "figure",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 10.5,
}
DASHES = {
    "solid": "-",
    "dash": "--",
    "dot": ":",
    "dashdot": "-.",
    "longdash": (0, (9, 3)),
    "longdashdot": (0, (9, 3, 2, 3)),
}
MARKERS = {
    "circle": "o",
    "square": "s",
    "diamond": "D",
    "triangle-up": "^",
    "cross": "P",
    "x": "X",
    "line-ns-open": "|",
}
HATCHES = {"": "", "/": "///", "x": "xxx", ".": "...", "\\": "\\\\\\", "-": "---"}
LOCK = threading.Lock()


def render_svg(figure: go.Figure, *, width: int = WIDTH, note: str = "") -> bytes:
    """Draw a figure as SVG on white, the same bytes every time.

    Parameters
    ----------
    figure : Figure
        One of the evaluation figures.
    width : int
        Width in pixels; the height is the figure's.
    note : str
        A line under the figure: which patients, simulated or not.

    Returns
    -------
    bytes
        SVG, text as outlines.
    """
    buffer = io.BytesIO()
    with LOCK, mpl.rc_context(SETTINGS):
        _draw(figure, width, note).savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def render_png(figure: go.Figure, *, width: int = WIDTH, scale: float = 3.0, note: str = "") -> bytes:
    """Draw a figure as PNG on white.

    Parameters
    ----------
    figure : Figure
        One of the evaluation figures.
    width : int
        Width in pixels before scaling.
    scale : float
        3 gives 216 dots an inch.
    note : str
        A line under the figure: which patients, simulated or not.

    Returns
    -------
    bytes
        PNG.
    """
    buffer = io.BytesIO()
    with LOCK, mpl.rc_context(SETTINGS):
        drawn = _draw(figure, width, note)
        FigureCanvasAgg(drawn)
        drawn.savefig(buffer, format="png", dpi=DPI * scale, metadata={"Software": None})
    return buffer.getvalue()


def _draw(figure: go.Figure, width: int, note: str) -> Figure:
    named = [trace for trace in figure.data if trace.showlegend is not False and trace.name and _is_visible(trace)]
    rows = -(-len(named) // LEGEND_COLUMNS)
    height = (figure.layout.height or HEIGHT) + rows * LEGEND_ROW
    drawn = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor=BACKGROUND["light"])
    axes = _place_axes(drawn, figure, width, height, height - TOP - BOTTOM - rows * LEGEND_ROW)
    handles = []
    previous: go.Scatter | None = None
    for trace in figure.data:
        axis = axes[trace.yaxis or "y"]
        handle = _draw_bar(axis, trace) if trace.type == "bar" else _draw_scatter(axis, trace, previous)
        if trace in named and handle is not None:
            handles.append((handle, _plain(trace.name)))
        previous = trace
    _draw_shapes(figure, axes)
    for name, axis in axes.items():
        _style_axis(axis, figure, name)
    if note:
        drawn.text(8 / width, 4 / height, note, fontsize=8, color=TEXT["light"], va="bottom")
    if handles:
        drawn.legend(*zip(*handles, strict=True), loc="upper left", ncols=LEGEND_COLUMNS, frameon=False, fontsize=10)
    return drawn


def _place_axes(drawn: Figure, figure: go.Figure, width: float, height: float, room: float) -> dict[str, Axes]:
    left = _find_margin(figure)
    axes: dict[str, Axes] = {}
    for name in ("y", "y2") if any(trace.yaxis == "y2" for trace in figure.data) else ("y",):
        low, high = figure.layout[_long(name)].domain or (0.0, 1.0)
        across, up = (width - left - RIGHT) / width, (high - low) * room / height
        axes[name] = drawn.add_axes((left / width, (BOTTOM + low * room) / height, across, up))
    return axes


def _find_margin(figure: go.Figure) -> float:
    """Leave room for the longest label of the vertical axes."""
    axes = [axis for axis in figure.select_yaxes() if axis.ticktext is not None]
    longest = max((len(_plain(str(text))) for axis in axes for text in axis.ticktext), default=0)
    return max(LEFT, 24 + LETTER * longest)


def _is_visible(trace: Any) -> bool:
    return trace.type == "bar" or trace.mode != "text"


def _long(name: str) -> str:
    return "yaxis" + name[1:]


def _plain(text: str) -> str:
    return re.sub(r"<[^>]+>", "", text.replace("<br>", "\n"))


def _list(values: Any) -> Sequence[Any]:
    return [] if values is None else list(values)


def _draw_scatter(axis: Axes, trace: go.Scatter, previous: go.Scatter | None) -> Any:
    x, y, mode = _list(trace.x), _list(trace.y), trace.mode or "lines"
    if trace.fill == "toself":
        return axis.fill(x, y, color=_read_colour(trace.fillcolor), linewidth=0)[0]
    if trace.fill == "tonexty" and previous is not None:
        colour = _read_colour(trace.fillcolor)
        axis.fill_between(x, y, _list(previous.y), step="post", color=colour, linewidth=0)
        return None
    if mode == "text":
        for here, there, text in zip(x, y, _list(trace.text), strict=True):
            axis.text(here, there, text, ha="center", va="center", clip_on=False, color=TEXT["light"], fontsize=10)
        return None
    handle = None
    if "lines" in mode and trace.line.width != 0:
        style = "steps-post" if trace.line.shape == "hv" else "default"
        line = {"color": trace.line.color, "linewidth": 0.75 * (trace.line.width or 2), "drawstyle": style}
        handle = axis.plot(x, y, linestyle=DASHES[trace.line.dash or "solid"], **line)[0]
    if "markers" in mode:
        handle = _draw_markers(axis, trace, x, y)
    return handle


def _draw_markers(axis: Axes, trace: go.Scatter, x: Sequence[Any], y: Sequence[Any]) -> Any:
    for name, along in (("yerr", trace.error_y), ("xerr", trace.error_x)):
        if along.array is not None:
            reach: dict[str, Any] = {name: np.array([_list(along.arrayminus), _list(along.array)])}
            axis.errorbar(
                x, y, fmt="none", ecolor=along.color, elinewidth=along.thickness, capsize=along.width, **reach
            )
    symbols = trace.marker.symbol
    each = [symbols] * len(x) if isinstance(symbols, str) else _list(symbols)
    handle = None
    for symbol in dict.fromkeys(each):
        chosen = [i for i, own in enumerate(each) if own == symbol]
        places = [x[i] for i in chosen], [y[i] for i in chosen]
        (handle,) = axis.plot(*places, linestyle="none", marker=MARKERS[symbol], color=trace.marker.color, markersize=6)
    return handle


def _draw_bar(axis: Axes, trace: go.Bar) -> Any:
    x = [_plain(value) if isinstance(value, str) else value for value in _list(trace.x)]
    hatch = HATCHES[trace.marker.pattern.shape or ""]
    bars = axis.bar(
        x, _list(trace.y), width=trace.width or 0.8, color=trace.marker.color, hatch=hatch, edgecolor="white"
    )
    error = trace.error_y
    if error.array is not None:
        reach = np.array([_list(error.arrayminus), _list(error.array)])
        axis.errorbar(x, _list(trace.y), yerr=reach, fmt="none", ecolor=TEXT["light"], elinewidth=1.5, capsize=5)
    return bars


def _draw_shapes(figure: go.Figure, axes: dict[str, Axes]) -> None:
    for shape in figure.layout.shapes:
        style = {
            "color": shape.line.color,
            "linewidth": shape.line.width,
            "linestyle": DASHES[shape.line.dash or "solid"],
        }
        axes["y"].axvline(shape.x0, **style) if shape.x0 == shape.x1 else axes["y"].axhline(shape.y0, **style)
    for note in figure.layout.annotations:
        axes[note.yref].text(note.x, note.y, _plain(note.text), ha=note.xanchor or "center", va="center", fontsize=10)


def _style_axis(axis: Axes, figure: go.Figure, name: str) -> None:
    across, along = figure.layout.xaxis, figure.layout[_long(name)]
    axis.set_facecolor("none")
    axis.tick_params(colors=TEXT["light"], length=0 if along.ticks == "" else 3)
    for side in ("top", "right", "left", "bottom"):
        axis.spines[side].set_visible(side in {"left", "bottom"} and along.showline is not False)
        axis.spines[side].set_color(GRID["light"])
    if along.showgrid is not False:
        axis.grid(color=GRID["light"], linewidth=0.6)
        axis.set_axisbelow(True)
    if across.range:
        axis.set_xlim(*across.range)
    if across.tickvals is not None:
        axis.set_xticks(_list(across.tickvals))
    if along.range:
        axis.set_ylim(*along.range)
    if along.tickvals is not None:
        labels = along.ticktext if along.ticktext is not None else along.tickvals
        axis.set_yticks(_list(along.tickvals), [_plain(str(text)) for text in labels])
    if along.scaleanchor:
        axis.set_aspect("equal", adjustable="box", anchor="W")
    if along.tickformat == ".0%":
        axis.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axis.set_ylabel(along.title.text or "", color=TEXT["light"])
    if (across.anchor or "y") == name:
        axis.set_xlabel(across.title.text or "", color=TEXT["light"])
    else:
        axis.tick_params(labelbottom=False, length=0)


def _read_colour(text: str) -> tuple[float, ...] | str:
    """Turn "rgba(r, g, b, a)" into what matplotlib reads."""
    numbers = re.fullmatch(r"rgba\(([\d.]+), ?([\d.]+), ?([\d.]+), ?([\d.]+)\)", text or "")
    if numbers is None:
        return text
    red, green, blue, opacity = (float(number) for number in numbers.groups())
    return red / 255, green / 255, blue / 255, opacity
