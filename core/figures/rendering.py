"""A plotly figure to SVG or PNG, so that no browser is needed on the server: one drawing for page, file and document.

Knows what the house's figures are made of: scatter traces (lines, steps, markers, text, bands, error bars), bars, a
heat map over a picture, straight shapes and annotations on one x axis and one or two stacked y axes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from core.figures.drawing.axes import (
    Axis,
    Json,
    draw_grid,
    draw_labels,
    measure_foot,
    measure_side,
    read_axis,
    square,
)
from core.figures.drawing.canvas import Anchor, Canvas
from core.figures.drawing.traces import draw_key, draw_trace, measure_key, read_list
from core.figures.theme import FONT_SIZE, HEIGHT, NEUTRAL, SMALL_SIZE, TINY_SIZE, Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import typst

WIDTH, DPI = 720, 72
EDGE, LEGEND_ROW, NOTE_ROW, COLOURBAR = 12.0, 20.0, 20.0, 56.0
ANCHORS: dict[str, Anchor] = {"left": "start", "right": "end", "center": "middle"}
PAGE = '#set page(width: {width}pt, height: {height}pt, margin: 0pt)\n#image("figure.svg", width: {width}pt)'


@dataclass(frozen=True)
class Sheet:
    """A figure's traces and axes laid out on a canvas."""

    canvas: Canvas
    traces: list[Json]
    layout: Json
    across: Axis
    ups: dict[str, Axis]
    left: float
    right: float


@dataclass(frozen=True, eq=False)
class Drawing:
    """A figure for documents, laid out for a width, with what it shows in words."""

    figure: "go.Figure" = field(repr=False)  # what is drawn
    width: int  # pixels that it is laid out for
    # alt, caption: what it shows for those who don't see it, and the line below it
    alt: str
    caption: str = ""
    media_type: ClassVar[str] = "image/svg+xml"

    @property
    def height(self) -> int:
        """Pixels, without a legend."""
        return int(self.figure.layout.height or HEIGHT)

    def render(self, *, outlined: bool) -> bytes:
        """Give SVG, its letters as outlines or as text for a typesetter."""
        return render_svg(self.figure, width=self.width, outlined=outlined)


def render_svg(
    figure: "go.Figure", *, width: float = WIDTH, note: str = "", outlined: bool = True, theme: Theme = "light"
) -> bytes:
    """Draw a figure as SVG, the same bytes every time; width in pixels, as high as the figure and its legend.

    A note under it says which patients, simulated or not. Letters are outlines, the same everywhere, or text for a
    typesetter that has the house's font. The theme is that of the page; a document's is light.
    """
    traces = [trace.to_plotly_json() for trace in figure.data]
    layout = figure.layout.to_plotly_json()
    legend = _list_legend(traces, layout, width)
    own = float(layout.get("height") or HEIGHT)
    total = own + LEGEND_ROW * len(legend) + (NOTE_ROW if note else 0)
    canvas = Canvas(width, total, outlined=outlined, theme=theme)
    top = LEGEND_ROW * len(legend)
    sheet = _lay_out(canvas, traces, layout, (width, top, top + own))
    _draw_back(sheet)
    for number, trace in enumerate(traces):
        _draw_trace(sheet, trace, traces[number - 1] if number else None)
    _draw_front(sheet, next(iter(sheet.ups.values())))
    for row, entries in enumerate(legend):
        x = EDGE if sheet.left < 2 * EDGE else sheet.left
        for entry in entries:
            x += draw_key(canvas, entry, x, LEGEND_ROW * (row + 0.5))
    if note:
        canvas.text(EDGE, total - NOTE_ROW / 2, note, TINY_SIZE, anchor="start")
    return canvas.finish()


def render_png(figure: "go.Figure", *, width: float = WIDTH, scale: float = 3.0, note: str = "") -> bytes:
    """Draw a figure as PNG on white; a scale of 3 gives 216 dots an inch."""
    import typst  # noqa: PLC0415 - only where a PNG is made

    svg = render_svg(figure, width=width, note=note)
    height = float(svg.split(b'height="', 1)[1].split(b'"', 1)[0])
    sources = {"main.typ": PAGE.format(width=width, height=height).encode(), "figure.svg": svg}
    compiler = typst.Compiler(sources, font_paths=_find_no_fonts())  # type: ignore[type-var]
    return bytes(compiler.compile(format="png", ppi=DPI * scale))  # type: ignore[arg-type]


