"""How much each training patient's probability varies when the model is trained on other patients."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from core.figures.theme import COLOURS, NEUTRAL, fill_colour, new_figure

COLUMNS = ("probability", "low", "high")
SMOOTH = 15


def tabulate_instability(internal: Mapping[str, Any]) -> pd.DataFrame:
    """Give probability and 95 % range over the refits of each training patient, sorted; empty where not measured."""
    points = (internal.get("instability") or {}).get("points", [])
    return pd.DataFrame(points, columns=list(COLUMNS), dtype=float)


def plot_instability(table: pd.DataFrame) -> go.Figure:
    """Draw the range of each patient over the refits against the model's probability."""
    figure = new_figure(x_title="Probability by the model", y_title="95 % range over refits", height=420)
    diagonal = {"color": NEUTRAL, "dash": "dot", "width": 1}
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=diagonal, name="No difference", hoverinfo="skip")
    for end in ("low", "high"):
        figure.add_scatter(
            x=table["probability"],
            y=table[end],
            mode="markers",
            marker={"size": 4, "color": fill_colour(COLOURS[0])},
            name="2.5th and 97.5th percentile",
            showlegend=end == "low",
        )
        running = table[end].rolling(SMOOTH, center=True, min_periods=1).median()
        figure.add_scatter(
            x=table["probability"],
            y=running,
            mode="lines",
            line={"color": COLOURS[0], "width": 2},
            name="Running median",
            showlegend=end == "low",
        )
    figure.update_xaxes(range=[0, 1])
    return figure.update_yaxes(range=[0, 1])
