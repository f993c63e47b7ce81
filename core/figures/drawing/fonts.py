"""The house's font as measures and outlines; DejaVu Sans, which matplotlib brings, where it lacks a letter."""

import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import WorkError

if TYPE_CHECKING:
    import typst

FAMILY = "Source Sans Pro"
FONTS = Path(__file__).parent.parent / "fonts"
FILES = {False: "SourceSansPro-Regular.otf", True: "SourceSansPro-Semibold.otf"}
OTHER = {False: "DejaVuSans.ttf", True: "DejaVuSans-Bold.ttf"}


@dataclass(frozen=True, eq=False)
class Glyph:
    """A letter's outline and width in units of the font's size, y upwards."""

    name: str
    path: str
    scale: float
    width: float


def find_other_fonts() -> Path:
    """Find the folder of matplotlib's fonts."""
    matplotlib = importlib.util.find_spec("matplotlib")
    if matplotlib is None or matplotlib.origin is None:
        raise WorkError("matplotlib, whose fonts the documents need, is not installed: install requirements.txt.")
    return Path(matplotlib.origin).parent / "mpl-data" / "fonts" / "ttf"


@cache
def load_fonts() -> "typst.Fonts":
    """Load the house's font for a typesetter, and matplotlib's DejaVu Sans and last resort for what it lacks."""
    import typst  # noqa: PLC0415 - only where a document is made

    paths = [str(FONTS), str(find_other_fonts())]
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=paths)


@cache
def _open(path: Path) -> tuple[Any, dict[int, str], float]:
    from fontTools.ttLib import TTFont  # noqa: PLC0415 - only where something is drawn

    font = TTFont(path, lazy=True)
    return font.getGlyphSet(), font.getBestCmap(), font["head"].unitsPerEm


@cache
def get_glyph(letter: str, *, bold: bool) -> Glyph:
    """Give a letter, or the empty box of a letter that no font has."""
    from fontTools.pens.svgPathPen import SVGPathPen  # noqa: PLC0415

    own, other = FONTS / FILES[bold], find_other_fonts() / OTHER[bold]
    path = own if ord(letter) in _open(own)[1] else other
    glyphs, letters, units = _open(path)
    name = letters.get(ord(letter), ".notdef")
    pen = SVGPathPen(glyphs, ntos=lambda number: f"{number:g}")
    glyphs[name].draw(pen)
    return Glyph(f"{'b' if bold else 'r'}{ord(letter):x}", pen.getCommands(), 1 / units, glyphs[name].width / units)


def measure(text: str, size: float, *, bold: bool = False) -> float:
    """Give the width of one line of text in pixels."""
    return size * sum(get_glyph(letter, bold=bold).width for letter in text)