@cache
def _find_no_fonts() -> "typst.Fonts":
    """Letters are outlines already."""
    import typst  # noqa: PLC0415 - only where a PNG is made

    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False)


def _list_legend(traces: Sequence[Json], layout: Json, width: float) -> list[list[Json]]:
    """Give the rows of the legend."""
    named = [t for t in traces if t.get("showlegend") is not False and t.get("name") and t.get("mode") != "text"]
    if layout.get("showlegend") is False:
        return []
    rows: list[list[Json]] = []
    room = 0.0
    for trace in named:
        needed = measure_key(trace)
        if not rows or needed > room:
            rows.append([])
            room = width - 6 * EDGE
        rows[-1].append(trace)
        room -= needed
    return rows


def _lay_out(canvas: Canvas, traces: list[Json], layout: Json, size: tuple[float, float, float]) -> Sheet:
    """Place the axes: `size` is the width, and the upper and lower end of what the legend leaves."""
    width, top, bottom = size
    names = ("y", "y2") if any(trace.get("yaxis") == "y2" for trace in traces) else ("y",)
    specs = {name: layout.get("yaxis" + name[1:]) or {} for name in names}
    across = read_axis(layout.get("xaxis") or {}, _gather(traces, "x"), width)
    parts = {name: [t for t in traces if (t.get("yaxis") or "y") == name] for name in names}
    ups = {name: read_axis(spec, _gather(parts[name], "y"), bottom - top) for name, spec in specs.items()}
    margin = layout.get("margin") or {}
    left = max(
        EDGE if margin.get("l") is None else margin["l"], *(measure_side(axis) + EDGE / 2 for axis in ups.values())
    )
    foot = measure_foot(across) + (COLOURBAR if any(t.get("type") == "heatmap" for t in traces) else 0)
    pad = EDGE / 2 if margin.get("t") is None else margin["t"]
    right = width - (EDGE if margin.get("r") is None else margin["r"])
    low, high = bottom - max(foot, margin.get("b", EDGE / 2)), top + pad
    span = across.spec.get("domain") or (0, 1)
    across = replace(across, start=left + span[0] * (right - left), end=left + span[1] * (right - left))
    for name, axis in ups.items():
        part = axis.spec.get("domain") or (0, 1)
        ups[name] = replace(axis, start=low + part[0] * (high - low), end=low + part[1] * (high - low))
    if ups["y"].spec.get("scaleanchor"):
        across, ups["y"] = square(across, ups["y"])
    return Sheet(canvas, traces, layout, across, ups, left, right)


def _gather(traces: Sequence[Json], name: str) -> list[object]:
    """Give all values along an axis, those that bars begin and intervals end at among them."""
    values: list[object] = []
    for trace in traces:
        own = read_list(trace.get(name))
        values += own
        lying = trace.get("orientation") == "h"
        if trace.get("type") == "bar" and name == ("x" if lying else "y"):
            bases = read_list(trace.get("base")) or [0] * len(own)
            values += [*bases, *(base + length for base, length in zip(bases, own, strict=True))]
        error = trace.get(f"error_{name}") or {}
        if error.get("array") is not None and not any(isinstance(value, str) for value in own):
            values += [v + e for v, e in zip(own, read_list(error["array"]), strict=True) if v is not None]
    return values


def _draw_trace(sheet: Sheet, trace: Json, before: Json | None) -> None:
    across, up = sheet.across, sheet.ups[trace.get("yaxis") or "y"]
    clips = trace.get("cliponaxis") is not False
    if clips:
        low, high = sorted((up.start, up.end))
        sheet.canvas.clip(across.start - 1, low - 1, across.end - across.start + 2, high - low + 2)
    draw_trace(sheet.canvas, trace, across, up, before)
    if clips:
        sheet.canvas.end()


