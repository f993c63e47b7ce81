"""The flow of patients in boxes, as STARD draws it: from the rows read to each analysis."""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from core.evaluation import FlowResult
from core.figures.theme import COLOURS, NEUTRAL, SMALL_SIZE, new_figure
from core.figures.wording import word_count

ROW_HEIGHT = 88
LEFT, RIGHT = (0.0, 0.42), (0.5, 1.0)
HALF = 0.4
CENTRES_SHOWN = 3


def plot_flow(flow: FlowResult) -> go.Figure:
    """Draw the rows read, those refused, and the patients of each split with their analyses.

    Parameters
    ----------
    flow : FlowResult
        Counts by split.

    Returns
    -------
    Figure
        One column of boxes, what becomes of each to its right.
    """
    splits = flow.table.to_dict("records")
    figure = new_figure(height=ROW_HEIGHT * (len(splits) + 2))
    _add_box(figure, LEFT, 0, f"<b>Rows read</b><br>n = {flow.read:,}")
    _add_box(figure, RIGHT, 0, f"<b>Refused</b><br>n = {flow.refused:,}")
    _add_box(figure, LEFT, 1, f"<b>Patients evaluated</b><br>n = {flow.read - flow.refused:,}")
    _add_line(figure, (LEFT[1], 0), (RIGHT[0], 0))
    for place, split in enumerate(splits, start=2):
        _add_box(figure, LEFT, place, _write_split(split))
        _add_box(figure, RIGHT, place, _write_analyses(split))
        _add_line(figure, (LEFT[1], place), (RIGHT[0], place))
    middle = sum(LEFT) / 2
    for place in range(len(splits) + 1):
        _add_line(figure, (middle, place + HALF), (middle, place + 1 - HALF))
    bare = {"tickvals": [], "showgrid": False, "showline": False, "ticks": "", "fixedrange": True}
    figure.update_xaxes(range=[-0.01, 1.01], **bare)
    figure.update_yaxes(range=[len(splits) + 1.5, -0.5], **bare)
    return figure


def _write_split(split: Mapping[Any, Any]) -> str:
    centres = [name for name in split["centres"].split(", ") if name]
    named = f"{word_count(len(centres), 'centre')}" if len(centres) > CENTRES_SHOWN else f"centre {', '.join(centres)}"
    where = f"<br>{named}" if centres else ""
    return f"<b>{str(split['split']).capitalize()}</b>{where}<br>n = {split['n']:,}"


def _write_analyses(split: Mapping[Any, Any]) -> str:
    return (
        f"Ki-67 known {split['with_outcome']:,}, high {split['events']:,}<br>"
        f"Nodes known {split['with_nodes']:,}<br>"
        f"Followed {split['with_follow_up']:,}, {word_count(split['recurrences'], 'recurrence')}"
    )


def _add_box(figure: go.Figure, across: tuple[float, float], place: int, text: str) -> None:
    (left, right), (top, bottom) = across, (place - HALF, place + HALF)
    figure.add_scatter(
        x=[left, right, right, left, left],
        y=[top, top, bottom, bottom, top],
        mode="lines",
        line={"color": COLOURS[0], "width": 1.5},
        hoverinfo="skip",
        showlegend=False,
    )
    middle = (left + right) / 2
    figure.add_annotation(
        text=text,
        x=middle,
        y=place,
        xref="x",
        yref="y",
        xanchor="center",
        yanchor="middle",
        showarrow=False,
        font={"size": SMALL_SIZE - 1},
    )


def _add_line(figure: go.Figure, start: tuple[float, float], end: tuple[float, float]) -> None:
    figure.add_scatter(
        x=[start[0], end[0]],
        y=[start[1], end[1]],
        mode="lines",
        line={"color": NEUTRAL, "width": 1.5},
        hoverinfo="skip",
        showlegend=False,
    )
