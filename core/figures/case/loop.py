"""The score of a loop over its frames, and which of them pass the checks of quality."""

from typing import TYPE_CHECKING

import plotly.graph_objects as go

from core.figures.theme import LOWERS, NEUTRAL, RAISES, TINY_SIZE, new_figure
from core.inference.loop import LoopReading

if TYPE_CHECKING:
    import pandas as pd

HEIGHT = 190


def tabulate_loop(loop: LoopReading) -> "pd.DataFrame":
    """List a loop's frames."""
    import pandas as pd  # noqa: PLC0415 - heavy, and no picture needs it

    rows = [
        (one.index + 1, one.score, not one.fault, one.fault, one.roi.x0, one.roi.y0, one.roi.x1, one.roi.y1)
        for one in loop.frames
    ]
    return pd.DataFrame(rows, columns=["frame", "score", "passes", "fault", "x0", "y0", "x1", "y1"])


def plot_loop(loop: LoopReading, shown: int) -> go.Figure:
    """Draw the image score over the frames: dots where quality passes, crosses where not, a line at the frame shown."""
    table = tabulate_loop(loop)
    figure = new_figure(x_title="Frame", y_title="Image score", height=HEIGHT)
    figure.add_scatter(
        x=table["frame"],
        y=table["score"],
        mode="lines+markers",
        line={"color": NEUTRAL, "width": 1},
        marker={
            "color": [LOWERS if passes else RAISES for passes in table["passes"]],
            "symbol": ["circle" if passes else "x" for passes in table["passes"]],
            "size": 6,
        },
        customdata=[fault or "quality passes" for fault in table["fault"]],
        hovertemplate="Frame %{x}: %{y:+.2f}<br>%{customdata}<extra></extra>",
        unselected={"marker": {"opacity": 1}},
        showlegend=False,
    )
    figure.add_vline(x=shown + 1, line={"color": NEUTRAL, "width": 2, "dash": "dash"})
    figure.update_layout(font={"size": TINY_SIZE})
    return figure


def describe_loop(loop: LoopReading) -> str:
    """Say what the curve shows: how many frames, how many pass, and how far their scores lie apart."""
    scores = [frame.score for frame in loop.frames]
    passing = f"{len(loop.passing)} pass the checks of quality, with a standard deviation of {loop.spread:.2f}"
    if len(loop.passing) < 2:
        passing = f"{'one passes' if loop.passing else 'none passes'} the checks of quality"
    return f"Image score over {len(scores)} frames, from {min(scores):+.2f} to {max(scores):+.2f}; {passing}."
