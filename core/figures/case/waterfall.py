"""Contributions to the logit as a waterfall."""

from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from core.figures.theme import LOWERS, NEUTRAL, RAISES, TINY_SIZE, new_figure
from core.figures.wording import shorten_label

if TYPE_CHECKING:
    import pandas as pd

ROW_HEIGHT = 22
ROOM, VALUES_PX = 0.06, 52


def plot_waterfall(contributions: "pd.DataFrame") -> go.Figure:
    """Draw how the terms of `tabulate_contributions` add up to the log-odds: full bars raise, hatched bars lower."""
    steps = contributions["log_odds"].tolist()
    sums = list(accumulate(steps[:-1]))
    starts, ends = [0.0, *sums[:-1], 0.0], [*sums, steps[-1]]
    signs = [NEUTRAL, *map(_choose_colour, steps[1:-1]), NEUTRAL]
    labels = contributions["label"].map(shorten_label)
    rows = [
        f"{label} <b>{_shorten(value)}</b>" if value else label
        for label, value in zip(labels, contributions["value"], strict=True)
    ]
    figure = new_figure(x_title="Log-odds of high Ki-67", height=50 + ROW_HEIGHT * len(steps))
    figure.add_bar(
        orientation="h",
        base=starts,
        x=[end - start for start, end in zip(starts, ends, strict=True)],
        y=rows,
        marker={
            "color": signs,
            "pattern": {"shape": ["/" if sign == LOWERS else "" for sign in signs], "fillmode": "overlay"},
            "line": {"width": 1, "color": signs},
        },
        text=[f"{step:+.2f}" for step in steps],
        textposition="none",
        hovertemplate="%{y}: %{text} log-odds<extra></extra>",
        showlegend=False,
    )
    figure.add_scatter(
        x=[value for end in sums for value in (end, end, None)],
        y=[row for pair in pairwise(rows) for row in (*pair, None)],
        mode="lines",
        line={"color": NEUTRAL, "width": 1, "dash": "dot"},
        hoverinfo="skip",
        showlegend=False,
    )
    low, high = min(0.0, *sums), max(0.0, *sums)
    pad = ROOM * (high - low)
    figure.update_xaxes(range=[low - pad, high + pad], nticks=6, zeroline=True, zerolinecolor=NEUTRAL, zerolinewidth=1)
    figure.update_layout(margin_r=VALUES_PX)
    _write_values(figure, steps)
    figure.update_yaxes(autorange="reversed", ticks="", showgrid=False)
    figure.update_layout(font={"size": TINY_SIZE})
    return figure


def _choose_colour(step: float) -> str:
    """Give the colour of a contribution; one that is written as 0.00 neither raises nor lowers."""
    if round(step, 2) == 0:
        return NEUTRAL
    return RAISES if step > 0 else LOWERS


def _shorten(value: str) -> str:
    """Leave out of the image's value what its row says, so that the bars keep their room."""
    return value.removeprefix("score ").replace(", mean of ", ", ")


def _write_values(figure: go.Figure, steps: list[float]) -> None:
    """Write the values into a column of their own, where neither bars nor the zero line are."""
    for row, step in enumerate(steps):
        last = row == len(steps) - 1
        text = f"{step:+.2f}".replace("-", "\N{MINUS SIGN}")
        words = f"<b>{text}</b>" if last else text
        figure.add_annotation(
            x=1, xref="paper", xanchor="right", xshift=VALUES_PX, y=row, yref="y", text=words, showarrow=False
        )


def describe_waterfall(contributions: "pd.DataFrame") -> str:
    """Say for those who don't see it what the waterfall shows."""
    parts = [f"{row.label} {row.value} {row.log_odds:+.2f}" for row in contributions.itertuples()]
    return "Waterfall of log-odds. " + "; ".join(" ".join(part.split()) for part in parts) + "."
