"""Figures at the size that a journal prints them: SVG, PDF and PNG from one drawing."""

import html
import json
import struct
import zlib
from typing import TYPE_CHECKING, Literal

import typst

from core.errors import UsageError
from core.figures.drawing.fonts import load_fonts
from core.figures.rendering import WIDTH, render_svg
from core.figures.theme import TINY_SIZE

if TYPE_CHECKING:
    import plotly.graph_objects as go

Form = Literal["svg", "pdf", "png"]
FORMS: tuple[Form, ...] = ("svg", "pdf", "png")
SINGLE_MM, DOUBLE_MM = 85.0, 175.0
NARROWEST_MM, WIDEST_MM = 60.0, 200.0
MM_PER_INCH, POINTS_PER_INCH, PNG_DPI, PNG_HEADER = 25.4, 72.0, 300, 33
LEAST_POINT = 7.0
FOOT = 10
PAGE = """#set document(title: {title}, date: none)
#set page(width: {width}mm, height: {height}mm, margin: 0pt)
#set text(lang: "en")
#image("figure.svg", width: {width}mm, alt: {alt})
"""


def check_width(width_mm: float) -> None:
    """Refuse a width that no journal's page has."""
    if not NARROWEST_MM <= width_mm <= WIDEST_MM:
        raise UsageError(
            f"--width is a journal's column in mm, from {NARROWEST_MM:g} to {WIDEST_MM:g}, not {width_mm:g}; usual are "
            f"{SINGLE_MM:g} and {DOUBLE_MM:g}."
        )


def find_layout_width(width_mm: float) -> float:
    """Give the pixels that a figure is laid out for so that its smallest letters are printed at 7 points or more."""
    points = width_mm / MM_PER_INCH * POINTS_PER_INCH
    return min(float(WIDTH), points * TINY_SIZE / LEAST_POINT)


def draw_for_print(figure: "go.Figure", *, width_mm: float, note: str, outlined: bool) -> bytes:
    """Draw a figure as SVG laid out for a width on paper; a square one gets no empty room below it."""
    pixels = find_layout_width(width_mm)
    if figure.layout.yaxis.scaleanchor:
        figure = type(figure)(figure).update_layout(height=min(figure.layout.height, round(pixels) + FOOT))
    return render_svg(figure, width=pixels, note=note, outlined=outlined)


def render_print(figure: "go.Figure", form: Form, *, width_mm: float, title: str, alt: str, note: str = "") -> bytes:
    """Draw a figure for print, the same bytes every time: SVG with outlined letters, PDF with text, or PNG at 300 dpi.

    The height follows from the width; title and alternative text are in SVG and PDF, the note stands under the figure.
    """
    svg = draw_for_print(figure, width_mm=width_mm, note=note, outlined=form == "svg")
    height_mm = float(svg.split(b'height="', 1)[1].split(b'"', 1)[0]) / find_layout_width(width_mm) * width_mm
    if form == "svg":
        return _size(svg, width_mm, height_mm, title, alt)
    words = {"title": json.dumps(title, ensure_ascii=False), "alt": json.dumps(alt, ensure_ascii=False)}
    page = PAGE.format(width=f"{width_mm:.3f}", height=f"{height_mm:.3f}", **words)
    sources = {"main.typ": page.encode(), "figure.svg": svg}
    compiler = typst.Compiler(sources, font_paths=load_fonts())  # type: ignore[type-var]
    if form == "pdf":
        return bytes(compiler.compile(format="pdf"))  # type: ignore[arg-type]
    return _mark_dpi(bytes(compiler.compile(format="png", ppi=PNG_DPI)))  # type: ignore[arg-type]


def _size(svg: bytes, width_mm: float, height_mm: float, title: str, alt: str) -> bytes:
    """Give a drawing its size on paper, and its words for screen readers."""
    start, _, rest = svg.partition(b" viewBox=")
    box, _, body = rest.partition(b">")
    head = start.split(b" width=", 1)[0]
    words = f"<title>{html.escape(title)}</title><desc>{html.escape(alt)}</desc>"
    size = f' width="{width_mm:.3f}mm" height="{height_mm:.3f}mm" role="img" viewBox='
    return head + size.encode() + box + b">" + words.encode() + body


def _mark_dpi(png: bytes) -> bytes:
    """Write the resolution into a PNG, behind its header, as dots a metre."""
    dots = round(PNG_DPI / MM_PER_INCH * 1000)
    chunk = b"pHYs" + struct.pack(">IIB", dots, dots, 1)
    resolution = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return png[:PNG_HEADER] + resolution + png[PNG_HEADER:]
