"""Workbooks as they come: read as a person sees them, or refused in a sentence within a few seconds."""

import io
import os
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from openpyxl.chart import BarChart

from core.errors import TableError
from core.tabular import FORMULA, read_table
from core.turns import OWNER
from tests.core.tabular.workbooks import (
    SHEET,
    STRINGS,
    replace_parts,
    write_ods,
    write_ods_row,
    write_sheet,
    write_workbook,
    write_xlsb,
)

ROWS = [["patient_id", "y", "prob"], ["P1", 1, 0.75], ["P2", 0, 0.25]]


def list_rows(table):
    return [list(row) for row in zip(*(column.to_pylist() for column in table.columns), strict=True)]


def test_ids_are_read_as_the_sheet_shows_them():
    def change(book):
        for row, code in zip(range(2, 7), ["00000", '"P-"000', "000-000", "0", "@"], strict=True):
            book.active.cell(row, 1).number_format = code

    rows = [["patient_id"], [7], [7], [123456], [12345678], ["007"]]
    table = read_table(write_workbook(rows, change))
    assert table.columns[0].to_pylist() == ["00007", "P-007", "123-456", "12345678", "007"]


def test_merged_cells_count_for_their_rows_but_a_merged_title_does_not():
    def change(book):
        book.active.merge_cells("A1:C1")
        book.active.merge_cells("A3:A4")

    table = read_table(write_workbook([["A cohort"], *ROWS], change))
    assert table.header == ("patient_id", "y", "prob")
    assert table.columns[0].to_pylist() == ["P1", "P1"]
    assert table.rows == (3, 4)


def test_a_remark_beside_the_table_costs_no_row_and_is_said():
    table = read_table(write_workbook([["patient_id", "y", "prob"], ["P1", 1, 0.5], ["P2", 0, 0.2, "called back"]]))
    assert (table.header, table.rows, table.refused) == (("patient_id", "y", "prob"), (2, 3), ())
    assert table.notes == ("Column 4: not read, for no name stands above.",)


def test_formulas_errors_dates_and_truth_values():
    rows = [["patient_id", "y", "prob", "exam_date"], ["P1", True, "=1/2", pd.Timestamp("2024-03-01")]]
    table = read_table(write_workbook(rows))
    assert list_rows(table) == [["P1", "TRUE", FORMULA, "2024-03-01"]]


def test_chart_sheets_hidden_sheets_and_other_sheets_are_passed_over():
    def change(book):
        book.create_chartsheet("chart", 0).add_chart(BarChart())
        book.create_sheet("notes", 1).append(["read me", "first"])
        hidden = book.create_sheet("old", 1)
        hidden.append(["patient_id", "y", "prob", "centre"])
        hidden.sheet_state = "hidden"

    table = read_table(write_workbook(ROWS, change))
    assert list_rows(table) == [["P1", "1", "0.75"], ["P2", "0", "0.25"]]
    assert table.notes == ("Sheet 'Sheet' was read, 4 of 4. Choose another: --sheet NAME.",)


FAR = "".join(f'<row r="{i}"><c r="XFD{i}"><v>1</v></c></row>' for i in range(1, 3001))
HALF = ("<row>" + "<c ><v>1</v></c>" * 100 + "</row>") * 26_000
MANY = HALF * 2
LOW = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="CZ1048576"><v>1</v></c></row>'
ENTITY = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + write_sheet('<row r="1"><c r="A1"><v>&a;</v></c></row>')


@pytest.mark.parametrize(
    ("parts", "match"),
    [
        ({SHEET: write_sheet(FAR)}, "more than 1,000 columns"),
        ({STRINGS: b"<sst>" + b"<si/>" * 1_600_000 + b"</sst>"}, "different texts"),
        ({SHEET: write_sheet(MANY)}, "more than 5,000,000 cells"),
        ({SHEET: write_sheet(HALF), "xl/worksheets/sheet2.xml": write_sheet(HALF)}, "more than 5,000,000 cells"),
        ({"xl/worksheets/sheet1.bin": bytes(80_000_000)}, "more than 5,000,000 cells"),
        ({SHEET: write_sheet(LOW)}, "memory"),
        ({SHEET: ENTITY}, "no sheet with cells"),
        ({SHEET: b"<worksheet><sheetData><row"}, "damaged"),
        ({"xl/styles.xml": b"<styleSheet><cellXfs><xf numFmtId='x'/></cellXfs></styleSheet>"}, None),
    ],
    ids=[
        "far column",
        "strings",
        "cells",
        "cells of two sheets",
        "cells of XLSB",
        "far row",
        "entities",
        "cut",
        "styles",
    ],
)
def test_parts_that_are_hostile_or_broken(parts, match):
    content = replace_parts(write_workbook(ROWS), parts)
    if match is None:
        assert len(read_table(content).rows) == 2
        return
    with pytest.raises(TableError, match=match):
        read_table(content)


