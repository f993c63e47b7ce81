"""A canvas that writes SVG: lines, areas, symbols and rich text."""

import html
import re
from collections.abc import Iterable, Sequence
from typing import Literal

from core.figures.drawing.fonts import FAMILY, Glyph, get_glyph, measure
from core.figures.theme import BACKGROUND, GRID, TEXT, Theme

Anchor = Literal["start", "middle", "end"]
Points = Sequence[tuple[float, float]]
LINE, BASELINE = 1.25, 0.35
DASHES = {
    "dash": (6, 3),
    "dot": (1.5, 2.5),
    "dashdot": (6, 2.5, 1.5, 2.5),
    "longdash": (10, 4),
    "longdashdot": (10, 3, 1.5, 3),
}
SYMBOLS: dict[str, Points] = {
    "square": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
    "diamond": ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
    "triangle-up": ((0, -1.2), (1.2, 0.9), (-1.2, 0.9)),
    "cross": (
        *((-0.35, -1), (0.35, -1), (0.35, -0.35), (1, -0.35), (1, 0.35), (0.35, 0.35)),
        *((0.35, 1), (-0.35, 1), (-0.35, 0.35), (-1, 0.35), (-1, -0.35), (-0.35, -0.35)),
    ),
    "x": (
        *((0, -0.4), (0.6, -1), (1, -0.6), (0.4, 0), (1, 0.6), (0.6, 1)),
        *((0, 0.4), (-0.6, 1), (-1, 0.6), (-0.4, 0), (-1, -0.6), (-0.6, -1)),
    ),
}
HATCHES = {"/": "M0 6L6 0", "\\": "M0 0L6 6", "x": "M0 6L6 0M0 0L6 6", "-": "M0 3H6", ".": "M2.5 3h1"}
_TAG = re.compile(r"<(/?)(b|i|sub|sup)>|<[^>]*>")
_RGBA = re.compile(r"rgba\(([\d.]+), ?([\d.]+), ?([\d.]+), ?([\d.]+)\)")


def split_lines(text: str) -> list[list[tuple[str, bool]]]:
    """Split a figure's text at its line breaks, each line into pieces with whether they are bold; other tags go."""
    lines = []
    for line in re.split(r"<br ?/?>", text):
        pieces, bold, at = [], False, 0
        for tag in _TAG.finditer(line):
            pieces.append((html.unescape(line[at : tag.start()]), bold))
            bold, at = (tag[1] == "" if tag[2] == "b" else bold), tag.end()
        pieces.append((html.unescape(line[at:]), bold))
        lines.append([(piece, strong) for piece, strong in pieces if piece])
    return lines


def measure_text(text: str, size: float) -> tuple[float, float]:
    """Give width and height of a text of several lines in pixels."""
    lines = split_lines(text)
    widths = [sum(measure(piece, size, bold=bold) for piece, bold in line) for line in lines]
    return max(widths, default=0.0), LINE * size * len(lines)


