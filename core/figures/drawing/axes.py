"""Where a figure's axes lie on the canvas, and their ticks."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.figures.drawing.canvas import LINE, Canvas, measure_text
from core.figures.theme import FONT_SIZE, SMALL_SIZE

Json = Mapping[str, Any]
TICK, GAP = 5, 4
STEPS = (1, 2, 5, 10)


@dataclass(frozen=True)
class Axis:
    """One axis: its range on the canvas and its labels."""

    spec: Json  # as the figure's layout gives it
    # low, high: values at its ends; low may lie above high
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]  # value and label
    # start, end: pixels of both ends
    start: float = 0.0
    end: float = 1.0

    def place(self, value: str | float) -> float:
        """Give the pixel of a value; a label's is that of its tick."""
        if isinstance(value, str):
            value = next((place for place, label in self.ticks if label == value), math.nan)
        span = self.high - self.low or 1.0
        return self.start + (float(value) - self.low) / span * (self.end - self.start)

    @property
    def is_visible(self) -> bool:
        """Whether ticks and labels are drawn."""
        return self.spec.get("visible") is not False

    @property
    def size(self) -> float:
        """Size of the labels."""
        return float(self.spec.get("tickfont", {}).get("size", SMALL_SIZE))

    @property
    def title(self) -> str:
        """What stands along it."""
        return str((self.spec.get("title") or {}).get("text") or "")


def read_axis(spec: Json, values: Sequence[Any], room: float) -> Axis:
    """Read an axis from its layout and the values drawn on it, for a length of `room` pixels."""
    labels = list(dict.fromkeys(value for value in values if isinstance(value, str)))
    if labels:
        ends = (len(labels) - 0.5, -0.5) if spec.get("autorange") == "reversed" else (-0.5, len(labels) - 0.5)
        return Axis(spec, *ends, tuple((float(i), label) for i, label in enumerate(labels)))
    numbers = [float(v) for v in values if v is not None and math.isfinite(float(v))] or [0.0, 1.0]
    low, high = min(numbers), max(numbers)
    pad = 0.05 * (high - low or abs(high) or 1.0)
    ends = tuple(spec["range"]) if spec.get("range") is not None else (low - pad, high + pad)
    return Axis(spec, float(ends[0]), float(ends[1]), tuple(_choose_ticks(spec, min(ends), max(ends), room)))


def _choose_ticks(spec: Json, low: float, high: float, room: float) -> list[tuple[float, str]]:
    if spec.get("tickvals") is not None:
        values = [float(value) for value in spec["tickvals"]]
        texts = spec.get("ticktext")
        return list(zip(values, map(str, texts), strict=True)) if texts is not None else [(v, f"{v:g}") for v in values]
    step = float(spec.get("dtick") or 0) or _round_step((high - low) / max(2.0, room / 90))
    first = math.ceil(low / step - 1e-9)
    values = [step * i for i in range(first, math.floor(high / step + 1e-9) + 1)]
    if spec.get("tickformat") == ".0%":
        return [(value, f"{100 * value:.0f} %") for value in values]
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return [(value, f"{value + 0.0:.{digits}f}".replace("-", "\u2212")) for value in values]


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least)) if least > 0 else 1.0
    return next(power * factor for factor in STEPS if power * factor >= least * (1 - 1e-9))


def measure_side(axis: Axis) -> float:
    """Give the room that a vertical axis needs at its left."""
    if not axis.is_visible:
        return 0.0
    widest = max((measure_text(label, axis.size)[0] for _, label in axis.ticks), default=0.0)
    return widest + TICK + GAP + (LINE * FONT_SIZE + GAP if axis.title else 0.0)


def measure_foot(axis: Axis) -> float:
    """Give the room that a horizontal axis needs below it."""
    if not axis.is_visible:
        return 0.0
    highest = max((measure_text(label, axis.size)[1] for _, label in axis.ticks), default=0.0)
    return highest + TICK + GAP + (LINE * FONT_SIZE + GAP if axis.title else 0.0)


def square(across: Axis, up: Axis) -> tuple[Axis, Axis]:
    """Give both axes the same scale within their room; the plot keeps its left edge if it is constrained there."""
    wide, high = abs(across.high - across.low), abs(up.high - up.low)
    scale = min((across.end - across.start) / wide, (up.start - up.end) / high)
    spare = (across.end - across.start) - scale * wide
    left = across.start + (0.0 if across.spec.get("constraintoward") == "left" else spare / 2)
    middle = (up.start + up.end) / 2
    return (
        replace(across, start=left, end=left + scale * wide),
        replace(up, start=middle + scale * high / 2, end=middle - scale * high / 2),
    )


def draw_grid(canvas: Canvas, across: Axis, up: Axis, *, is_foot: bool) -> None:
    """Draw grid, zero line and edges behind the traces."""
    left, right, bottom, top = across.start, across.end, up.start, up.end
    grid = canvas.grid
    for axis, is_across in ((across, True), (up, False)):
        spec = axis.spec
        ends = _cross(axis, is_across, (bottom, top) if is_across else (left, right))
        if axis.is_visible and spec.get("showgrid") is not False and up.spec.get("showgrid") is not False:
            for value, _ in _list_inside(axis):
                canvas.line(ends(value), grid, 0.8)
        if spec.get("zeroline"):
            canvas.line(ends(0.0), spec.get("zerolinecolor", grid), spec.get("zerolinewidth", 1))
    if is_foot and across.is_visible and across.spec.get("showline") is not False:
        canvas.line([(left, bottom), (right, bottom)], grid, 1)
    if up.is_visible and up.spec.get("showline") is not False:
        canvas.line([(left, bottom), (left, top)], grid, 1)


def _cross(axis: Axis, is_across: bool, ends: tuple[float, float]) -> Any:
    def draw(value: float) -> list[tuple[float, float]]:
        at = axis.place(value)
        return [(at, end) if is_across else (end, at) for end in ends]

    return draw


def draw_labels(canvas: Canvas, across: Axis, up: Axis, *, is_foot: bool) -> None:
    """Write ticks, labels and titles of a vertical axis and, if it stands below, of the horizontal one."""
    left, foot = across.start, up.start
    if up.is_visible:
        for value, label in _list_inside(up):
            y = up.place(value)
            if up.spec.get("ticks") != "":
                canvas.line([(left - TICK, y), (left, y)], canvas.grid, 1)
            canvas.text(left - TICK - GAP, y, label, up.size, anchor="end")
        x, y = left - measure_side(up) + LINE * FONT_SIZE / 2, (up.start + up.end) / 2
        canvas.turned(x, y, up.title, FONT_SIZE)
    if not is_foot or not across.is_visible:
        return
    for value, label in _list_inside(across):
        x, height = across.place(value), measure_text(label, across.size)[1]
        if across.spec.get("ticks") != "":
            canvas.line([(x, foot), (x, foot + TICK)], canvas.grid, 1)
        canvas.text(x, foot + TICK + GAP / 2 + height / 2, label, across.size)
    highest = max((measure_text(label, across.size)[1] for _, label in across.ticks), default=0.0)
    y = foot + TICK + GAP + highest + LINE * FONT_SIZE / 2
    canvas.text((across.start + across.end) / 2, y, across.title, FONT_SIZE)


def _list_inside(axis: Axis) -> list[tuple[float, str]]:
    """Give the ticks that lie on the axis."""
    slack = 1e-9 * abs(axis.high - axis.low)
    low, high = min(axis.low, axis.high) - slack, max(axis.low, axis.high) + slack
    return [(value, label) for value, label in axis.ticks if low <= value <= high]