def test_a_protected_entry_and_a_cut_archive():
    content = bytearray(write_workbook(ROWS))
    for start in (content.find(b"PK\x03\x04") + 6, content.find(b"PK\x01\x02") + 8):
        content[start] |= 1
    with pytest.raises(TableError, match="protected by a password"):
        read_table(bytes(content))
    with pytest.raises(TableError, match="damaged"):
        read_table(write_workbook(ROWS)[:-200])


def test_more_than_the_time_allowed(monkeypatch):
    monkeypatch.setattr("core.tabular.apart.get_setting", {"table_seconds": 0.01, "table_memory_mb": 2048}.get)
    with pytest.raises(TableError, match="took longer than"):
        read_table(write_workbook(ROWS))


def test_a_long_table_stands_back_and_is_read(monkeypatch):
    asked = []
    monkeypatch.setattr("core.tabular.apart.STEPS_BACK_SECONDS", 0.01)
    monkeypatch.setattr("core.tabular.apart.os.setpriority", lambda *of: asked.append(of[2]))
    assert len(read_table(write_workbook(ROWS)).rows) == 2
    assert asked == [os.nice(0) + 10]


def test_a_table_longer_than_a_pipe_is_sent_whole_to_a_process_that_starts_late(monkeypatch):
    monkeypatch.setattr("core.tabular.apart.STEPS_BACK_SECONDS", 0.001)
    content = b"patient_id,prob\n" + b"".join(b"P-%06d,0.5\n" % i for i in range(200_000))
    assert len(read_table(content).rows) == 200_000


def test_an_owner_reads_one_table_at_a_time(monkeypatch):
    running, most = [], []

    class Counted(subprocess.Popen):
        def __enter__(self):
            running.append(OWNER.get())
            most.append(Counter(running))
            return super().__enter__()

        def __exit__(self, *of):
            running.remove(OWNER.get())
            return super().__exit__(*of)

    def read(owner):
        OWNER.set(owner)
        return len(read_table(write_workbook(ROWS)).rows)

    monkeypatch.setattr("core.tabular.apart.subprocess.Popen", Counted)
    with ThreadPoolExecutor(6) as threads:
        jobs = [threads.submit(copy_context().run, read, owner) for owner in "aaab"]
        assert [job.result(100) for job in jobs] == [2, 2, 2, 2]
    assert max(count for held in most for count in held.values()) == 1
    assert not running


def test_more_than_the_memory_allowed(monkeypatch):
    monkeypatch.setattr("core.tabular.apart.get_setting", {"table_seconds": 60, "table_memory_mb": 64}.get)
    with pytest.raises(TableError, match="memory"):
        read_table(write_workbook(ROWS))


def test_opendocument_and_parquet():
    packed, parquet = write_ods("".join(write_ods_row(*map(str, row)) for row in ROWS)), io.BytesIO()
    pd.DataFrame(ROWS[1:], columns=ROWS[0]).to_parquet(parquet)
    for content in (packed, parquet.getvalue()):
        table = read_table(content)
        assert table.header == ("patient_id", "y", "prob")
        assert list_rows(table) == [["P1", "1", "0.75"], ["P2", "0", "0.25"]]


def test_a_long_text_table_is_read_in_the_process_too():
    content = b"patient_id,y,prob\n" + b"".join(b"P%d,1,0.5\n" % i for i in range(120_000))
    assert len(read_table(content).rows) == 120_000


def write_ods_number(value, shown, kind="float", more=""):
    return (
        f"<table:table-cell office:value-type='{kind}' office:value='{value}' {more}>"
        f"<text:p>{shown}</text:p></table:table-cell>"
    )


def test_opendocument_is_read_as_the_sheet_shows_it():
    rows = write_ods_row("patient_id", "centre", "ki67_pct", "rfs_months")
    for i, shown in enumerate(("00012", "K-0013", "014", "15.0")):
        number = write_ods_number(i + 12, shown)
        centre = (
            write_ods_number(7, 7, more="table:number-rows-spanned='3'") if not i else "<table:covered-table-cell/>"
        )
        formula = "<table:table-cell table:formula='of:=1+1'/>" if i == 3 else write_ods_number(40 + i, 40 + i)
        rows += write_ods_row(number, centre, write_ods_number(i / 10, f"{i}0%", "percentage"), formula)
    table = read_table(write_ods(rows))
    assert list_rows(table) == [
        ["00012", "7", "0%", "40"],
        ["K-0013", "7", "10%", "41"],
        ["014", "7", "20%", "42"],
        ["15", "", "30%", FORMULA],
    ]
    assert table.notes == ("1 merged cells count for each of their rows.",)


