"""The flow of patients in boxes, as STARD draws it: from the rows read to each analysis, splits side by side."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import pandas as pd
import plotly.graph_objects as go

from core.cohort.splits import label_split
from core.evaluation import FlowResult, count_flow
from core.figures.cohort.exhibit import Exhibit, Patients
from core.figures.theme import COLOURS, NEUTRAL, TINY_SIZE, new_figure
from core.figures.wording import word_count

LINE, PAD, GAP, FORK = 16, 12, 22, 36
TRUNK, BESIDE = (0.31, 0.69), (0.75, 1.0)
TRUNK_WITH_REASONS, BESIDE_WITH_REASONS = (0.0, 0.42), (0.48, 1.0)
MOST_REASONS, REASON_CHARACTERS = 6, 30
WIDEST, BETWEEN = 0.38, 0.02
CENTRE_CHARACTERS = 56
ANALYSES = {
    "events": "Ki-67 high",
    "non_events": "Ki-67 low",
    "without_outcome": "Ki-67 unknown",
    "with_nodes": "Nodes known",
    "with_follow_up": "Followed",
    "recurrences": "Recurrences",
}
Box = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class FlowExhibit(Exhibit):
    """The rows read, those refused, and the patients of each split with their analyses."""

    result: FlowResult
    name: ClassVar[str] = "flow"
    title: ClassVar[str] = "Flow of patients"

    @classmethod
    def of(cls, patients: Patients, **_: object) -> Self:
        """Count the patients of the whole cohort."""
        reasons, further = patients.reasons, patients.further
        return cls(patients.name, count_flow(patients.whole, patients.refused, reasons=reasons, further=further))

    @property
    def kept(self) -> int:
        """Patients that are evaluated."""
        return self.result.read - self.result.refused - self.result.further

    def figure(self) -> go.Figure:
        """Draw boxes from top to bottom, a column a split; the text fits a telephone's width with four splits."""
        return _draw_flow(self.result, self.kept)

    def sentence(self) -> str:
        """Say how many rows were read, refused and kept."""
        read, refused, further = self.result.read, self.result.refused, self.result.further
        more = f", {further:,} hold further images of the same patients" if further else ""
        kept = f"{self.kept:,} patients are evaluated"
        return f"Of {read:,} rows of {self.cohort}, {refused:,} were refused{more} and {kept}."

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give a row a split, and the reasons of the refused rows."""
        counts = ("n", *ANALYSES)
        rows = [
            [label_split(row["split"]), row["centres"], *(f"{row[name]:,}" for name in counts)]
            for row in _list_splits(self.result)
        ]
        names = ["Split", "Centres", "Patients", *ANALYSES.values()]
        tables = {"Patients from the file to each analysis, by split": pd.DataFrame(rows, columns=names)}
        if self.result.reasons:
            tables["Rows refused, by reason"] = pd.DataFrame(self.result.reasons, columns=["Reason", "Rows"])
        return tables

    def record(self) -> dict[str, object]:
        """Give the counts."""
        flow = self.result
        told = {"reasons": dict(flow.reasons), "further_images": flow.further}
        return {"flow": {"read": flow.read, "refused": flow.refused, **told, "splits": flow.table}}


def _list_splits(flow: FlowResult) -> list[dict[Any, Any]]:
    """Give the counts of each split, with those that make its sums whole."""
    table = flow.table
    known = {
        "non_events": table["with_outcome"] - table["events"],
        "without_outcome": table["n"] - table["with_outcome"],
    }
    return table.assign(**known).to_dict("records")


def _draw_flow(flow: FlowResult, kept: int) -> go.Figure:
    splits = _list_splits(flow)
    heads = [_write_split(split, CENTRE_CHARACTERS // len(splits)) for split in splits]
    figure = new_figure()
    middle, low = _draw_trunk(figure, flow, kept)
    bottom = low
    for place, (split, head) in enumerate(zip(splits, heads, strict=True)):
        centre = (place + 0.5) / len(splits)
        half = min(WIDEST, 1 / len(splits) - BETWEEN) / 2
        across = (centre - half, centre + half)
        top = _add_box(figure, across, low + FORK, head)
        _add_line(figure, (middle, low), (middle, top[2] - FORK / 2), (centre, top[2] - FORK / 2), (centre, top[2]))
        counts = [line for name, label in ANALYSES.items() for line in (label, f"<b>{split[name]:,}</b>")]
        below = _add_box(figure, across, top[3] + GAP, counts)
        _add_line(figure, (centre, top[3]), (centre, below[2]))
        bottom = below[3]
    bare = {"tickvals": [], "showgrid": False, "showline": False, "ticks": "", "fixedrange": True, "automargin": False}
    figure.update_xaxes(range=[-0.005, 1.005], **bare)
    figure.update_yaxes(range=[bottom + 2, -2], **bare)
    return figure.update_layout(height=int(bottom) + 8, margin={"l": 0, "r": 0, "t": 4, "b": 4})


def _draw_trunk(figure: go.Figure, flow: FlowResult, kept: int) -> tuple[float, float]:
    """Draw the rows and, beside them, what leaves; give the middle of the trunk and its end."""
    trunk, beside = (TRUNK_WITH_REASONS, BESIDE_WITH_REASONS) if flow.reasons else (TRUNK, BESIDE)
    middle, top = sum(trunk) / 2, 0.0
    steps = [("Rows read", flow.read, ["<b>Refused</b>", f"n = {flow.refused:,}", *_write_reasons(flow)])]
    if flow.further:
        further = ["<b>Further images</b>", f"n = {flow.further:,}"]
        steps.append(("Images used", flow.read - flow.refused, further))
    for name, n, leaving in steps:
        own = _add_box(figure, trunk, top, [f"<b>{name}</b>", f"n = {n:,}"])
        left = _add_box(figure, beside, top, leaving)
        level = (own[2] + own[3]) / 2
        _add_line(figure, (own[1], level), (left[0], level))
        top = max(own[3], left[3]) + GAP
        _add_line(figure, (middle, own[3]), (middle, top))
    evaluated = _add_box(figure, trunk, top, ["<b>Patients evaluated</b>", f"n = {kept:,}"])
    return middle, evaluated[3]


def _write_reasons(flow: FlowResult) -> list[str]:
    """Write the most frequent reasons, and the rows of all others together."""
    shown, others = flow.reasons[:MOST_REASONS], flow.reasons[MOST_REASONS:]
    if len(others) == 1:
        shown, others = flow.reasons, ()
    words = [f"{count:,}: {reason}" for reason, count in shown]
    if others:
        words.append(f"{sum(count for _, count in others):,}: {len(others)} other reasons")
    return [line for text in words for line in textwrap.wrap(text, REASON_CHARACTERS)]


def _write_split(split: Mapping[Any, Any], room: int) -> list[str]:
    """Name a split, its centres as far as they fit into `room` characters, and its patients."""
    centres = [name for name in split["centres"].split(", ") if name]
    named = f"centre {', '.join(centres)}"
    where = named if len(named) <= room else word_count(len(centres), "centre")
    return [f"<b>{label_split(str(split['split']))}</b>", *([where] if centres else []), f"n = {split['n']:,}"]


def _add_box(figure: go.Figure, across: tuple[float, float], top: float, lines: Sequence[str]) -> Box:
    """Draw a box with lines of text from `top` pixels down; give left, right, top, bottom."""
    (left, right), bottom = across, top + PAD + LINE * len(lines)
    figure.add_scatter(
        x=[left, right, right, left, left],
        y=[top, top, bottom, bottom, top],
        mode="lines",
        line={"color": COLOURS[0], "width": 1.5},
        hoverinfo="skip",
        showlegend=False,
    )
    figure.add_annotation(
        text="<br>".join(lines),
        x=(left + right) / 2,
        y=(top + bottom) / 2,
        xref="x",
        yref="y",
        xanchor="center",
        yanchor="middle",
        showarrow=False,
        font={"size": TINY_SIZE},
    )
    return left, right, top, bottom


def _add_line(figure: go.Figure, *points: tuple[float, float]) -> None:
    figure.add_scatter(
        x=[x for x, _ in points],
        y=[y for _, y in points],
        mode="lines",
        line={"color": NEUTRAL, "width": 1.5},
        hoverinfo="skip",
        showlegend=False,
    )
