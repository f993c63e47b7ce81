"""Contributions to the logit as a waterfall."""

import pandas as pd
import plotly.graph_objects as go

from core.figures.theme import LOWERS, NEUTRAL, RAISES, TINY_SIZE, new_figure
from core.figures.wording import shorten_label

ROW_HEIGHT, LOW_ROW_HEIGHT = 44, 24
ROOM, VALUES_PX = 0.06, 52


def plot_waterfall(contributions: pd.DataFrame, *, compact: bool = False) -> go.Figure:
    """Draw how the terms add up to the log-odds.

    Parameters
    ----------
    contributions : DataFrame
        Columns term, label, value, known, log_odds; first row the intercept, last row the logit
        (`core.inference.explain.tabulate_contributions`).
    compact : bool
        Short label and value on one line, in low rows.

    Returns
    -------
    Figure
        One bar a row, from the intercept at the top to the sum at the bottom.
    """
    steps = contributions["log_odds"].tolist()
    height = 50 + LOW_ROW_HEIGHT * len(steps) if compact else 90 + ROW_HEIGHT * len(steps)
    labels = contributions["label"].map(shorten_label) if compact else contributions["label"]
    between = " " if compact else "<br>"
    figure = new_figure(x_title="Log-odds" if compact else "Log-odds of high Ki-67", height=height)
    figure.add_waterfall(
        orientation="h",
        x=steps,
        y=[_label_row(*row, between) for row in zip(labels, contributions["value"], strict=True)],
        measure=["absolute", *["relative"] * (len(steps) - 2), "total"],
        text=[f"{step:+.2f}" for step in steps],
        textposition="none",
        increasing_marker={"color": RAISES},
        decreasing_marker={"color": LOWERS},
        totals_marker={"color": NEUTRAL},
        connector_line={"color": NEUTRAL, "width": 1, "dash": "dot"},
        hovertemplate="%{y}: %{text} log-odds<extra></extra>",
        showlegend=False,
    )
    low, high = _find_reach(steps)
    pad = ROOM * (high - low)
    figure.update_xaxes(range=[low - pad, high + pad], nticks=6, zeroline=True, zerolinecolor=NEUTRAL, zerolinewidth=1)
    figure.update_layout(margin_r=VALUES_PX)
    _write_values(figure, steps)
    figure.update_yaxes(autorange="reversed", ticks="", showgrid=False)
    if compact:
        figure.update_layout(font={"size": TINY_SIZE})
    return figure


def _write_values(figure: go.Figure, steps: list[float]) -> None:
    """Write the values into a column of their own, where neither bars nor the zero line are."""
    for row, step in enumerate(steps):
        last = row == len(steps) - 1
        text = f"{step:+.2f}".replace("-", "\N{MINUS SIGN}")
        words = f"<b>{text}</b>" if last else text
        figure.add_annotation(
            x=1, xref="paper", xanchor="right", xshift=VALUES_PX, y=row, yref="y", text=words, showarrow=False
        )


def describe_waterfall(contributions: pd.DataFrame) -> str:
    """Say for those who don't see it what the waterfall shows."""
    parts = [f"{row.label} {row.value} {row.log_odds:+.2f}" for row in contributions.itertuples()]
    return "Waterfall of log-odds. " + "; ".join(" ".join(part.split()) for part in parts) + "."


def _label_row(label: str, value: str, between: str) -> str:
    return f"{label}{between}<b>{value}</b>" if value else label


def _find_reach(steps: list[float]) -> tuple[float, float]:
    """Give the least and greatest value that a bar touches."""
    sums, total = [0.0], 0.0
    for step in steps[:-1]:
        total += step
        sums.append(total)
    return min(sums), max(sums)
