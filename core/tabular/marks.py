"""What a spreadsheet reader hides of an XLSX sheet: number formats, formulas without a value, errors; and its size."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from xml.etree.ElementTree import Element, fromstring
from xml.parsers import expat
from zipfile import ZipFile

from core.errors import TableError
from core.tabular.number_formats import changes_reading
from core.tabular.table import FORMULA, MAX_COLUMNS, TOO_MANY_COLUMNS

MAX_UNPACKED = 500 * 1024 * 1024
MAX_CELLS = 5_000_000  # of all sheets; so many are read in 20 s
XLSB_CELL = 14  # bytes of a number's cell
MAX_STRINGS = 1_500_000
CHUNK = 1 << 20
ENCRYPTED = 0x1
PROTECTED = "The Excel file is protected by a password; save it without one."
TOO_LARGE = "The Excel file unpacks to more than 500 MB; save it as CSV."
TOO_MANY_CELLS = f"The Excel file holds more than {MAX_CELLS:,} cells; delete what is not needed, or save it as CSV."
TOO_MANY_STRINGS = f"The Excel file holds more than {MAX_STRINGS:,} different texts; save it as CSV."
ENTITIES = "The workbook declares XML entities; save it again as .xlsx or as CSV."
STRING, CELL = (b"<si", b":si"), (b"<c ", b":c ")  # with and without a prefix of the name space
FAR = re.compile(rb'<(?:\w+:)?c [^>]*?\br="([A-Z]{3})\d+"(?:[^>]*[^/>])?>')


@dataclass
class Marks:
    """What is to be known of a sheet's cells beyond their values, by (row, column) from 0."""

    # number format, where it changes how a number is read: per cent, leading zeros, words
    formats: dict[tuple[int, int], str] = field(default_factory=dict)
    # what stands in a cell for which there is no value: a formula never computed, an error
    texts: dict[tuple[int, int], str] = field(default_factory=dict)
    hidden: set[int] = field(default_factory=set)  # rows that the sheet does not show, as behind a filter
    # (first cell, last cell), merged cells of several rows, where the reader of cells does not tell them
    merged: list[tuple[tuple[int, int], tuple[int, int]]] = field(default_factory=list)


def check_archive(content: bytes) -> None:
    """Refuse an archive that is protected, or unpacks to more than the limits."""
    with ZipFile(BytesIO(content)) as archive:
        if any(entry.flag_bits & ENCRYPTED for entry in archive.infolist()):
            raise TableError(PROTECTED)
        if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED:
            raise TableError(TOO_LARGE)
        _check_sheets(archive)


def _check_sheets(archive: ZipFile) -> None:
    """Count the strings, and the cells of all sheets together."""
    cells = 0
    for entry in archive.infolist():
        name = entry.filename.lower()
        if name == "xl/sharedstrings.xml":
            _count(archive, entry.filename, STRING, MAX_STRINGS, TOO_MANY_STRINGS)
        elif name.startswith("xl/worksheets/") and name.endswith(".xml"):
            cells += _count(archive, entry.filename, CELL, MAX_CELLS - cells, TOO_MANY_CELLS)
        elif name.startswith("xl/worksheets/") and name.endswith(".bin"):
            cells += entry.file_size // XLSB_CELL
        if cells > MAX_CELLS:
            raise TableError(TOO_MANY_CELLS)


def _count(archive: ZipFile, name: str, tags: tuple[bytes, ...], limit: int, sentence: str) -> int:
    """Count a part's strings or cells, and refuse a filled cell beyond the columns that can be read."""
    found, rest = 0, b""
    for chunk in stream_part(archive, name):
        text = rest + chunk
        end = text.rfind(b"<")
        text, rest = text[:end], text[end:][:CHUNK]
        found += sum(map(text.count, tags))
        if found > limit:
            raise TableError(sentence)
        if tags is CELL and any(_number_column(far[1].decode()) >= MAX_COLUMNS for far in FAR.finditer(text)):
            raise TableError(TOO_MANY_COLUMNS)
    return found


def stream_part(archive: ZipFile, name: str) -> Iterator[bytes]:
    """Give a part of an archive piece by piece."""
    with archive.open(name) as entry:
        while chunk := entry.read(CHUNK):
            yield chunk


