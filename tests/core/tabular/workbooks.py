"""Workbooks made for tests: plain ones, and ones with parts replaced."""

import io
import zipfile
from collections.abc import Callable, Iterable

import openpyxl

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHEET, STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"


def write_workbook(
    rows: Iterable[Iterable[object]], change: Callable[[openpyxl.Workbook], None] | None = None
) -> bytes:
    """Write rows to the first sheet of a workbook, and change it."""
    book, content = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(list(row))
    if change is not None:
        change(book)
    book.save(content)
    return content.getvalue()


def replace_parts(content: bytes, parts: dict[str, bytes]) -> bytes:
    """Pack a workbook again with other parts."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in {*old.namelist(), *parts}:
            new.writestr(name, parts.get(name) or old.read(name))
    return packed.getvalue()


def write_sheet(rows: str) -> bytes:
    """Write a sheet's XML around its rows."""
    return f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'.encode()