class Canvas:
    """SVG, the same bytes for the same calls.

    Parameters
    ----------
    width, height : float
        Size in pixels.
    ground : bool
        Whether it has the page's colour or is clear.
    outlined : bool
        Whether letters are drawn as outlines; else as text in the house's font, for a typesetter that has it.
    theme : {"light", "dark"}
        Of the page that it stands on.

    Attributes
    ----------
    ink, grid, ground : str
        Colours of letters, of grid lines and of the page.
    """

    def __init__(
        self, width: float, height: float, *, ground: bool = True, outlined: bool = True, theme: Theme = "light"
    ) -> None:
        self.width, self.height, self.outlined = width, height, outlined
        self.ink, self.grid, self.ground = TEXT[theme], GRID[theme], BACKGROUND[theme]
        self._ground = f'<rect width="100%" height="100%" fill="{self.ground}"/>' if ground else ""
        self._parts: list[str] = []
        self._definitions: dict[str, str] = {}

    def line(self, points: Points, colour: str, width: float, dash: str | None = None, opacity: float = 1) -> None:
        """Draw a line through points."""
        spaced = " ".join(f"{width / 2 * length + length / 2:.3g}" for length in DASHES.get(dash or "", ()))
        more = f' stroke-dasharray="{spaced}"' if spaced else ""
        more += f' opacity="{opacity:g}"' if opacity != 1 else ""
        self._parts.append(
            f'<path d="{_trace(points)}" fill="none" stroke="{colour}" stroke-width="{width:g}" '
            f'stroke-linejoin="round"{more}/>'
        )

    def area(
        self,
        points: Points,
        fill: str | None,
        *,
        edge: str | None = None,
        width: float = 0,
        hatch: str = "",
        hatch_colour: str = "",
        opacity: float = 1,
    ) -> None:
        """Draw a closed area: filled, hatched over its fill, edged."""
        path, alpha = _trace(points) + "Z", f' opacity="{opacity:g}"' if opacity != 1 else ""
        stroke = f' stroke="{edge}" stroke-width="{width:g}"' if edge and width else ""
        self._parts.append(f'<path d="{path}" {_fill(fill)}{stroke}{alpha}/>')
        if hatch:
            hatch_colour = hatch_colour or self.ground
            name = f"h{len(hatch)}{ord(hatch[0]):x}{hatch_colour.strip('#')}"
            self._definitions[name] = (
                f'<pattern id="{name}" width="6" height="6" patternUnits="userSpaceOnUse">'
                f'<path d="{HATCHES[hatch]}" stroke="{hatch_colour}" stroke-width="1.4" stroke-linecap="square"/>'
                "</pattern>"
            )
            self._parts.append(f'<path d="{path}" fill="url(#{name})"{alpha}/>')

    def mark(self, x: float, y: float, symbol: str, size: float, colour: str, width: float = 0, edge: str = "") -> None:
        """Draw a symbol of plotly's; those that end in "-open" are hollow."""
        hollow, r = symbol.endswith("-open"), size / 2
        shape = symbol.removesuffix("-open")
        if shape == "line-ns":
            self.line([(x, y - r), (x, y + r)], colour, width or 1.5)
            return
        fill = None if hollow and not self._ground else self.ground if hollow else colour
        stroke = f' stroke="{colour if hollow else edge or colour}" stroke-width="{width:g}"' if width else ""
        if shape == "circle":
            self._parts.append(f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{r:g}" {_fill(fill)}{stroke}/>')
        else:
            places = _trace([(x + r * dx, y + r * dy) for dx, dy in SYMBOLS[shape]])
            self._parts.append(f'<path d="{places}Z" {_fill(fill)}{stroke}/>')

    def picture(self, source: str, x: float, y: float, width: float, height: float) -> None:
        """Lay a picture, given as an address that holds its data."""
        self._parts.append(
            f'<image x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" preserveAspectRatio="none" '
            f'href="{html.escape(source)}"/>'
        )

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        *,
        colour: str = "",
        anchor: Anchor = "middle",
        halo: bool = False,
    ) -> None:
        """Write lines of text, their middle at y, in the page's ink unless a colour is given."""
        lines = split_lines(text)
        top = y - LINE * size * (len(lines) - 1) / 2 + BASELINE * size
        for number, pieces in enumerate(lines):
            width = sum(measure(piece, size, bold=bold) for piece, bold in pieces)
            left = x - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
            for piece, bold in pieces:
                self._write(left, top + LINE * size * number, piece, size, colour or self.ink, bold=bold, halo=halo)
                left += measure(piece, size, bold=bold)

    def turned(self, x: float, y: float, text: str, size: float) -> None:
        """Write a line of text upwards, its middle at a place."""
        self._parts.append(f'<g transform="translate({x:.2f} {y:.2f}) rotate(-90)">')
        self.text(0, 0, text, size)
        self._parts.append("</g>")

    def clip(self, x: float, y: float, width: float, height: float) -> None:
        """Clip what follows, until `end`."""
        name = f"c{len(self._definitions)}"
        self._definitions[name] = (
            f'<clipPath id="{name}"><rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}"/>'
            "</clipPath>"
        )
        self._parts.append(f'<g clip-path="url(#{name})">')

    def end(self) -> None:
        """End a clip."""
        self._parts.append("</g>")

    def finish(self) -> bytes:
        """Give the SVG."""
        size = f'width="{self.width:g}" height="{self.height:g}" viewBox="0 0 {self.width:g} {self.height:g}"'
        defined = "".join(self._definitions.values())
        body = "".join(self._parts)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size}><defs>{defined}</defs>{self._ground}{body}</svg>'.encode()
        )

    def _write(self, x: float, y: float, text: str, size: float, colour: str, *, bold: bool, halo: bool) -> None:
        edge = ' stroke="#000000" stroke-width="{:g}" paint-order="stroke"'
        if not self.outlined:
            weight, more = 600 if bold else 400, edge.format(size / 16) if halo else ""
            self._parts.append(
                f'<text x="{x:.2f}" y="{y:.2f}" font-family="{FAMILY}, DejaVu Sans" font-size="{size:g}" '
                f'font-weight="{weight}" fill="{colour}" xml:space="preserve"{more}>{html.escape(text)}</text>'
            )
            return
        glyphs = [get_glyph(letter, bold=bold) for letter in text]
        more = edge.format(1 / 16) if halo else ""
        self._parts.append(f'<g transform="translate({x:.2f} {y:.2f}) scale({size:g})" fill="{colour}"{more}>')
        at = 0.0
        for glyph in glyphs:
            if glyph.path:
                self._definitions[glyph.name] = _define(glyph)
                self._parts.append(f'<use href="#{glyph.name}" x="{at:.4g}"/>')
            at += glyph.width
        self._parts.append("</g>")


def _define(glyph: Glyph) -> str:
    return f'<path id="{glyph.name}" transform="scale({glyph.scale:g} {-glyph.scale:g})" d="{glyph.path}"/>'


def _trace(points: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in points)


def _fill(colour: str | None) -> str:
    found = _RGBA.fullmatch(colour or "")
    if found is None:
        return f'fill="{colour or "none"}"'
    red, green, blue = (round(float(found[i])) for i in (1, 2, 3))
    return f'fill="#{red:02X}{green:02X}{blue:02X}" fill-opacity="{found[4]}"'
