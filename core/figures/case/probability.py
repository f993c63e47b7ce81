"""A probability as 100 icons and as a mark on a scale."""

import pandas as pd
import plotly.graph_objects as go

from core.figures.theme import LOWERS, NEUTRAL, RAISES, fill_colour, new_figure
from core.inference import Prediction
from core.inference.explain import format_percent

SIDE = 10


def tabulate_estimate(prediction: Prediction) -> pd.DataFrame:
    """List what the scale shows, as one row."""
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
    """Give the number of 100 similar patients, never 0 or 100 since no estimate is certain."""
    return min(99, max(1, round(100 * probability)))


def plot_icons(probability: float) -> go.Figure:
    """Draw 100 similar patients: full squares have a high Ki-67, hollow circles have not.

    Parameters
    ----------
    probability : float
        Probability of high Ki-67.

    Returns
    -------
    Figure
        Ten rows of ten, filled row by row from the top left.
    """
    count = count_icons(probability)
    figure = new_figure(height=250)
    places = [(i % SIDE, i // SIDE) for i in range(SIDE * SIDE)]
    groups = (
        (places[:count], f"{count} with high Ki-67", "square", RAISES),
        (places[count:], f"{SIDE * SIDE - count} without", "circle-open", LOWERS),
    )
    for spots, name, symbol, colour in groups:
        figure.add_scatter(
            x=[x for x, _ in spots],
            y=[y for _, y in spots],
            mode="markers",
            name=name,
            marker={"symbol": symbol, "color": colour, "size": 13, "line": {"width": 2, "color": colour}},
            hoverinfo="name",
        )
    figure.update_xaxes(visible=False, range=[-0.7, SIDE - 0.3], fixedrange=True)
    figure.update_yaxes(visible=False, range=[SIDE - 0.3, -0.7], fixedrange=True)
    return figure


def describe_icons(probability: float) -> str:
    """Say for those who don't see it what the icons show."""
    count = count_icons(probability)
    return f"100 icons: {count} of 100 similar patients have a high Ki-67, {100 - count} have not."


def plot_probability_scale(prediction: Prediction) -> go.Figure:
    """Draw the estimate with its interval on a scale with the threshold and the zone of no call.

    Parameters
    ----------
    prediction : Prediction
        An estimate.

    Returns
    -------
    Figure
        A scale from 0 to 100 %.
    """
    figure = new_figure(x_title="Probability of high Ki-67", height=170)
    low, high = prediction.no_call
    figure.add_scatter(
        x=[low, high, high, low, low],
        y=[-0.5, -0.5, 0.5, 0.5, -0.5],
        fill="toself",
        mode="lines",
        name="No call",
        line={"color": NEUTRAL, "width": 1},
        fillcolor=fill_colour(NEUTRAL),
        fillpattern={"shape": "/", "fgcolor": NEUTRAL, "size": 8, "solidity": 0.15},
        hoverinfo="name",
    )
    figure.add_scatter(
        x=[prediction.threshold] * 2,
        y=[-0.5, 0.5],
        mode="lines",
        name=f"Threshold {format_percent(prediction.threshold)}",
        line={"color": NEUTRAL, "width": 2, "dash": "dash"},
        hoverinfo="name",
    )
    below, above = prediction.probability - prediction.interval[0], prediction.interval[1] - prediction.probability
    figure.add_scatter(
        x=[prediction.probability],
        y=[0],
        mode="markers",
        name="Estimate, 95 % interval",
        marker={"symbol": "diamond", "size": 15, "color": RAISES},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [max(above, 0)],
            "arrayminus": [max(below, 0)],
            "thickness": 3,
            "width": 9,
            "color": RAISES,
        },
        hovertemplate="%{x:.1%}<extra></extra>",
    )
    ticks = [i / 5 for i in range(6)]
    labels = [f"{100 * tick:.0f} %" for tick in ticks]
    figure.update_xaxes(range=[-0.05, 1.07], tickvals=ticks, ticktext=labels, fixedrange=True)
    figure.update_yaxes(visible=False, range=[-0.7, 0.7], fixedrange=True)
    return figure


def describe_scale(prediction: Prediction) -> str:
    """Say for those who don't see it what the scale shows."""
    low, high, no_low, no_high = map(format_percent, (*prediction.interval, *prediction.no_call))
    return (
        f"Scale from 0 to 100 %: estimate {format_percent(prediction.probability)}, 95 % interval {low} to {high}, "
        f"threshold {format_percent(prediction.threshold)}, zone of no call {no_low} to {no_high}."
    )
