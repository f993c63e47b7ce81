"""Workbooks made for tests: plain ones, and ones with parts replaced."""

import io
import struct
import zipfile
from collections.abc import Callable, Iterable

import openpyxl

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
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


def write_ods(rows: str) -> bytes:
    """Write a sheet's rows, in XML, as an ODS workbook."""
    space, packed = "urn:oasis:names:tc:opendocument:xmlns", io.BytesIO()
    body = (
        f"<office:document-content xmlns:office='{space}:office:1.0' xmlns:table='{space}:table:1.0' "
        f"xmlns:text='{space}:text:1.0'><office:body><office:spreadsheet><table:table table:name='t'>{rows}"
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", body)
    return packed.getvalue()


def write_ods_row(*cells: str) -> str:
    """Write a row of texts and of cells in XML."""
    text = "<table:table-cell office:value-type='string'><text:p>{}</text:p></table:table-cell>"
    return f"<table:table-row>{''.join(c if c.startswith('<') else text.format(c) for c in cells)}</table:table-row>"


def write_xlsb(sheets: dict[str, list[list[object]]]) -> bytes:
    """Write sheets of texts and numbers as an XLSB workbook, record by record (MS-XLSB 2.3)."""
    packed, rels, list_of_sheets = io.BytesIO(), "", b""
    with zipfile.ZipFile(packed, "w") as archive:
        for number, (name, rows) in enumerate(sheets.items(), start=1):
            list_of_sheets += _record(156, struct.pack("<II", 0, number) + _wide(f"rId{number}") + _wide(name))
            rels += f'<Relationship Id="rId{number}" Target="worksheets/sheet{number}.bin" Type="{RELATION}worksheet"/>'
            archive.writestr(f"xl/worksheets/sheet{number}.bin", _write_xlsb_sheet(rows))
        book = _record(131) + _record(143) + list_of_sheets + _record(144) + _record(132)
        archive.writestr("xl/workbook.bin", book)
        archive.writestr("xl/_rels/workbook.bin.rels", f'<Relationships xmlns="{PACKAGE}">{rels}</Relationships>')
    return packed.getvalue()


def _write_xlsb_sheet(rows: list[list[object]]) -> bytes:
    size = struct.pack("<IIII", 0, len(rows) - 1, 0, max(map(len, rows)) - 1)
    content = _record(129) + _record(148, size) + _record(145)
    for i, row in enumerate(rows):
        content += _record(0, struct.pack("<I", i) + bytes(21))
        for j, cell in enumerate(row):
            value = _wide(cell) if isinstance(cell, str) else struct.pack("<d", cell)
            content += _record(6 if isinstance(cell, str) else 5, struct.pack("<II", j, 0) + value)
    return content + _record(146) + _record(130)


def _record(kind: int, data: bytes = b"") -> bytes:
    return _varint(kind) + _varint(len(data)) + data


def _varint(number: int) -> bytes:
    low, high = number & 0x7F, number >> 7
    return bytes([low | 0x80, *_varint(high)]) if high else bytes([low])


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")