@pytest.mark.parametrize(
    ("code", "value", "shown"),
    [
        ("0%", 0.35, "35%"),
        ("0.0%", 0.3519, "35.19%"),
        ('0" %"', 35, "35%"),
        ('0.0\\ "%"', 35.5, "35.5%"),
        ("0\\%", 35, "35%"),
        ("[$-407]00000", 7, "00007"),
        ("[$-409]0.00%", 0.35, "35%"),
        ("#,##0", 1234567, "1234567"),
        ("0.00E+00", 123456, "123456"),
        ('0" days"', 72, "72 days"),
        ('0" days"', 45.5, "45.5 days"),
        ('#,##0.0\\ "Jahre"', 1045.52, "1045.52 Jahre"),
        ('General" mm"', 12.5, "12.5 mm"),
        ("[$-407]0.0\\ \\c\\m", 1.24, "1.24 cm"),
        ('"yes";;"no"', 1, "yes"),
        ('"yes";;"no"', 0, "no"),
        ('[=1]"low";[=0]"high"', 1, "low"),
        ('[=1]"low";[=0]"high"', 0, "high"),
        ("0;-0;;@", 0, "0"),
        ('0;-0;"-"', 0, "0"),
        ('_-* #,##0.00_-;-* #,##0.00_-;_-* "-"??_-;_-@_-', 0.574, "0.574"),
        ("[Red]0.00;[Blue]-0.00", 0.574, "0.574"),
        ('0" ' + "d" * 300 + '"', 72, "72"),
    ],
)
def test_a_number_is_what_its_format_shows(code, value, shown):
    def change(book):
        book.active["C2"].number_format = code

    rows = [ROWS[0], ["P1", 1, value]]
    assert list_rows(read_table(write_workbook(rows, change))) == [["P1", "1", shown]]


@pytest.mark.parametrize(
    ("value", "shown", "read"),
    [(72.4, "72 days", "72.4 days"), (1, "low", "low"), (5.25, "5,3 Jahre", "5.25 Jahre"), (1500, "1.5E+03", "1500")],
)
def test_opendocument_shows_units_and_words(value, shown, read):
    rows = write_ods_row("patient_id", "y", "prob") + write_ods_row("P1", "1", write_ods_number(value, shown))
    assert list_rows(read_table(write_ods(rows))) == [["P1", "1", read]]


def test_a_header_alone_is_a_table_without_rows():
    assert read_table(write_workbook(ROWS[:1])).header == ("patient_id", "y", "prob")


def test_a_workbook_without_cells():
    content = io.BytesIO()
    openpyxl.Workbook().save(content)
    with pytest.raises(TableError, match="no sheet with cells"):
        read_table(content.getvalue())


def test_hidden_rows_are_read_and_said():
    def hide(book):
        book.active.row_dimensions[3].hidden = True

    table = read_table(write_workbook(ROWS, hide))
    assert len(table.rows) == len(ROWS) - 1
    assert "Hidden in the sheet, by a filter or by hand, but read too: 1 row." in table.notes


def write_two_sheets():
    def change(book):
        book.active.title = "North"
        book.create_sheet("South").append(["patient_id", "y", "prob"])
        book["South"].append(["S1", 0, 0.1])

    return write_workbook(ROWS, change)


@pytest.mark.parametrize(("sheet", "first"), [("", "P1"), ("South", "S1"), (" south ", "S1"), ("2", "S1")])
def test_which_of_several_sheets_is_read_is_said_and_can_be_chosen(sheet, first):
    table = read_table(write_two_sheets(), sheet=sheet)
    assert table.columns[0][0].as_py() == first
    assert set(table.sheets) == {"North", "South"}
    assert table.notes[0].startswith(f"Sheet '{table.sheets[0]}' was read")
    assert ("--sheet" in table.notes[0]) == (not sheet)


def test_a_sheet_that_is_not_there():
    with pytest.raises(TableError, match="shows no sheet 'West'; it has 'North', 'South'"):
        read_table(write_two_sheets(), sheet="West")
    with pytest.raises(TableError, match="has no sheets, so none can be chosen"):
        read_table(b"patient_id,y,prob\nP1,1,0.5\n", sheet="West")


@pytest.mark.parametrize("kind", ["xls", "xlsb"])
@pytest.mark.parametrize(("sheet", "rows"), [("", ROWS[1:]), ("South", [["S1", 0, 0.1]])])
def test_older_and_binary_workbooks(kind, sheet, rows):
    sheets = {"North": ROWS, "South": [ROWS[0], ["S1", 0, 0.1]]}
    content = write_xlsb(sheets) if kind == "xlsb" else (Path(__file__).parent / "cases/two_sheets.xls").read_bytes()
    table = read_table(content, sheet=sheet)
    assert table.header == ("patient_id", "y", "prob")
    assert list_rows(table) == [[str(cell) for cell in row] for row in rows]
