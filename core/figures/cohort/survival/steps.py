"""The curve of a group as steps with its band."""

import pandas as pd
import plotly.graph_objects as go

from core.figures.theme import fill_colour, style_series

BAND_OPACITY = 0.13


def add_steps(figure: go.Figure, curve: pd.DataFrame, column: str, group: str, index: int) -> None:
    """Add the steps of a group's column with its interval (shares of 1).

    The group's position gives its colour and dash.
    """
    style = style_series(index)
    band = curve.dropna(subset=["ci_low", "ci_high"])
    for limit, fill in (("ci_high", None), ("ci_low", "tonexty")):
        figure.add_scatter(
            x=band["time"],
            y=band[limit],
            mode="lines",
            line={"width": 0, "shape": "hv"},
            fill=fill,
            fillcolor=fill_colour(str(style["line"]["color"]), BAND_OPACITY),
            legendgroup=group,
            showlegend=False,
            hoverinfo="skip",
        )
    figure.add_scatter(
        x=curve["time"],
        y=curve[column],
        mode="lines",
        line={**style["line"], "shape": "hv"},
        customdata=curve[["at_risk"]],
        name=group[:1].upper() + group[1:],
        legendgroup=group,
        hovertemplate="%{x:.1f}: %{y:.1%}, %{customdata[0]} at risk<extra>" + group + "</extra>",
    )
