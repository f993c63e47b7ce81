"""Traces on a canvas: lines, steps, bands, marks, error bars, bars, words and colours over a picture."""

import base64
import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageColor

from core.figures.drawing.axes import Axis, Json
from core.figures.drawing.canvas import Anchor, Canvas, measure_text
from core.figures.theme import FONT_SIZE, NEUTRAL

ENLARGED = 384
SIDES: dict[str, tuple[float, float, Anchor]] = {
    "center": (0, 0, "middle"),
    "right": (1, 0, "start"),
    "left": (-1, 0, "end"),
}
Place = tuple[float, float]


def read_list(values: Any) -> list[Any]:
    """Give the values of a trace as a list; None stays a gap."""
    return [] if values is None else [v.item() if isinstance(v, np.generic) else v for v in list(values)]


def draw_trace(canvas: Canvas, trace: Json, across: Axis, up: Axis, before: Json | None) -> None:
    """Draw one trace; `before` is the one that a band reaches to."""
    kind = trace.get("type", "scatter")
    if kind == "bar":
        _draw_bars(canvas, trace, across, up)
    elif kind == "heatmap":
        _draw_heatmap(canvas, trace, across, up)
    else:
        _draw_scatter(canvas, trace, across, up, before)


def _draw_scatter(canvas: Canvas, trace: Json, across: Axis, up: Axis, before: Json | None) -> None:
    mode, line = trace.get("mode") or "lines", trace.get("line") or {}
    pieces = _place(trace, across, up)
    opacity = trace.get("opacity", 1)
    if trace.get("fill") == "toself":
        pattern = trace.get("fillpattern") or {}
        hatch = {
            "hatch": pattern.get("shape", ""),
            "hatch_colour": _fade(pattern.get("fgcolor") or NEUTRAL, canvas.ground),
        }
        for piece in pieces:
            canvas.area(piece, trace.get("fillcolor"), edge=line.get("color"), width=line.get("width", 0), **hatch)
        return
    if trace.get("fill") == "tonexty" and before is not None:
        for piece, other in zip(pieces, _place(before, across, up), strict=False):
            canvas.area([*piece, *other[::-1]], trace.get("fillcolor"))
        return
    if "lines" in mode and line.get("width", 2) > 0:
        for piece in pieces:
            if len(piece) > 1:
                canvas.line(piece, line.get("color", NEUTRAL), line.get("width", 2), line.get("dash"), opacity)
    places = [point for piece in pieces for point in piece]
    _draw_errors(canvas, trace, across, up)
    if "markers" in mode:
        _draw_marks(canvas, trace, places)
    if "text" in mode:
        _write_texts(canvas, trace, places)


def _place(trace: Json, across: Axis, up: Axis) -> list[list[Place]]:
    """Give the unbroken pieces of a line on the canvas."""
    pieces: list[list[Place]] = [[]]
    for x, y in zip(read_list(trace.get("x")), read_list(trace.get("y")), strict=True):
        place = (math.nan, math.nan) if x is None or y is None else (across.place(x), up.place(y))
        if not all(map(math.isfinite, place)):
            pieces.append([])
            continue
        if (trace.get("line") or {}).get("shape") == "hv" and pieces[-1]:
            pieces[-1].append((place[0], pieces[-1][-1][1]))
        pieces[-1].append(place)
    return [piece for piece in pieces if piece]


def _draw_marks(canvas: Canvas, trace: Json, places: Sequence[Place]) -> None:
    marker = trace.get("marker") or {}
    edge = marker.get("line") or {}
    each = [
        value if isinstance(value, list | tuple) else [value] * len(places)
        for value in (marker.get("symbol", "circle"), marker.get("size", 8), marker.get("color", NEUTRAL))
    ]
    for (x, y), symbol, size, colour in zip(places, *each, strict=False):
        canvas.mark(x, y, symbol, size, colour, edge.get("width", 0), edge.get("color", ""))


def _write_texts(canvas: Canvas, trace: Json, places: Sequence[Place]) -> None:
    font = trace.get("textfont") or {}
    size, colour = font.get("size", FONT_SIZE), font.get("color", "")
    sizes = size if isinstance(size, list | tuple) else [size] * len(places)
    shift, _, anchor = SIDES[(trace.get("textposition") or "middle center").split()[-1]]
    for (x, y), text, own in zip(places, read_list(trace.get("text")), sizes, strict=True):
        canvas.text(x + 6 * shift, y, str(text), own, colour=colour, anchor=anchor, halo=bool(font.get("shadow")))


def _draw_errors(canvas: Canvas, trace: Json, across: Axis, up: Axis) -> None:
    """Draw intervals with their ends."""
    for name, is_across in (("error_x", True), ("error_y", False)):
        error = trace.get(name) or {}
        if error.get("array") is None:
            continue
        colour, width, reach = error.get("color", NEUTRAL), error.get("thickness", 2), error.get("width", 4)
        columns = (trace.get("x"), trace.get("y"), error["arrayminus"], error["array"])
        for x, y, less, more in zip(*map(read_list, columns), strict=True):
            ends = [(x - less, y), (x + more, y)] if is_across else [(x, y - less), (x, y + more)]
            places = [(across.place(a), up.place(b)) for a, b in ends]
            if not all(math.isfinite(value) for place in places for value in place) or places[0] == places[1]:
                continue
            canvas.line(places, colour, width)
            for a, b in places:
                canvas.line(
                    [(a, b - reach), (a, b + reach)] if is_across else [(a - reach, b), (a + reach, b)], colour, width
                )


