"""What a spreadsheet reader hides of an ODS sheet: numbers as shown, merged cells, formulas without a value."""

import re
from collections.abc import Iterator
from io import BytesIO
from zipfile import ZipFile

from core.tabular.marks import Marks, stream_part, walk_xml
from core.tabular.number_formats import format_percent
from core.tabular.table import FORMULA

CONTENT = "content.xml"
CELLS = ("table-cell", "covered-table-cell")
HIDDEN = ("collapse", "filter")
UNIT = re.compile(r"[+-]?\d[\d.,\s]*?\s*([^\W\d_][^\d]*)")  # 72 days, where the value is 72.4
WORDS = re.compile(r"[^\W\d_][^\d]*")
PADDED = re.compile(r"[^\d.,%]*0\d+[^\d.,%]*|[^\W\d][^\d.,%]*\d+")  # 00012, K-0012, K12


def read_ods_marks(content: bytes, sheet: str) -> Marks:
    """Read the marks of a sheet."""
    with ZipFile(BytesIO(content)) as archive:
        return _Scan(sheet).run(stream_part(archive, CONTENT))


class _Scan:
    """One pass over the XML of all sheets."""

    def __init__(self, sheet: str) -> None:
        self._sheet, self._marks = sheet, Marks()
        self._is_own = self._in_text = False
        self._row, self._rows, self._column = 0, 1, 0
        self._cell: dict[str, str] = {}
        self._text = ""

    def run(self, chunks: Iterator[bytes]) -> Marks:
        walk_xml(chunks, self._start, self._take, self._end)
        return self._marks

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name, own = _shorten(tag), {_shorten(key): value for key, value in attributes.items()}
        if name == "table":
            self._is_own, self._row = own.get("name") == self._sheet, 0
        elif name == "table-row":
            self._rows, self._column = _count(own, "number-rows-repeated"), 0
            if self._is_own and own.get("visibility") in HIDDEN:
                self._marks.hidden.update(range(self._row, self._row + self._rows))
        elif name in CELLS:
            self._cell, self._text = own, ""
        self._in_text = name in {"p", "span", "a"} or (self._in_text and name not in CELLS)

    def _take(self, text: str) -> None:
        if self._in_text:
            self._text += text

    def _end(self, tag: str) -> None:
        name = _shorten(tag)
        if name == "p":
            self._in_text = False
        elif name == "table-row":
            self._row += self._rows
        elif name in CELLS:
            columns = _count(self._cell, "number-columns-repeated")
            if self._is_own:
                self._mark(columns)
            self._column += columns

    def _mark(self, columns: int) -> None:
        shown = self._show()
        if shown:
            places = ((self._row + i, self._column + j) for i in range(self._rows) for j in range(columns))
            self._marks.texts |= dict.fromkeys(places, shown)
        rows = _count(self._cell, "number-rows-spanned")
        if rows > 1:
            end = self._row + rows - 1, self._column + _count(self._cell, "number-columns-spanned") - 1
            self._marks.merged.append(((self._row, self._column), end))

    def _show(self) -> str:
        """Give what stands in a cell in place of its value; "" where the value does."""
        kind, value = self._cell.get("value-type"), self._cell.get("value", "")
        if kind is None and "formula" in self._cell and not self._text:
            return FORMULA
        if kind == "percentage":
            return format_percent(float(value))
        if kind != "float":
            return ""
        unit = UNIT.fullmatch(self._text)
        if unit:
            return f"{float(value):.15g} {unit[1]}"
        return self._text if PADDED.fullmatch(self._text) or WORDS.fullmatch(self._text) else ""


def _shorten(tag: str) -> str:
    return tag.rpartition(" ")[2]


def _count(attributes: dict[str, str], name: str) -> int:
    return int(attributes.get(name, "1"))
