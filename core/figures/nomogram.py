"""The nomogram with one patient's points and the reading line down to the probability."""

import pandas as pd
import plotly.graph_objects as go

from core.figures.theme import NEUTRAL, RAISES, new_figure
from core.inference.points import PatientPoints, TermPoints

ROW_HEIGHT = 62
TICK = 0.09


def plot_nomogram(patient: PatientPoints) -> go.Figure:
    """Draw the points of each term, then total points and probability.

    Each row is named above its line, so that the figure fits a narrow screen. The total's line is drawn over the full
    width: its scale is its own.

    Parameters
    ----------
    patient : PatientPoints
        A nomogram read for one patient (`core.inference.points.score_points`).

    Returns
    -------
    Figure
        Rows from the points' ruler at the top to the probability at the bottom.
    """
    n_rows = len(patient.terms) + 3
    figure = new_figure(height=ROW_HEIGHT * n_rows + 20)
    longest = max(max(term.tick_points) for term in patient.terms)
    low = min(0.0, *(term.points for term in patient.terms))
    high = max(longest, *(term.points for term in patient.terms))
    _add_axis(figure, 0, "Points", [(x, f"{x:g}") for x in _ruler(longest)])
    for row, term in enumerate(patient.terms, start=1):
        _add_axis(figure, row, _name_row(term), list(zip(term.tick_points, term.tick_labels, strict=True)))
        _add_reading(figure, row, term)
    _add_total(figure, patient, n_rows - 2, longest)
    pad = 0.05 * (high - low)
    figure.update_xaxes(visible=False, range=[low - pad, high + pad], fixedrange=True)
    figure.update_yaxes(visible=False, range=[n_rows - 0.4, -0.6], fixedrange=True)
    figure.update_layout(showlegend=False)
    return figure


def describe_nomogram(patient: PatientPoints) -> str:
    """Say for those who don't see it what the nomogram shows."""
    parts = "; ".join(f"{term.label} {term.value}, {term.points:.0f} points" for term in patient.terms)
    return f"Nomogram. {parts}. Total {patient.total:.0f} points, read as a probability of {patient.probability:.0%}."


def tabulate_points(patient: PatientPoints) -> pd.DataFrame:
    """List the patient's points: term, label, value, known, points; the last row is the total."""
    rows = [(t.name, t.label, t.value, t.known, t.points) for t in patient.terms]
    total = ("total", "Total points", f"{patient.probability:.6f}", True, patient.total)
    return pd.DataFrame([*rows, total], columns=["term", "label", "value", "known", "points"])


def _ruler(longest: float) -> list[float]:
    return [longest * i / 10 for i in range(11)]


def _name_row(term: TermPoints) -> str:
    unit = f" ({term.unit})" if term.unit else ""
    return f"{term.label}{unit}: <b>{term.value}</b>, {term.points:.0f} points"


def _add_axis(figure: go.Figure, row: int, title: str, ticks: list[tuple[float, str]]) -> None:
    """Draw a line with ticks, labels below it and its title above it."""
    places = [x for x, _ in ticks]
    figure.add_scatter(
        x=[min(places), max(places)], y=[row, row], mode="lines", line={"color": NEUTRAL, "width": 2}, hoverinfo="skip"
    )
    marks = [value for x in places for value in (x, x, None)]
    heights = [value for _ in places for value in (row, row + TICK, None)]
    figure.add_scatter(x=marks, y=heights, mode="lines", line={"color": NEUTRAL, "width": 1.5}, hoverinfo="skip")
    for x, text in _thin(ticks):
        figure.add_annotation(x=x, y=row + TICK, text=text, showarrow=False, yanchor="top", font={"size": 12})
    figure.add_annotation(
        x=0,
        xref="paper",
        y=row - 0.08,
        text=title,
        showarrow=False,
        xanchor="left",
        yanchor="bottom",
        font={"size": 13},
    )


def _thin(ticks: list[tuple[float, str]], room: float = 0.075) -> list[tuple[float, str]]:
    """Leave out labels that would run into the one before; both ends stay."""
    ordered = sorted(ticks)
    span = max((x for x, _ in ordered), default=0) or 1
    kept = ordered[:1]
    for x, text in ordered[1:-1]:
        if x - kept[-1][0] >= room * span and ordered[-1][0] - x >= room * span:
            kept.append((x, text))
    return kept + ordered[-1:]


def _add_reading(figure: go.Figure, row: int, term: TermPoints) -> None:
    """Mark the patient on an axis, and draw the line up to the points' ruler."""
    figure.add_scatter(
        x=[term.points] * 2,
        y=[0, row],
        mode="lines",
        line={"color": RAISES, "width": 1, "dash": "dot"},
        opacity=0.5,
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=[term.points],
        y=[row],
        mode="markers",
        marker={
            "symbol": "diamond" if term.known else "diamond-open",
            "size": 13,
            "color": RAISES,
            "line": {"width": 2, "color": RAISES},
        },
        name=term.label,
        hovertemplate=f"{term.value}: {term.points:.1f} points<extra>{term.label}</extra>",
    )


def _add_total(figure: go.Figure, patient: PatientPoints, row: int, longest: float) -> None:
    """Draw total points and probability on a scale of their own, and the line from one to the other."""
    nomogram = patient.nomogram
    top = max(nomogram.max_total, patient.total)
    bottom = min(0.0, patient.total)

    def place(total: float) -> float:
        return (total - bottom) / (top - bottom) * longest

    step = next(s for s in (10, 20, 25, 50, 100, 200) if top / s <= 8 or s == 200)
    totals = [float(t) for t in range(0, int(top) + 1, step)]
    _add_axis(figure, row, f"Total points: <b>{patient.total:.0f}</b>", [(place(t), f"{t:g}") for t in totals])
    ticks = [(place(total), f"{p:.0%}") for p, total in nomogram.probability_ticks()]
    title = f"Probability of high Ki-67: <b>{patient.probability:.0%}</b>"
    _add_axis(figure, row + 1, title, ticks or [(0.0, ""), (longest, "")])
    figure.add_scatter(
        x=[place(patient.total)] * 2,
        y=[row, row + 1],
        mode="lines+markers",
        line={"color": RAISES, "width": 2.5},
        marker={"symbol": "diamond", "size": 13, "color": RAISES},
        name="This patient",
        hovertemplate=f"{patient.total:.0f} points: {patient.probability:.1%}<extra></extra>",
    )
