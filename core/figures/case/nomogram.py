"""The nomogram with one patient's points and the reading line down to the probability."""

import textwrap
from itertools import pairwise
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from core.figures.theme import NEUTRAL, RAISES, TINY_SIZE, new_figure
from core.figures.wording import shorten_label
from core.inference.explain import format_percent
from core.inference.points import PatientPoints, TermPoints

if TYPE_CHECKING:
    import pandas as pd

ROW_HEIGHT, LOW_ROW_HEIGHT = 46, 25
NAMES, PAD = 0.4, 0.05
LINE, LOW_LINE = 22, 34
TICK = 0.09
CHARACTER = 0.019


def plot_nomogram(
    patient: PatientPoints, *, compact: bool = False, row_height: int | None = None, line: int | None = None
) -> go.Figure:
    """Draw the points of each term, then total points and probability; rows are named left of wide axes.

    Parameters
    ----------
    patient : PatientPoints
        A nomogram read for one patient (`core.inference.points.score_points`).
    compact : bool
        Name and value on one line, in low rows, for a wide place of little height.
    row_height : int, optional
        Pixels of a row.
    line : int, optional
        Characters that a line of a name takes.

    Returns
    -------
    Figure
        Rows from the points' ruler at the top to the probability at the bottom.
    """
    n_rows = len(patient.terms) + 3
    figure = new_figure(height=(row_height or (LOW_ROW_HEIGHT if compact else ROW_HEIGHT)) * n_rows + 20)
    longest = max(max(term.tick_points) for term in patient.terms)
    room = longest / (1 - NAMES)
    low = min(0.0, *(term.points for term in patient.terms))
    high = max(longest, *(term.points for term in patient.terms))
    ruler = [longest * i / 10 for i in range(11)]
    _add_grid(figure, ruler, len(patient.terms))
    notes = _add_axis(figure, 0, "Points", [(x, f"{x:g}") for x in ruler], room)
    _add_reading_line(figure, patient)
    for row, term in enumerate(patient.terms, start=1):
        ticks = list(zip(term.tick_points, term.tick_labels, strict=True))
        name = _name_row(term, line or (LOW_LINE if compact else LINE), compact=compact)
        notes += _add_axis(figure, row, name, ticks, room, keep_all=term.is_levels)
        _mark_patient(figure, row, term)
    notes += _add_total(figure, patient, n_rows - 2, longest)
    figure.update_xaxes(
        visible=False, range=[low - PAD * longest, high + PAD * longest], domain=[NAMES, 1], fixedrange=True
    )
    figure.update_yaxes(visible=False, range=[n_rows - 0.4, -0.6], fixedrange=True)
    figure.update_layout(showlegend=False, annotations=notes)  # at once: plotly copies all of them at every addition
    if compact:
        figure.update_traces(marker_size=10, selector={"mode": "markers"})
        figure.update_annotations(font_size=TINY_SIZE)
    return figure


def describe_nomogram(patient: PatientPoints) -> str:
    """Say for those who don't see it what the nomogram shows."""
    parts = "; ".join(f"{term.label} {term.value}, {_count(term.points)}" for term in patient.terms)
    return f"Nomogram. {parts}. Total {_count(patient.total)}, read as {format_percent(patient.probability)}."


def tabulate_points(patient: PatientPoints) -> "pd.DataFrame":
    """List the patient's points: term, label, value, known, points; the last row is the total."""
    import pandas as pd  # noqa: PLC0415 - heavy, and no figure needs it

    rows = [(t.name, t.label, t.value, t.known, t.points) for t in patient.terms]
    total = ("total", "Total points", f"{patient.probability:.6f}", True, patient.total)
    return pd.DataFrame([*rows, total], columns=["term", "label", "value", "known", "points"])


def _count(points: float) -> str:
    return f"{points:.0f} point" + ("" if f"{points:.0f}" == "1" else "s")


def _name_row(term: TermPoints, line: int, *, compact: bool) -> str:
    if compact:
        name = shorten_label(term.label)
        return f"{name}{': ' if len(name) + len(term.value) < line else ':<br>'}<b>{term.value}</b>"
    unit = f" ({term.unit})" if term.unit and (term.name == "image" or not term.known) else ""
    name = "<br>".join(textwrap.wrap(term.label + unit, line))
    return f"{name}<br><b>{term.value}</b>, {_count(term.points)}"


def _add_grid(figure: go.Figure, ruler: list[float], n_terms: int) -> None:
    """Draw faint lines from the points' ruler down through all terms, to read points off any axis."""
    xs = [value for x in ruler for value in (x, x, None)]
    ys = [value for _ in ruler for value in (0, n_terms, None)]
    line = {"color": NEUTRAL, "width": 1, "dash": "dot"}
    figure.add_scatter(x=xs, y=ys, mode="lines", line=line, opacity=0.35, hoverinfo="skip")


