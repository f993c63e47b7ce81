"""A probability as 100 icons and as a mark on a scale."""

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from core.figures.theme import LOWERS, NEUTRAL, RAISES, TINY_SIZE, build_figure, fill_colour
from core.inference import Prediction
from core.inference.explain import format_percent

if TYPE_CHECKING:
    import pandas as pd

SIDE = 10
SCALE_HEIGHT = 88


def tabulate_estimate(prediction: Prediction) -> "pd.DataFrame":
    """List what the scale shows, as one row."""
    import pandas as pd  # noqa: PLC0415 - heavy, and no figure needs it

    return pd.DataFrame(
        [
            {
                "probability": prediction.probability,
                "ci_low": prediction.interval[0],
                "ci_high": prediction.interval[1],
                "threshold": prediction.threshold,
                "no_call_low": prediction.no_call[0],
                "no_call_high": prediction.no_call[1],
            }
        ]
    )


def count_icons(probability: float) -> int:
    """Give the number of 100 patients with this estimate, never 0 or 100 since no estimate is certain."""
    return min(99, max(1, round(100 * probability)))


def plot_icons(probability: float) -> go.Figure:
    """Draw 100 patients with this estimate in ten rows: full squares have a high Ki-67, hollow circles have not."""
    count = count_icons(probability)
    places = [(i % SIDE, i // SIDE) for i in range(SIDE * SIDE)]
    groups = (
        (places[:count], f"{count} with high Ki-67", "square", RAISES),
        (places[count:], f"{SIDE * SIDE - count} without", "circle-open", LOWERS),
    )
    traces = [
        {
            "type": "scatter",
            "x": [x for x, _ in spots],
            "y": [y for _, y in spots],
            "mode": "markers",
            "name": name,
            "marker": {"symbol": symbol, "color": colour, "size": 13, "line": {"width": 2, "color": colour}},
            "hoverinfo": "name",
        }
        for spots, name, symbol, colour in groups
    ]
    axis, low, high = {"visible": False, "fixedrange": True}, -0.7, SIDE - 0.3
    layout = {"xaxis": axis | {"range": [low, high]}, "yaxis": axis | {"range": [high, low]}}
    return build_figure(traces, layout, height=250)


def describe_icons(probability: float) -> str:
    """Say for those who don't see it what the icons show."""
    count = count_icons(probability)
    return f"100 icons: {count} of 100 patients with this estimate have a high Ki-67, {100 - count} have not."


def plot_probability_scale(prediction: Prediction) -> go.Figure:
    """Draw the estimate with its interval on a scale with the threshold and the indeterminate range."""
    ticks = [i / 5 for i in range(6)]
    note = {
        "x": min(max(prediction.threshold, 0.3), 0.7),
        "y": 0.75,
        "text": f"Threshold {format_percent(prediction.threshold)} (dashed); indeterminate range hatched",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": TINY_SIZE},
    }
    layout = {
        "xaxis": {
            "range": [-0.05, 1.07],
            "tickvals": ticks,
            "ticktext": [f"{100 * tick:.0f} %" for tick in ticks],
            "fixedrange": True,
        },
        "yaxis": {"visible": False, "range": [-0.8, 1.3], "fixedrange": True},
        "showlegend": False,
        "annotations": [note],
        "minreducedheight": 40,  # else plotly leaves out the ticks' labels of a figure this low
    }
    return build_figure(_draw_scale(prediction), layout, height=SCALE_HEIGHT)


def _draw_scale(prediction: Prediction) -> list[dict[str, Any]]:
    """Draw the indeterminate range, the threshold, and the estimate with its interval."""
    low, high = prediction.no_call
    below, above = prediction.probability - prediction.interval[0], prediction.interval[1] - prediction.probability
    zone = {
        "type": "scatter",
        "x": [low, high, high, low, low],
        "y": [-0.5, -0.5, 0.5, 0.5, -0.5],
        "fill": "toself",
        "mode": "lines",
        "name": "Indeterminate range",
        "line": {"color": NEUTRAL, "width": 1},
        "fillcolor": fill_colour(NEUTRAL),
        "fillpattern": {"shape": "/", "fgcolor": NEUTRAL, "size": 8, "solidity": 0.15},
        "hoverinfo": "name",
    }
    threshold = {
        "type": "scatter",
        "x": [prediction.threshold] * 2,
        "y": [-0.7, 0.7],
        "mode": "lines",
        "name": f"Threshold {format_percent(prediction.threshold)}",
        "line": {"color": NEUTRAL, "width": 2, "dash": "dash"},
        "hoverinfo": "name",
    }
    reach = {"type": "data", "symmetric": False, "array": [max(above, 0)], "arrayminus": [max(below, 0)]}
    estimate = {
        "type": "scatter",
        "x": [prediction.probability],
        "y": [0],
        "mode": "markers",
        "name": "Estimate, 95 % interval",
        "marker": {"symbol": "diamond", "size": 15, "color": RAISES},
        "error_x": reach | {"thickness": 3, "width": 9, "color": RAISES},
        "hovertemplate": "%{x:.1%}<extra></extra>",
    }
    return [zone, threshold, estimate]


def describe_scale(prediction: Prediction) -> str:
    """Say for those who don't see it what the scale shows."""
    low, high, no_low, no_high = map(format_percent, (*prediction.interval, *prediction.no_call))
    return (
        f"Scale from 0 to 100 %: estimate {format_percent(prediction.probability)}, 95 % interval {low} to {high}, "
        f"threshold {format_percent(prediction.threshold)}, indeterminate range {no_low} to {no_high}."
    )
