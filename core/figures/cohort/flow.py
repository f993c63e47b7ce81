"""The flow of patients in boxes, as STARD draws it: from the rows read to each analysis, splits side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import pandas as pd
import plotly.graph_objects as go

from core.evaluation import FlowResult, count_flow
from core.figures.cohort.exhibit import Exhibit, Patients
from core.figures.theme import COLOURS, NEUTRAL, TINY_SIZE, new_figure
from core.figures.wording import word_count

LINE, PAD, GAP, FORK = 16, 12, 22, 36
TRUNK, REFUSED = (0.31, 0.69), (0.75, 1.0)
WIDEST, BETWEEN = 0.38, 0.02
CENTRE_CHARACTERS = 56
ANALYSES = {
    "with_outcome": "Ki-67 known",
    "events": "Ki-67 high",
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
    def of(cls, patients: Patients, **_: Any) -> Self:
        """Count the patients of the whole cohort."""
        return cls(patients.name, count_flow(patients.whole, refused=patients.refused))

    def figure(self) -> go.Figure:
        """Draw boxes from top to bottom, a column a split; the text fits a telephone's width with four splits."""
        return _draw_flow(self.result)

    def sentence(self) -> str:
        """Say how many rows were read, refused and kept."""
        read, refused = self.result.read, self.result.refused
        kept = f"{read - refused:,} patients are evaluated"
        return f"Of {read:,} rows of {self.cohort}, {refused:,} were refused and {kept}."

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give a row a split."""
        counts = ("n", *ANALYSES)
        rows = [
            [row["split"].capitalize(), row["centres"], *(f"{row[name]:,}" for name in counts)]
            for row in self.result.table.to_dict("records")
        ]
        names = ["Split", "Centres", "Patients", *ANALYSES.values()]
        return {"Patients from the file to each analysis, by split": pd.DataFrame(rows, columns=names)}

    def record(self) -> dict[str, Any]:
        """Give the counts."""
        return {"flow": {"read": self.result.read, "refused": self.result.refused, "splits": self.result.table}}


def _draw_flow(flow: FlowResult) -> go.Figure:
    splits = flow.table.to_dict("records")
    heads = [_write_split(split, CENTRE_CHARACTERS // len(splits)) for split in splits]
    figure = new_figure()
    read = _add_box(figure, TRUNK, 0, ["<b>Rows read</b>", f"n = {flow.read:,}"])
    refused = _add_box(figure, REFUSED, 0, ["<b>Refused</b>", f"n = {flow.refused:,}"])
    kept = flow.read - flow.refused
    evaluated = _add_box(figure, TRUNK, read[3] + GAP, ["<b>Patients evaluated</b>", f"n = {kept:,}"])
    level = (read[2] + read[3]) / 2
    _add_line(figure, (read[1], level), (refused[0], level))
    _add_line(figure, (0.5, read[3]), (0.5, evaluated[2]))
    bottom = evaluated[3]
    for place, (split, head) in enumerate(zip(splits, heads, strict=True)):
        middle = (place + 0.5) / len(splits)
        half = min(WIDEST, 1 / len(splits) - BETWEEN) / 2
        across = (middle - half, middle + half)
        top = _add_box(figure, across, evaluated[3] + FORK, head)
        _add_line(figure, (0.5, evaluated[3]), (0.5, top[2] - FORK / 2), (middle, top[2] - FORK / 2), (middle, top[2]))
        counts = [line for name, label in ANALYSES.items() for line in (label, f"<b>{split[name]:,}</b>")]
        below = _add_box(figure, across, top[3] + GAP, counts)
        _add_line(figure, (middle, top[3]), (middle, below[2]))
        bottom = below[3]
    bare = {"tickvals": [], "showgrid": False, "showline": False, "ticks": "", "fixedrange": True, "automargin": False}
    figure.update_xaxes(range=[-0.005, 1.005], **bare)
    figure.update_yaxes(range=[bottom + 2, -2], **bare)
    return figure.update_layout(height=int(bottom) + 8, margin={"l": 0, "r": 0, "t": 4, "b": 4})


def _write_split(split: Mapping[Any, Any], room: int) -> list[str]:
    """Name a split, its centres as far as they fit into `room` characters, and its patients."""
    centres = [name for name in split["centres"].split(", ") if name]
    named = f"centre {', '.join(centres)}"
    where = named if len(named) <= room else word_count(len(centres), "centre")
    return [f"<b>{str(split['split']).capitalize()}</b>", *([where] if centres else []), f"n = {split['n']:,}"]


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
