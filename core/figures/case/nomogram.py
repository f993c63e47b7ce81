"""The nomogram with one patient's points and the reading line down to the probability."""

import math
import textwrap
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from core.figures.theme import NEUTRAL, RAISES, TINY_SIZE, new_figure
from core.figures.wording import shorten_label
from core.inference.explain import format_percent
from core.inference.points import PatientPoints, TermPoints

if TYPE_CHECKING:
    import pandas as pd

ROW_HEIGHT, LOW_ROW_HEIGHT = 46, 28
NAMES, PAD = 0.4, 0.05
LINE, LOW_LINE = 22, 27
MARK, LOW_MARK = 13, 9
TICK_PX, BESIDE_PX = 4, 6
CHARACTER, NEAR = 0.019, 0.04
STEPS = (10, 20, 25, 50, 100, 200)
Label = tuple[float, str]


@dataclass(frozen=True)
class _Sheet:
    """A figure in the making, the pixels of a row and of a patient's mark, and the points that its width holds."""

    figure: go.Figure
    row_height: int
    mark: int
    room: float


def plot_nomogram(
    patient: PatientPoints, *, compact: bool = False, row_height: int | None = None, line: int | None = None
) -> go.Figure:
    """Draw the points of each term, then total points and probability; rows are named left of the axes.

    Parameters
    ----------
    patient : PatientPoints
        A nomogram read for one patient (`core.inference.points.score_points`).
    compact : bool
        Name and value on one line, in low rows, for a place of little height.
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
    height = row_height or (LOW_ROW_HEIGHT if compact else ROW_HEIGHT)
    longest = max(max(term.tick_points) for term in patient.terms)
    figure = new_figure(height=height * n_rows)
    sheet = _Sheet(figure, height, LOW_MARK if compact else MARK, longest / (1 - NAMES))
    low = min(0.0, *(term.points for term in patient.terms))
    high = max(longest, *(term.points for term in patient.terms))
    ruler = [longest * i / 10 for i in range(11)]
    _add_grid(figure, ruler, len(patient.terms))
    notes = _add_axis(sheet, 0, "Points", [(x, f"{x:g}") for x in ruler])
    notes += _add_total(sheet, patient, n_rows - 2, longest, compact=compact)
    for row, term in enumerate(patient.terms, start=1):
        name = _name_row(term, line or (LOW_LINE if compact else LINE), compact=compact)
        ticks = list(zip(term.tick_points, term.tick_labels, strict=True))
        notes += _add_axis(sheet, row, name, ticks, keep_all=term.is_levels)
        _mark_patient(sheet, row, term)
    figure.update_xaxes(
        visible=False, range=[low - PAD * longest, high + PAD * longest], domain=[NAMES, 1], fixedrange=True
    )
    figure.update_yaxes(visible=False, range=[n_rows - 0.35, -0.35], fixedrange=True)
    # all notes at once: plotly copies those that are there at every addition
    figure.update_layout(showlegend=False, annotations=notes, margin={"t": 0, "b": 0})
    if compact:
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


def _add_axis(
    sheet: _Sheet, row: int, title: str, ticks: list[Label], *, keep_all: bool = False
) -> list[dict[str, object]]:
    """Draw a line with ticks; give the annotations of its labels and of its title, which stands left of it."""
    places, tick = [x for x, _ in ticks], TICK_PX / sheet.row_height
    line = {"color": NEUTRAL, "width": 2}
    xs = [min(places), max(places), None, *(value for x in places for value in (x, x, None))]
    ys = [row, row, None, *(value for _ in places for value in (row, row + tick, None))]
    sheet.figure.add_scatter(x=xs, y=ys, mode="lines", line=line, hoverinfo="skip")
    labels: list[dict[str, object]]
    if keep_all and (joined := join_levels(ticks, sheet.room)):
        x, text, anchor = joined
        clear = sheet.mark / 2 + BESIDE_PX
        shift = clear if anchor == "left" else -clear
        labels = [{"x": x, "y": row, "text": text, "xanchor": anchor, "yanchor": "middle", "xshift": shift}]
    else:
        below = row + sheet.mark / 2 / sheet.row_height
        labels = [
            {"x": x, "y": below, "text": text, "xanchor": anchor, "yanchor": "top"}
            for x, text, anchor in place_labels(ticks, sheet.room)
        ]
    name: dict[str, object] = {"x": 0, "xref": "paper", "y": row, "text": title, "xanchor": "left", "align": "left"}
    name |= {"yanchor": "middle"}
    return [{**note, "showarrow": False, "font": {"size": TINY_SIZE + 1}} for note in (*labels, name)]


def join_levels(ticks: list[Label], width: float) -> tuple[float, str, str] | None:
    """Give one label beside an axis too short for a label at each of its levels; None where they have room."""
    ticks = sorted(ticks)
    if all(_clears(a, b, width) for a, b in pairwise(ticks)):
        return None
    (first, _), (last, _) = ticks[0], ticks[-1]
    text = " · ".join(label for _, label in ticks if label)
    fits = last + CHARACTER * width * len(text) <= width * (1 - NAMES)
    return (last, text, "left") if fits else (first, text, "right")


def place_labels(ticks: list[Label], width: float) -> list[tuple[float, str, str]]:
    """Choose the labels that have room: both ends always, those between where they run into no other."""
    first, *between, last = sorted(ticks)
    if not _clears(first, last, width):
        return [(*first, "right"), (*last, "left")]
    kept = [first]
    for tick in between:
        if _clears(kept[-1], tick, width) and _clears(tick, last, width):
            kept.append(tick)
    return [(x, text, "center") for x, text in (*kept, last)]


def _clears(a: Label, b: Label, width: float) -> bool:
    """Whether two labels stand apart."""
    return b[0] - a[0] >= CHARACTER * width * ((len(a[1]) + len(b[1])) / 2 + 1)


def _mark_patient(sheet: _Sheet, row: int, term: TermPoints) -> None:
    """Mark the patient on an axis; hollow where the value is not known."""
    sheet.figure.add_scatter(
        x=[term.points],
        y=[row],
        mode="markers",
        marker={
            "symbol": "diamond" if term.known else "diamond-open",
            "size": sheet.mark,
            "color": RAISES,
            "line": {"width": 2, "color": RAISES},
        },
        name=term.label,
        hovertemplate=f"{term.value}: {term.points:.1f} points<extra>{term.label}</extra>",
    )


def _add_total(
    sheet: _Sheet, patient: PatientPoints, row: int, longest: float, *, compact: bool
) -> list[dict[str, object]]:
    """Draw total points and probability on a scale of their own, and the patient's line down to them.

    The scale holds the totals of probabilities from 1 to 99 %, so that these can be read, and the patient's.
    """
    nomogram = patient.nomogram
    ticks = nomogram.probability_ticks() if len(nomogram.probability_ticks()) > 1 else ()
    reached = [patient.total, *((total for _, total in ticks) if ticks else (0.0, nomogram.max_total))]
    step = next((s for s in STEPS if (max(reached) - min(reached)) / s <= 6), STEPS[-1])
    bottom, top = math.floor(min(reached) / step) * step, math.ceil(max(reached) / step) * step

    def place(total: float) -> float:
        return (total - bottom) / (top - bottom) * longest

    here = place(patient.total)  # its line would cross the label of a total close by, and the title names it
    totals = [
        (place(x), "" if abs(place(x) - here) < NEAR * longest else f"{x:g}") for x in range(bottom, top + 1, step)
    ]
    chances = [(place(total), f"{100 * p:.0f} %") for p, total in ticks] or [(0.0, ""), (longest, "")]
    title = "Probability: " if compact else "Probability of high Ki-67:<br>"
    notes = _add_axis(sheet, row, f"Total points: <b>{patient.total:.0f}</b>", totals)
    notes += _add_axis(sheet, row + 1, f"{title}<b>{format_percent(patient.probability)}</b>", chances)
    sheet.figure.add_scatter(
        x=[*(term.points for term in patient.terms), here],
        y=list(range(1, row + 1)),
        mode="lines",
        line={"color": RAISES, "width": 1.5},
        opacity=0.6,
        hoverinfo="skip",
        name="Reading line",
    )
    sheet.figure.add_scatter(
        x=[here] * 2,
        y=[row, row + 1],
        mode="lines+markers",
        line={"color": RAISES, "width": 2.5},
        marker={"symbol": "diamond", "size": sheet.mark, "color": RAISES},
        name="This patient",
        hovertemplate=f"{patient.total:.0f} points: {patient.probability:.1%}<extra></extra>",
    )
    return notes
