"""Small files that are dear to read: images of many scans, workbooks of far, many and repeated cells."""

import io
from functools import cache

import numpy as np
from PIL import Image

from tests.core.tabular.workbooks import SHEET, STRINGS, replace_parts, write_sheet, write_workbook

ROWS = [["patient_id", "y", "prob"], ["P1", 1, 0.75]]


@cache
def _write_scans(scans: int, side: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (side, side), 90).save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * (scans - data.count(b"\xff\xda") + 1) + b"\xff\xd9"


def write_many_scans(scans: int, side: int, number: int) -> bytes:
    """Write a progressive JPEG whose last scan is repeated; each number gives another file, so none is remembered."""
    return _write_scans(scans, side) + np.uint32(number).tobytes()


def write_far_cells(cells: int = 3_000) -> bytes:
    """Write a workbook with cells in the last column that there is."""
    rows = "".join(f'<row r="{row}"><c r="XFD{row}"><v>1</v></c></row>' for row in range(1, cells + 1))
    return replace_parts(write_workbook(ROWS), {SHEET: write_sheet(rows)})


def write_many_strings(strings: int = 5_500_000) -> bytes:
    """Write a workbook of some hundred kilobytes with millions of shared strings."""
    return replace_parts(write_workbook(ROWS), {STRINGS: b"<sst>" + b"<si/>" * strings + b"</sst>"})


def write_many_cells(rows: int, columns: int) -> bytes:
    """Write a workbook whose cells are all alike, so that it packs well."""
    row = "<row>" + '<c t="n"><v>1</v></c>' * columns + "</row>"
    return replace_parts(write_workbook(ROWS), {SHEET: write_sheet(row * rows)})