def _draw_back(sheet: Sheet) -> None:
    for name, axis in sheet.ups.items():
        draw_grid(sheet.canvas, sheet.across, axis, is_foot=_stands_on(sheet.across, name))
    for picture in sheet.layout.get("images") or ():
        up = sheet.ups["y"]
        left, top = sheet.across.place(picture["x"]), up.place(picture["y"])
        right, bottom = (
            sheet.across.place(picture["x"] + picture["sizex"]),
            up.place(picture["y"] + picture["sizey"]),
        )
        x0, x1, y0, y1 = sheet.across.start, sheet.across.end, *sorted((up.start, up.end))
        sheet.canvas.clip(x0, y0, x1 - x0, y1 - y0)
        sheet.canvas.picture(picture["source"], left, top, right - left, bottom - top)
        sheet.canvas.end()


def _draw_front(sheet: Sheet, first: Axis) -> None:
    canvas, across = sheet.canvas, sheet.across
    for shape in sheet.layout.get("shapes") or ():
        _draw_shape(canvas, shape, across, first)
    for name, axis in sheet.ups.items():
        draw_labels(canvas, across, axis, is_foot=_stands_on(across, name))
    for note in sheet.layout.get("annotations") or ():
        up = sheet.ups.get(str(note.get("yref") or "y").split()[0], first)
        x = sheet.left + note["x"] * (sheet.right - sheet.left)
        x = (x if note.get("xref") == "paper" else across.place(note["x"])) + note.get("xshift", 0)
        size = (note.get("font") or {}).get("size", (sheet.layout.get("font") or {}).get("size", FONT_SIZE))
        lines = str(note["text"]).count("<br>") + 1
        rise = {"top": 0.5, "bottom": -0.5}.get(note.get("yanchor") or "middle", 0.0) * 1.25 * size * lines
        anchor = ANCHORS[note.get("xanchor") or "center"]
        canvas.text(x, up.place(note["y"]) + rise, str(note["text"]), size, anchor=anchor)
    for trace in sheet.traces:
        if trace.get("type") == "heatmap":
            _draw_scale(canvas, trace, across, first.start + EDGE)


def _stands_on(across: Axis, name: str) -> bool:
    """Whether the horizontal axis stands below a vertical one."""
    return bool((across.spec.get("anchor") or "y") == name)


def _draw_shape(canvas: Canvas, shape: Json, across: Axis, up: Axis) -> None:
    line = shape.get("line") or {}
    is_box = shape.get("type") == "rect"
    x0, x1 = across.place(shape["x0"]), across.place(shape["x1"])
    if str(shape.get("yref", "y")).endswith("domain"):
        y0, y1 = up.start, up.end
    else:
        y0, y1 = up.place(shape["y0"]), up.place(shape["y1"])
    points = [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)] if is_box else [(x0, y0), (x1, y1)]
    canvas.line(points, line.get("color", NEUTRAL), line.get("width", 2), line.get("dash"))


def _draw_scale(canvas: Canvas, trace: Json, across: Axis, top: float) -> None:
    """Draw the colour scale of a heat map, with its title."""
    bar, steps, limit = trace["colorbar"], 60, float(trace["zmax"])
    left, width = across.start, across.end - across.start
    low, high = trace["colorscale"][0][1], trace["colorscale"][-1][1]
    for step in range(steps):
        share = 2 * (step + 0.5) / steps - 1
        x = left + width * step / steps
        points = [(x, top), (x + width / steps + 0.3, top), (x + width / steps + 0.3, top + 8), (x, top + 8)]
        canvas.area(points, low if share < 0 else high, opacity=abs(share))
    canvas.line([(left, top), (left + width, top), (left + width, top + 8), (left, top + 8), (left, top)], NEUTRAL, 0.8)
    for value, label in zip(bar["tickvals"], bar["ticktext"], strict=True):
        x = left + width * (value / limit + 1) / 2
        anchor: Anchor = "start" if value == -limit else "end" if value == limit else "middle"
        canvas.text(x, top + 16, str(label), SMALL_SIZE - 2, anchor=anchor)
    title = bar["title"]["text"]
    canvas.text(left + width / 2, top + 30, title, SMALL_SIZE - 2)