def walk_xml(
    chunks: Iterable[bytes],
    start: Callable[[str, dict[str, str]], None],
    take: Callable[[str], None],
    end: Callable[[str], None],
) -> None:
    """Hand over the tags and texts of XML that comes piece by piece; declared entities are refused."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.CharacterDataHandler, parser.EndElementHandler = start, take, end
    parser.EntityDeclHandler = _refuse_entity
    for chunk in chunks:
        parser.Parse(chunk, False)
    parser.Parse(b"", True)


def _refuse_entity(*_: object) -> None:
    raise TableError(ENTITIES)


def read_marks(content: bytes, sheet: str) -> Marks:
    """Read the marks of a sheet."""
    with ZipFile(BytesIO(content)) as archive:
        path = _find_sheet(archive, sheet)
        if path is None:
            return Marks()
        return _SheetScan(_read_formats(archive)).run(stream_part(archive, path))


def _find_sheet(archive: ZipFile, sheet: str) -> str | None:
    names = {name.lower(): name for name in archive.namelist()}
    book, links = names.get("xl/workbook.xml"), names.get("xl/_rels/workbook.xml.rels")
    if book is None or links is None:
        return None
    targets = {link.get("Id"): link.get("Target", "") for link in _parse(archive, links)}
    for element in _find_all(_parse(archive, book), "sheet"):
        if element.get("name") == sheet:
            key = next((value for name, value in element.attrib.items() if name.endswith("}id")), None)
            target = targets.get(key, "")
            path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            return names.get(path.lower())
    return None


def _parse(archive: ZipFile, name: str) -> Element:
    return fromstring(archive.read(name))  # noqa: S314 - read in a process that is bounded in time and memory


def _find_all(root: Element, name: str) -> list[Element]:
    return [element for element in root.iter() if element.tag.rpartition("}")[2] == name]


def _read_formats(archive: ZipFile) -> dict[str, str]:
    """Give the format code of each cell style that is shown otherwise than its value."""
    if "xl/styles.xml" not in archive.namelist():
        return {}
    root = _parse(archive, "xl/styles.xml")
    codes = {"9": "0%", "10": "0.00%"} | {e.get("numFmtId"): e.get("formatCode", "") for e in _find_all(root, "numFmt")}
    styles = next(iter(_find_all(root, "cellXfs")), None)
    formats = {}
    for index, style in enumerate(_find_all(styles, "xf") if styles is not None else ()):
        code = codes.get(style.get("numFmtId"), "")
        if changes_reading(code):
            formats[str(index)] = code
    return formats


class _SheetScan:
    """One pass over a sheet's XML."""

    def __init__(self, formats: dict[str, str]) -> None:
        self._formats, self._marks = formats, Marks()
        self._row, self._column = -1, -1
        self._kind, self._is_formula, self._text, self._in_value = "", False, "", False

    def run(self, chunks: Iterator[bytes]) -> Marks:
        walk_xml(chunks, self._start, self._take, self._end)
        return self._marks

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(" ")[2]
        if name == "c":
            self._start_cell(attributes)
        elif name == "row":
            self._row = int(attributes["r"]) - 1 if attributes.get("r", "").isdigit() else self._row + 1
            self._column = -1
            if attributes.get("hidden") in {"1", "true"}:
                self._marks.hidden.add(self._row)
        elif name == "f":
            self._is_formula = True
        elif name in {"v", "t"}:
            self._in_value = True

    def _start_cell(self, attributes: dict[str, str]) -> None:
        letters = attributes.get("r", "").rstrip("0123456789")
        self._column = _number_column(letters) if letters else self._column + 1
        self._kind, self._is_formula, self._text = attributes.get("t", ""), False, ""
        code = self._formats.get(attributes.get("s", ""))
        if code is not None:
            self._marks.formats[self._row, self._column] = code

    def _take(self, text: str) -> None:
        if self._in_value:
            self._text += text
            if self._column >= MAX_COLUMNS:
                raise TableError(TOO_MANY_COLUMNS)

    def _end(self, tag: str) -> None:
        name = tag.rpartition(" ")[2]
        if name in {"v", "t"}:
            self._in_value = False
        elif name == "c" and self._is_formula and not self._text:
            self._marks.texts[self._row, self._column] = FORMULA
        elif name == "c" and self._kind == "e":
            self._marks.texts[self._row, self._column] = self._text


def _number_column(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = 26 * number + ord(letter) - 64
    return number - 1
