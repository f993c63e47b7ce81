"""Excel and OpenDocument workbooks: the sheet with the table, its cells as a person sees them."""

import datetime
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any
from zipfile import BadZipFile, ZipFile

import python_calamine

from core.clinical import fold_word
from core.errors import TableError
from core.tabular.header import describe_header, find_header, find_known, take_names_above
from core.tabular.marks import Marks, check_archive, read_marks
from core.tabular.number_formats import format_number
from core.tabular.opendocument import CONTENT, read_ods_marks
from core.tabular.table import MAX_COLUMNS, MAX_ROWS, TOO_MANY_COLUMNS, TOO_MANY_ROWS, TextTable, build_table

DAMAGED = "The workbook is damaged or is none; save it again as .xlsx, or as CSV."
NO_TABLE = "The workbook has no sheet with cells; give one with a header row."
PROTECTED = "The workbook is protected by a password; save it without one."
HIDDEN = "Hidden in the sheet, by a filter or by hand, but read too: {count}."
PLAIN_NUMBERS = "Number formats are read in XLSX and ODS only: what this workbook shows as 00012 is read as 12."
ALIKE = 3  # names that two sheets share
NO_SUCH = "The workbook shows no sheet '{name}'; it has {listed}."
SEARCHED, SHOWN = 20, 30
SEARCHED_SHEETS = 50
Cells = list[list[Any]]
Merge = tuple[tuple[int, int], tuple[int, int]]


def read_workbook(content: bytes, sheet: str) -> TextTable:
    """Read the table of a workbook."""
    parts = _list_parts(content) if content.startswith(b"PK") else set()
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(BytesIO(content))
        names = _list_sheets(book)
        own, alike = _take_sheet(book, names, sheet) if sheet else _choose_sheet(book, names)
        cells = _take_cells(own)
    except python_calamine.PasswordError:
        raise TableError(PROTECTED) from None
    except python_calamine.CalamineError:
        raise TableError(DAMAGED) from None
    marks = _read_marks(content, own.name, parts)
    merged = [*(own.merged_cell_ranges or ()), *marks.merged]
    table = _build(_write_cells(cells, marks), merged, _note_choice(own.name, book.sheet_names, sheet))
    hidden = len({row + 1 for row in marks.hidden} & {*table.rows})
    notes = [HIDDEN.format(count="1 row" if hidden == 1 else f"{hidden} rows")] if hidden else []
    notes += [] if {"xl/workbook.xml", CONTENT} & parts else [PLAIN_NUMBERS]
    others = tuple(name for name in names if name != own.name)
    return replace(table, notes=(*table.notes, *notes), sheets=(own.name, *others), alike=tuple(alike))


def _list_parts(content: bytes) -> set[str]:
    try:
        check_archive(content)
        with ZipFile(BytesIO(content)) as archive:
            return {name.lower() for name in archive.namelist()}
    except BadZipFile:
        raise TableError(DAMAGED) from None


def _read_marks(content: bytes, sheet: str, parts: set[str]) -> Marks:
    if "xl/workbook.xml" in parts:
        return read_marks(content, sheet)
    return read_ods_marks(content, sheet) if CONTENT in parts else Marks()


def _list_sheets(book: python_calamine.CalamineWorkbook) -> list[str]:
    """List the sheets that are shown; charts and hidden sheets are passed over."""
    return [
        sheet.name
        for sheet in book.sheets_metadata[:SEARCHED_SHEETS]
        if sheet.typ == python_calamine.SheetTypeEnum.WorkSheet
        and sheet.visible == python_calamine.SheetVisibleEnum.Visible
    ]


def _take_sheet(
    book: python_calamine.CalamineWorkbook, names: list[str], sheet: str
) -> tuple[python_calamine.CalamineSheet, list[str]]:
    """Give the sheet that a person named; no other is asked about then."""
    return book.get_sheet_by_name(_find_named(names, sheet)), []