def _add_reading_line(figure: go.Figure, patient: PatientPoints) -> None:
    """Draw the patient's line from axis to axis."""
    figure.add_scatter(
        x=[term.points for term in patient.terms],
        y=list(range(1, len(patient.terms) + 1)),
        mode="lines",
        line={"color": RAISES, "width": 1.5},
        opacity=0.6,
        hoverinfo="skip",
        name="Reading line",
    )


def _add_axis(
    figure: go.Figure,
    row: int,
    title: str,
    ticks: list[tuple[float, str]],
    width: float,
    *,
    keep_all: bool = False,
) -> list[dict[str, object]]:
    """Draw a line with ticks; give the annotations that label them below it, and its title left of it."""
    places = [x for x, _ in ticks]
    line = {"color": NEUTRAL, "width": 2}
    xs = [min(places), max(places), None, *(value for x in places for value in (x, x, None))]
    ys = [row, row, None, *(value for _ in places for value in (row, row + TICK, None))]
    figure.add_scatter(x=xs, y=ys, mode="lines", line=line, hoverinfo="skip")
    labels: list[dict[str, object]] = [
        {"x": x, "y": row + TICK, "text": text, "xanchor": anchor, "yanchor": "top", "font": {"size": 12}}
        for x, text, anchor in place_labels(ticks, width, keep_all=keep_all)
    ]
    name: dict[str, object] = {"x": 0, "xref": "paper", "y": row, "text": title, "xanchor": "left", "align": "left"}
    name |= {"yanchor": "middle", "font": {"size": TINY_SIZE + 1}}
    return [{**note, "showarrow": False} for note in (*labels, name)]


def place_labels(
    ticks: list[tuple[float, str]], width: float, *, keep_all: bool = False
) -> list[tuple[float, str, str]]:
    """Choose the labels that have room: both ends always, those between where they run into no other."""
    ticks = sorted(ticks)
    first, *between, last = ticks

    def clears(a: tuple[float, str], b: tuple[float, str]) -> bool:
        return b[0] - a[0] >= CHARACTER * width * ((len(a[1]) + len(b[1])) / 2 + 1)

    if keep_all and not all(clears(a, b) for a, b in pairwise(ticks)):
        text = " · ".join(label for _, label in ticks)
        fits = first[0] + CHARACTER * width * len(text) <= width
        return [(first[0], text, "left") if fits else (last[0], text, "right")]
    if not clears(first, last):
        return [(*first, "right"), (*last, "left")]
    kept = [first]
    for tick in between:
        if clears(kept[-1], tick) and clears(tick, last):
            kept.append(tick)
    return [(x, text, "center") for x, text in (*kept, last)]


def _mark_patient(figure: go.Figure, row: int, term: TermPoints) -> None:
    """Mark the patient on an axis; hollow where the value is not known."""
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


def _add_total(figure: go.Figure, patient: PatientPoints, row: int, longest: float) -> list[dict[str, object]]:
    """Draw total points and probability on a scale of their own, and the line between them; give their annotations."""
    nomogram = patient.nomogram
    top = max(nomogram.max_total, patient.total)
    bottom = min(0.0, patient.total)

    def place(total: float) -> float:
        return (total - bottom) / (top - bottom) * longest

    step = next(s for s in (10, 20, 25, 50, 100, 200) if top / s <= 8 or s == 200)
    totals = [float(t) for t in range(0, int(top) + 1, step)]
    marks = [(place(t), f"{t:g}") for t in totals]
    room = longest / (1 - NAMES)
    notes = _add_axis(figure, row, f"Total points: <b>{patient.total:.0f}</b>", marks, room)
    ticks = [(place(total), f"{100 * p:.0f} %") for p, total in nomogram.probability_ticks()]
    title = f"Probability of high Ki-67:<br><b>{format_percent(patient.probability)}</b>"
    ends = [(0.0, ""), (longest, "")]
    notes += _add_axis(figure, row + 1, title, ticks if len(ticks) > 1 else ends, room)
    figure.add_scatter(
        x=[place(patient.total)] * 2,
        y=[row, row + 1],
        mode="lines+markers",
        line={"color": RAISES, "width": 2.5},
        marker={"symbol": "diamond", "size": 13, "color": RAISES},
        name="This patient",
        hovertemplate=f"{patient.total:.0f} points: {patient.probability:.1%}<extra></extra>",
    )
    return notes
