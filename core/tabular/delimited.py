"""CSV and its relatives: encoding, separator and strict quoting."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import pyarrow as pa

from core.errors import TableError
from core.tabular.encodings import SEPARATORS, decode_text
from core.tabular.header import SEARCHED, count_known, describe_header, find_header, take_names_above
from core.tabular.lines import Split, split_cells, split_lines
from core.tabular.table import MAX_ROWS, TOO_MANY_ROWS, TextTable, build_table, check_size, clean_cells

PEEKED_LINES = 30
MAX_CELL = 100_000
CUT_OFF = "The table breaks off inside a quoted cell that opens in line {line}; close the quote or remove it."
STRAY = 'A stray quote (") in or before line {line} of the table swallows what follows; remove it, or double it.'
SWALLOWED = (
    "A quoted cell runs from line {line} to line {end} of the table and holds whole rows: a stray quote. Remove it."
)
CUT_DECIMALS = (
    "The rows have more cells than the header has names, and those beyond hold only digits: decimal commas in a file "
    "that parts its columns by commas. Save it with semicolons, or name the last column if it is something else."
)
SPACES = "The columns seem to be parted by blanks: save the table with commas, semicolons or tabs."
TOO_LONG = "The table holds a cell that is too long in line {line}: it is not a table, or a quote never closes."


def read_delimited(content: bytes, encoding: str) -> TextTable:
    """Read a text table."""
    text, notes = decode_text(content, encoding)
    _refuse_blanks(text)
    separator = _find_separator(text)
    table = _read_parted(text, separator, notes)
    if separator == "," and _ends_in_decimals(table):
        raise TableError(CUT_DECIMALS)
    return table


def _refuse_blanks(text: str) -> None:
    """Refuse a table whose columns are parted by blanks, as R writes them by default."""
    line = next((line for line in text[:MAX_CELL].splitlines() if line.strip()), "")
    if not any(mark in line for mark in SEPARATORS) and count_known(line.replace('"', " ").split()) > 1:
        raise TableError(SPACES)


def _ends_in_decimals(table: TextTable) -> bool:
    """Tell whether the last columns have no name and hold only digits, as those of 0,574 parted at its comma."""
    if not table.header or table.header[-1]:
        return False
    cells = [cell for cell in table.columns[-1].to_pylist() if cell]
    return 2 * len(cells) > len(table.rows) and all(map(str.isdecimal, cells)) and len({*cells}) > 1


def _read_parted(text: str, separator: str, notes: list[str]) -> TextTable:
    """Read the rows of a text whose separator is known."""
    lines = split_lines(text)
    found = _read_rows(text, separator)
    rows = list(found if lines is None else islice(found, SEARCHED))
    position = find_header(rows)
    if not rows:
        return build_table([], [], notes)
    row, header = rows[position]
    notes += describe_header(row, position)
    header, more = take_names_above(header, rows[position - 1][1] if position else [])
    notes += more
    named = max((i + 1 for i, cell in enumerate(header) if cell.strip()), default=0)
    for width in dict.fromkeys((len(header), named)):
        split = None if lines is None else split_cells(lines[row:], row + 1, separator, width)
        if split is not None and (width == named or not split.odd):  # a nameless end counts where every row has it
            return _join(header[:width], split, separator, notes)
    records = [*rows[position + 1 :], *found]
    is_even = all(len(cells) == len(header) for _, cells in records)
    return build_table(header if is_even else header[:named], records, notes)


def _join(header: list[str], split: Split, separator: str, notes: list[str]) -> TextTable:
    """Put the lines of other lengths in their places, or refuse them by number."""
    check_size(header, len(split.rows) + len(split.odd))
    records = [(number, next(csv.reader([line], delimiter=separator, strict=True))) for number, line in split.odd]
    others = build_table(header, records, notes)
    columns, rows = tuple(map(clean_cells, split.columns)), (*split.rows, *others.rows)
    if others.rows:
        order = pa.array(sorted(range(len(rows)), key=rows.__getitem__))
        columns = tuple(pa.concat_arrays(both).take(order) for both in zip(columns, others.columns, strict=True))
    return replace(others, columns=columns, rows=tuple(sorted(rows)))


def _peek(text: str, mark: str) -> list[list[str]]:
    """Split the first lines that say something; quotes that go wrong matter later."""
    lines = (line for line in io.StringIO(text[:MAX_CELL], newline=None) if line.strip() and not _is_hint(line))
    return [line.rstrip("\n").replace('"', "").split(mark) for _, line in zip(range(PEEKED_LINES), lines, strict=False)]


def _is_hint(line: str) -> bool:
    """Tell whether a line is Excel's hint at the separator, as "sep=;"."""
    return line.strip().lower().startswith("sep=")


def _find_separator(text: str) -> str:
    """Give the separator that shows the most known names; then the one that splits the first lines most."""

    def rate(mark: str) -> tuple[int, int]:
        rows = _peek(text, mark)
        return max((count_known(row) for row in rows), default=0), len(rows[0]) if rows else 0

    return max(SEPARATORS, key=rate)


def _read_rows(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Give number and cells of each row that is not empty; a quote must open and close a cell."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line, marks, found = 1, 0, 0
    for number, cells in enumerate(_guard(reader), start=1):
        if reader.line_num > line and _swallows(cells, separator, marks):
            raise TableError(SWALLOWED.format(line=line, end=reader.line_num))
        line = reader.line_num + 1
        if not any(cell.strip() for cell in cells) or (not found and _is_hint(cells[0])):
            continue
        marks, found = max(marks, len(cells) - 1), found + 1
        if found > MAX_ROWS + PEEKED_LINES:
            raise TableError(TOO_MANY_ROWS)
        yield number, cells


def _swallows(cells: list[str], separator: str, marks: int) -> bool:
    """Tell whether a row of several lines holds whole rows, or the end of one and the start of another, in a quote."""
    if len(cells) - 1 != marks and marks:
        return True
    for position, cell in enumerate(cells):
        first, *inner, last = cell.splitlines() if "\n" in cell or "\r" in cell else ("", "")
        counts = [line.count(separator) for line in (first, *inner, last)]
        if marks and (max(counts) >= marks or (counts[0] >= marks - position and counts[-1] >= position)):
            return True
    return False


def _guard(reader: Any) -> Iterator[list[str]]:
    last = 0
    try:
        for cells in reader:
            last = reader.line_num
            yield cells
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise TableError(CUT_OFF.format(line=last + 1)) from None
        sentence = TOO_LONG if "field larger" in str(error) else STRAY
        raise TableError(sentence.format(line=last + 1 if sentence is TOO_LONG else reader.line_num)) from None