def _choose_sheet(
    book: python_calamine.CalamineWorkbook, names: list[str]
) -> tuple[python_calamine.CalamineSheet, list[str]]:
    """Give the first of the sheets with the most known column names, and those that hold a table of the same kind."""
    sheets = [book.get_sheet_by_name(name) for name in names]
    known = [_find_names(sheet) for sheet in sheets]
    if not any(sheet.height for sheet in sheets):
        raise TableError(NO_TABLE)
    best = max(range(len(sheets)), key=lambda i: (len(known[i]), bool(sheets[i].height)))
    alike = []
    for i, sheet in enumerate(sheets):
        shared = len(known[i] & known[best])
        if i != best and shared >= ALIKE and 2 * shared > len(known[best]) and _differ(sheet, sheets[best]):
            alike.append(names[i])
    return sheets[best], alike


def _find_names(sheet: python_calamine.CalamineSheet) -> frozenset[str]:
    """Give the known column names of the row that has the most of them."""
    rows = zip(range(SEARCHED), sheet.iter_rows(), strict=False) if sheet.height else ()
    return max((find_known([str(cell) for cell in row]) for _, row in rows), key=len, default=frozenset())


def _differ(one: python_calamine.CalamineSheet, other: python_calamine.CalamineSheet) -> bool:
    is_large = max(one.total_height, other.total_height) > 2 * MAX_ROWS
    return is_large or one.to_python() != other.to_python()


def _find_named(names: list[str], sheet: str) -> str:
    """Find the sheet that a person named, or by its number."""
    for name in names:
        if fold_word(name) == fold_word(sheet):
            return name
    if sheet.isdecimal() and 0 < int(sheet) <= len(names):
        return names[int(sheet) - 1]
    listed = ", ".join(f"'{name[:SHOWN]}'" for name in names[:SEARCHED])
    raise TableError(NO_SUCH.format(name=sheet[:SHOWN], listed=listed))


def _note_choice(name: str, names: list[str], asked: str) -> list[str]:
    """Say which of several sheets was read, and how another is chosen."""
    if len(names) == 1:
        return []
    other = "" if asked else " Choose another: --sheet NAME."
    return [f"Sheet '{name[:SHOWN]}' was read, {names.index(name) + 1} of {len(names)}.{other}"]


def _take_cells(sheet: python_calamine.CalamineSheet) -> Cells:
    if sheet.total_width > MAX_COLUMNS:
        raise TableError(TOO_MANY_COLUMNS)
    cells = sheet.to_python(skip_empty_area=False)
    if len(cells) > 2 * MAX_ROWS:
        raise TableError(TOO_MANY_ROWS)
    return cells


def _write_cells(cells: Cells, marks: Marks) -> list[list[str]]:
    """Write every cell as text, as the sheet shows it."""
    written = [[value if type(value) is str else _write_cell(value) for value in row] for row in cells]
    for (row, column), code in marks.formats.items():
        if row < len(cells) and column < len(cells[row]):
            value = cells[row][column]
            if isinstance(value, float | int) and not isinstance(value, bool):
                written[row][column] = format_number(value, code)
    for (row, column), text in marks.texts.items():
        if row < len(cells) and column < len(cells[row]):
            written[row][column] = text
    return written


def _write_cell(value: object) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float | int):
        return f"{value:.15g}" if abs(value) < 1e15 else f"{value:.0f}"
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    return str(value)


def _build(written: list[list[str]], merged: list[Merge], notes: list[str]) -> TextTable:
    rows = list(_number_rows(written))
    if not rows:
        raise TableError(NO_TABLE)
    position = find_header(rows)
    row, header = rows[position]
    notes += describe_header(row, position)
    header, more = take_names_above(header, rows[position - 1][1] if position else [])
    notes += more
    notes += _fill_merged(written, merged, row)
    records = [(number, cells) for number, cells in _number_rows(written) if number > row]
    return build_table(header, records, notes)


def _number_rows(written: list[list[str]]) -> Iterator[tuple[int, list[str]]]:
    for number, cells in enumerate(written, start=1):
        if any(cell.strip() for cell in cells):
            yield number, cells


def _fill_merged(written: list[list[str]], merged: list[Merge], header: int) -> list[str]:
    """Give every row of a merged cell its value; a merge across columns alone, as of a title, stays as it is."""
    filled = 0
    for (top, left), (bottom, _) in merged:
        if top >= header and bottom > top and bottom < len(written):
            filled += 1
            for row in range(top + 1, bottom + 1):
                written[row][left] = written[top][left]
    return [f"{filled} merged cells count for each of their rows."] if filled else []
