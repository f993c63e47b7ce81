"""Text tables: encodings, separators, titles, quotes."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import TableError
from core.tabular import read_table

PLAIN = "patient_id,y,prob\nP1,1,0.75\nP2,0,0.25\n"


def list_rows(table):
    return [list(row) for row in zip(*(column.to_pylist() for column in table.columns), strict=True)]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("title", ["", "Cohort of 2024, locked\n", "Export; all\n\nby: us, them\n"])
def test_any_separator_encoding_and_title(mark, encoding, title):
    table = read_table((title + PLAIN.replace(",", mark)).encode(encoding))
    assert table.header == ("patient_id", "y", "prob")
    assert list_rows(table) == [["P1", "1", "0.75"], ["P2", "0", "0.25"]]
    assert any("passed over" in note for note in table.notes) == bool(title)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("患者编号,结局,概率\n病人1,1,0.5\n", "gb18030"), ("patient_id,y,prob,centre\nP1,1,0.5,Köln\n", "cp1252")],
)
def test_older_encodings_are_told_by_their_column_names(text, encoding):
    table = read_table(text.encode(encoding))
    assert table.header == tuple(text.split("\n")[0].split(","))
    assert list_rows(table) == [text.split("\n")[1].split(",")]
    assert len(table.notes) == 1


@pytest.mark.parametrize(
    "lines",
    [
        ['P1,1,0.5,"5 mm', "P2,0,0.2,", 'P3,1,0.4,6 mm"', "P4,0,0.1,"],
        ['P1,1,0.5,"5 mm', 'P2,0,0.2,6 mm"', "P3,1,0.4,"],
        ['P1,1,"0.5,x', 'P2,0,0.2",y', "P3,1,0.4,"],
        ['"P1,1,0.5,x', 'P2",0,0.2,y', "P3,1,0.4,"],
        ['P1,1,0.5,"5 mm', "P2,0,0.2,", "P3,1,0.4,"],
        ['P1,1,0.5,"5" mm', "P2,0,0.2,"],
    ],
)
def test_a_stray_quote_swallows_no_patient(lines):
    with pytest.raises(TableError, match=r"line [23]"):
        read_table("\n".join(["patient_id,y,prob,note", *lines]).encode())


def test_quotes_that_belong_to_a_cell():
    lines = ["patient_id,y,prob,note", 'P1,1,0.5,"two\nlines, and ""quotes"""', 'P2,0,0.2,5" wide']
    assert [row[3] for row in list_rows(read_table("\n".join(lines).encode()))] == [
        'two\nlines, and "quotes"',
        '5" wide',
    ]


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_column_without_a_name_costs_no_row_and_is_said(quote):
    rows = [f"P{i},{i % 2},0.5,{quote}{'seen' if i == 3 else ''}{quote}" for i in range(5)]
    table = read_table("\n".join(["patient_id,y,prob,", *rows]).encode())
    assert (table.header, len(table.rows), table.refused) == (("patient_id", "y", "prob"), 5, ())
    assert table.notes == ("Column 4: not read, for no name stands above.",)
    first = read_table("\n".join([",y,prob,", *rows[:3]]).encode())
    assert (first.header, first.notes) == (("y", "prob"), ("Column 1: not read, for no name stands above.",))


def test_a_cell_too_many_in_some_rows_may_be_a_shift_and_costs_them():
    table = read_table(b"patient_id,y,prob,\nP1,1,0.5\nP2,1,0,5\n")
    assert table.rows == (2,)
    assert table.refused == ((3, "4 cells where the header has 3"),)


CELL = st.text(st.sampled_from("ab1.,;' \u00a0\tä"), max_size=4) | st.sampled_from(["", '"a,b"', '" "', "'=1", "sep=;"])
ROW = st.lists(CELL, min_size=1, max_size=5)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(ROW, max_size=40),
    end=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from([",", ";", "\t"]),
    nameless=st.integers(0, 2),
)
def test_lines_split_at_once_are_what_csv_reads(monkeypatch, rows, end, mark, nameless):
    content = end.join([f"patient_id{mark}y{mark}prob{mark * nameless}", *(mark.join(row) for row in rows)]).encode()

    def read():
        try:
            table = read_table(content)
        except TableError as error:
            return str(error)
        return table.header, list_rows(table), table.rows, table.refused, table.notes

    at_once = read()
    with monkeypatch.context() as patch:
        patch.setattr("core.tabular.delimited.split_lines", lambda _: None)
        assert read() == at_once


def test_a_text_hidden_from_spreadsheets_is_that_text():
    table = read_table(b'patient_id,y,prob\n="00012",1,0.5\n"=""00013""",0,0.2\n')
    assert table.columns[0].to_pylist() == ["00012", "00013"]
