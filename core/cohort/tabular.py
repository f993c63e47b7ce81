"""CSV and XLSX bytes to named rows of text; only the columns asked for are kept."""

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from core.errors import TableError

MAX_BYTES = 100 * 1024 * 1024
MAX_UNPACKED = 500 * 1024 * 1024
MAX_ROWS = 250_000
SEPARATORS = (",", ";", "\t")
ZIP_START, OLE_START = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
UTF16_STARTS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class TextTable:
    """Rows of text of the columns that were asked for.

    Attributes
    ----------
    columns : dict of str to list of str
        Name to values, one a row that fits the header.
    rows : list of int
        Row number in the file of each; the header is row 1, unless empty rows come before it.
    refused : list of (int, str)
        Rows that do not fit the header, with the reason.
    notes : list of str
        How the file was read, where that is not plain.
    """

    columns: dict[str, list[str]]
    rows: list[int]
    refused: list[tuple[int, str]]
    notes: list[str]


def read_bytes(source: bytes | Path) -> bytes:
    """Read a file, or take its bytes as they are.

    Parameters
    ----------
    source : bytes or Path
        Content of the file, or where it is.

    Returns
    -------
    bytes
        Content.

    Raises
    ------
    TableError
        If it can't be opened, is empty or too large.
    """
    if isinstance(source, bytes):
        content = source
    else:
        try:
            content = Path(source).read_bytes()
        except OSError:
            raise TableError("The table can't be opened; check that the file exists and may be read.") from None
    if not content.strip():
        raise TableError("The table is empty; give a header and one row a patient.")
    if len(content) > MAX_BYTES:
        raise TableError(f"The table has {len(content) / 2**20:.0f} MB; the limit is {MAX_BYTES / 2**20:.0f} MB.")
    return content


def read_header(source: bytes | Path) -> list[str]:
    """Read the column names of a table.

    Parameters
    ----------
    source : bytes or Path
        CSV or XLSX.

    Returns
    -------
    list of str
        Names as they stand in the file.
    """
    return _find_header(_open_rows(read_bytes(source), []))[1]


def read_text_table(source: bytes | Path, choose: Callable[[list[str]], Mapping[str, int]]) -> TextTable:
    """Read chosen columns of a table.

    Parameters
    ----------
    source : bytes or Path
        CSV (comma, semicolon or tab; UTF-8, UTF-16 or Latin-1) or XLSX (first sheet).
    choose : callable
        Header to ``{name: position}`` of the columns to keep; all others are passed over.

    Returns
    -------
    TextTable
        The rows that fit the header.

    Raises
    ------
    TableError
        If the file is no table or has too many rows.
    """
    notes: list[str] = []
    rows = _open_rows(read_bytes(source), notes)
    first, header = _find_header(rows)
    wanted = choose(header)
    columns: dict[str, list[str]] = {name: [] for name in wanted}
    numbers: list[int] = []
    refused: list[tuple[int, str]] = []
    for number, row in enumerate(rows, start=first + 1):
        if number > MAX_ROWS + first:
            raise TableError(f"The table has more than {MAX_ROWS:,} rows; split it.")
        if not any(cell.strip() for cell in row):
            continue
        if len(row) < len(header) or any(cell.strip() for cell in row[len(header) :]):
            refused.append((number, f"{len(row)} cells where the header has {len(header)}"))
            continue
        numbers.append(number)
        for name, position in wanted.items():
            columns[name].append(row[position].strip())
    return TextTable(columns, numbers, refused, notes)


def _open_rows(content: bytes, notes: list[str]) -> Iterator[list[str]]:
    if content.startswith(OLE_START):
        raise TableError("The table is an old or protected Excel file; save it as .xlsx without a password, or as CSV.")
    if content.startswith(ZIP_START):
        return _open_workbook(content)
    text = _decode_text(content, notes)
    separator = _find_separator(text)
    return _guard_csv(csv.reader(io.StringIO(text, newline=""), delimiter=separator))


def _find_header(rows: Iterator[list[str]]) -> tuple[int, list[str]]:
    """Give number and cells of the first row that is neither empty nor Excel's hint at the separator, as "sep=;"."""
    for number, row in enumerate(rows, start=1):
        if any(cell.strip() for cell in row) and not _is_hint(row[0]):
            return number, row
    return 1, []


def _is_hint(line: str) -> bool:
    return line.strip().lower().startswith("sep=")


def _decode_text(content: bytes, notes: list[str]) -> str:
    encoding = "utf-16" if content.startswith(UTF16_STARTS) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = content.decode("latin-1")
        notes.append("The file is not UTF-8 and was read as Latin-1.")
    if "\x00" in text:
        raise TableError("The file is no table: it holds binary data. Give CSV or XLSX.")
    return text


def _find_separator(text: str) -> str:
    lines = io.StringIO(text, newline=None)
    header = next((line for line in lines if line.strip() and not _is_hint(line)), "")
    counts = {mark: len(next(_guard_csv(csv.reader([header], delimiter=mark)), [])) for mark in SEPARATORS}
    return max(SEPARATORS, key=lambda mark: counts[mark])


def _guard_csv(rows: Iterable[list[str]]) -> Iterator[list[str]]:
    try:
        yield from rows
    except csv.Error:
        raise TableError("The table breaks off inside a quoted cell or holds a cell that is too long.") from None


def _open_workbook(content: bytes) -> Iterator[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED:
                raise TableError("The Excel file unpacks to more than 500 MB; save it as CSV.")
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError):
        raise TableError("The Excel file is damaged or is no workbook; save it again as .xlsx or as CSV.") from None
    sheet = book.worksheets[0] if book.worksheets else None
    if sheet is None:
        raise TableError("The Excel file has no sheet with cells; give CSV or XLSX with a header row.")
    return _read_sheet(sheet.iter_rows())


def _read_sheet(rows: Iterable[tuple[Any, ...]]) -> Iterator[list[str]]:
    width = 0
    for row in rows:
        cells = [_write_cell(cell) for cell in row]
        if not width:
            while cells and not cells[-1].strip():
                cells.pop()
            width = len(cells)
        yield cells[:width] + [""] * (width - len(cells))


def _write_cell(cell: Any) -> str:
    """Write a cell as its reader sees it: 0.35 in the format of per cent is 35%."""
    value = cell.value
    if isinstance(value, float | int) and not isinstance(value, bool) and "%" in (cell.number_format or ""):
        return f"{100 * value:.12g}%"
    return "" if value is None else str(value)