def _draw_bars(canvas: Canvas, trace: Json, across: Axis, up: Axis) -> None:
    marker = trace.get("marker") or {}
    lying = trace.get("orientation") == "h"
    lengths, places = (read_list(trace["x" if lying else "y"]), read_list(trace["y" if lying else "x"]))
    along, aside = (across, up) if lying else (up, across)
    bases = read_list(trace.get("base")) or [0] * len(places)
    shape = (marker.get("pattern") or {}).get("shape") or ""
    each = [
        [value] * len(places) if isinstance(value, str) else read_list(value)
        for value in (marker.get("color", NEUTRAL), shape)
    ]
    half = abs(aside.place(trace.get("width") or 0.8) - aside.place(0)) / 2
    edge = (marker.get("line") or {}).get("width", 0)
    rows = zip(places, bases, lengths, *each, read_list(trace.get("text")) or [""] * len(places), strict=True)
    for place, base, length, colour, hatch, text in rows:
        middle, low, high = aside.place(place), along.place(base), along.place(base + length)
        sides = ((low, middle - half), (high, middle - half), (high, middle + half), (low, middle + half))
        points = sides if lying else [(b, a) for a, b in sides]
        canvas.area(points, colour, hatch=hatch, edge=colour, width=edge, opacity=marker.get("opacity", 1))
        if text and trace.get("textposition") != "none":
            side = 5 if length >= 0 else -5
            canvas.text(high + side, middle, text, FONT_SIZE - 1, anchor="start" if side > 0 else "end")
    _draw_errors(canvas, trace, across, up)


def _draw_heatmap(canvas: Canvas, trace: Json, across: Axis, up: Axis) -> None:
    """Lay signed values over a picture; colour and clearness run from the middle of the scale to its ends."""
    limit, (low, high) = float(trace["zmax"]), (trace["colorscale"][0][1], trace["colorscale"][-1][1])
    overlay = colour_signed(np.asarray(trace["z"], dtype=np.float64) / limit, low, high, float(trace.get("opacity", 1)))
    buffer = io.BytesIO()
    overlay.save(buffer, format="PNG", compress_level=3)
    edges = [_find_edges(axis, read_list(trace[name])) for axis, name in ((across, "x"), (up, "y"))]
    (left, right), (top, bottom) = map(sorted, edges)
    source = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
    canvas.picture(source, left, top, right - left, bottom - top)


def _find_edges(axis: Axis, centres: list[float]) -> tuple[float, float]:
    half = (centres[1] - centres[0]) / 2 if len(centres) > 1 else 0.5
    return axis.place(centres[0] - half), axis.place(centres[-1] + half)


def colour_signed(
    signed: np.ndarray, low: str, high: str, opacity: float, size: tuple[int, int] = (ENLARGED, ENLARGED)
) -> Image.Image:
    """Enlarge values of -1 to 1, clipped, and colour them: clear at 0, the ends' colours at -1 and 1; RGBA."""
    enlarged = np.asarray(Image.fromarray(signed.astype(np.float32)).resize(size, Image.Resampling.BICUBIC))
    rgba = np.empty((*enlarged.shape, 4), dtype=np.uint8)
    rgba[..., :3] = np.where(enlarged[..., None] < 0, ImageColor.getrgb(low), ImageColor.getrgb(high))
    rgba[..., 3] = np.round(255 * np.clip(np.abs(enlarged), 0, 1) * opacity)
    return Image.fromarray(rgba)


def draw_key(canvas: Canvas, trace: Json, x: float, y: float) -> float:
    """Draw what a legend shows of a trace; give the width of its entry."""
    marker, line, mode = trace.get("marker") or {}, trace.get("line") or {}, trace.get("mode") or "lines"
    if trace.get("type") == "bar" or trace.get("fill") == "toself":
        fill = marker.get("color") if trace.get("type") == "bar" else trace.get("fillcolor")
        hatch = (marker.get("pattern") or {}).get("shape") or ""
        box = [(x, y - 5), (x + 24, y - 5), (x + 24, y + 5), (x, y + 5)]
        canvas.area(box, fill, hatch=hatch)
    else:
        if "lines" in mode:
            canvas.line([(x, y), (x + 24, y)], line.get("color", NEUTRAL), line.get("width", 2), line.get("dash"))
        if "markers" in mode:
            _draw_marks(canvas, trace, [(x + 12, y)])
    name = str(trace["name"])
    canvas.text(x + 29, y, name, FONT_SIZE - 1, anchor="start")
    return measure_key(trace)


def measure_key(trace: Json) -> float:
    """Give the width of a trace's entry in the legend."""
    return 29 + measure_text(str(trace["name"]), FONT_SIZE - 1)[0] + 16


def _fade(colour: str, ground: str) -> str:
    """Mix a colour with the ground, for a hatching that does not drown what stands on it."""
    mixed = zip(ImageColor.getrgb(colour), ImageColor.getrgb(ground), strict=True)
    return "#" + "".join(f"{round(0.55 * a + 0.45 * b):02X}" for a, b in mixed)
