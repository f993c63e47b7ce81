"""The heat map over the frame: signed log-odds on one fixed scale, blue lowers, orange raises, zero is clear."""

import math
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.figures.case.frame import BOX, add_frame
from core.figures.theme import FONT_SIZE, LOWERS, RAISES, SMALL_SIZE, fill_colour, new_figure
from core.imaging import Frame, Roi
from core.inference import ViewEstimate
from core.inference.explain import spread_offset

if TYPE_CHECKING:
    import pandas as pd

OPACITY = 0.6
CONTOUR_LEVELS = 4
WEIGHS = 0.1
MARGIN, RIM = 0.12, 1e-6


def plot_heatmap(frame: Frame, roi: Roi, view: ViewEstimate, *, limit: float, height: int) -> go.Figure:
    """Draw for paper where the image raises and lowers the estimate; the viewer shows it on the screen.

    The scale is the caller's and the same for every image: weak evidence looks weak. A sign stands in each place that
    weighs, and the frame is a JPEG that is small enough for a document.

    Parameters
    ----------
    frame : Frame
        B-mode area.
    roi : Roi
        Lesion box.
    view : ViewEstimate
        The view's part of the estimate that it explains.
    limit : float
        Log-odds at the scale's ends; beyond them the colour stays the same.
    height : int
        Height in pixels.

    Returns
    -------
    Figure
        The square that the network saw, with a margin.
    """
    figure = new_figure(height=height)
    shown = _find_shown(frame, view)
    add_frame(figure, frame, shown)
    x, y = locate_cells(view)
    figure.add_heatmap(
        z=spread_offset(view),
        x=x,
        y=y,
        zmin=-limit,
        zmax=limit,
        zsmooth="best",
        opacity=OPACITY,
        colorscale=[[0, LOWERS], [0.5, fill_colour(LOWERS, 0)], [0.5, fill_colour(RAISES, 0)], [1, RAISES]],
        colorbar={
            "title": {"text": "Log-odds: − lowers, + raises", "side": "bottom", "font": {"size": FONT_SIZE}},
            "orientation": "h",
            "thickness": 14,
            "len": 0.9,
            "tickfont": {"size": SMALL_SIZE},
            "y": -0.02,
            "yanchor": "top",
            "tickvals": [-limit, -limit / 2, 0, limit / 2, limit],
            "ticktext": [f"{value:+.2f}" if value else "0" for value in (-limit, -limit / 2, 0, limit / 2, limit)],
        },
        hovertemplate="%{z:+.2f} log-odds<extra></extra>",
    )
    _add_signs(figure, view, limit)
    _show_area(figure, roi, view, shown)
    return figure


def locate_cells(view: ViewEstimate) -> tuple[list[float], list[float]]:
    """Give the centres of the heat map's columns and rows, in pixels of the frame."""
    x0, y0, x1, y1 = view.reading.area
    rows, cols = view.heatmap.shape
    return (
        [x0 + (j + 0.5) * (x1 - x0) / cols for j in range(cols)],
        [y0 + (i + 0.5) * (y1 - y0) / rows for i in range(rows)],
    )


def tabulate_heatmap(view: ViewEstimate) -> "pd.DataFrame":
    """List the heat map's cells: centre in pixels of the frame, and log-odds."""
    import pandas as pd  # noqa: PLC0415 - heavy, and no figure needs it

    x, y = locate_cells(view)
    values = spread_offset(view)
    return pd.DataFrame(
        [{"x_px": x[j], "y_px": y[i], "log_odds": float(values[i, j])} for i in range(len(y)) for j in range(len(x))]
    )


def describe_heatmap(view: ViewEstimate, limit: float) -> str:
    """Say for those who don't see it what the heat map shows."""
    m = spread_offset(view)
    return (
        f"Heat map of {m.shape[0]} by {m.shape[1]} fields over the lesion, from {m.min():+.2f} to {m.max():+.2f} "
        f"log-odds on a scale of plus and minus {limit:.2f}; mean {m.mean():+.2f}."
    )


def trace_contours(view: ViewEstimate, limit: float) -> list[tuple[float, NDArray[np.float64]]]:
    """Trace closed lines of equal log-odds; one that meets the edge of the square that the network saw follows it."""
    from contourpy import contour_generator  # noqa: PLC0415 - only where lines are asked for

    x0, y0, x1, y1 = view.reading.area
    x, y = locate_cells(view)
    beyond = RIM * (x1 - x0)  # a rim of zeros closes each line
    padded = np.pad(np.pad(spread_offset(view), 1, mode="edge"), 1)
    lines = contour_generator([x0 - beyond, x0, *x, x1, x1 + beyond], [y0 - beyond, y0, *y, y1, y1 + beyond], padded)
    step = limit / CONTOUR_LEVELS
    levels = [sign * i * step for sign in (-1, 1) for i in range(1, CONTOUR_LEVELS + 1)]
    return [(level, np.clip(np.asarray(line), (x0, y0), (x1, y1))) for level in levels for line in lines.lines(level)]


def _add_signs(figure: go.Figure, view: ViewEstimate, limit: float) -> None:
    cells = tabulate_heatmap(view)
    weight = (cells["log_odds"].abs() / limit).clip(upper=1)
    cells = cells[weight >= WEIGHS]
    figure.add_scatter(
        x=cells["x_px"],
        y=cells["y_px"],
        mode="text",
        text=["+" if value > 0 else "\u2212" for value in cells["log_odds"]],
        textfont={"size": (14 + 14 * weight[weight >= WEIGHS]).round().tolist(), "color": "#FFFFFF", "shadow": "auto"},
        hoverinfo="skip",
        showlegend=False,
    )


def _find_shown(frame: Frame, view: ViewEstimate) -> tuple[int, int, int, int]:
    """Give the square that the network saw with a margin, as far as the frame reaches: left, top, right, bottom."""
    x0, y0, x1, y1 = view.reading.area
    pad = MARGIN * (x1 - x0)
    ends = min(frame.width, math.ceil(x1 + pad)), min(frame.height, math.ceil(y1 + pad))
    return max(0, math.floor(x0 - pad)), max(0, math.floor(y0 - pad)), *ends


def _show_area(figure: go.Figure, roi: Roi, view: ViewEstimate, shown: tuple[int, int, int, int]) -> None:
    x0, y0, x1, y1 = view.reading.area
    figure.add_shape(type="rect", x0=roi.x0, y0=roi.y0, x1=roi.x1, y1=roi.y1, line={"color": BOX, "width": 2})
    figure.add_shape(type="rect", x0=x0, y0=y0, x1=x1, y1=y1, line={"color": "#FFFFFF", "width": 1, "dash": "dot"})
    figure.update_xaxes(range=[shown[0], shown[2]], visible=False, constrain="domain")
    figure.update_yaxes(range=[shown[3], shown[1]], visible=False, constrain="domain", scaleanchor="x")
