"""Prediction tables: formats, columns, and row-wise refusal."""

import io

import numpy as np
import openpyxl
import pandas as pd
import pytest

from core.cohort import Choices, read_predictions
from core.errors import TableError
from models.cutoff import Cutoff

HEADER = "patient_id,split,centre,y,prob,prob_clinical"


def make_csv(*rows, header=HEADER):
    return "\n".join([header, *rows]).encode()


def test_plain_csv():
    result = read_predictions(make_csv("P1,train,A,1,0.8,0.7", "P2,external,D,0,0.1,"))
    assert result.table["patient_id"].tolist() == ["P1", "P2"]
    assert result.table["split"].tolist() == ["train", "external"]
    assert result.table["y"].tolist() == [1.0, 0.0]
    assert result.table["prob"].tolist() == [0.8, 0.1]
    assert np.isnan(result.table["prob_clinical"].iloc[1])
    assert (result.refused, result.notes) == ((), ())


def test_semicolons_decimal_commas_and_a_byte_order_mark():
    text = "\ufeffpatient_id;split;y;prob;size_mm\r\nP1;train;1;0,81;12,5\r\nP2;test;0;0,2;8\r\n"
    table = read_predictions(text.encode()).table
    assert table["prob"].tolist() == [0.81, 0.2]
    assert table["size_mm"].tolist() == [12.5, 8]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
def test_encodings(encoding):
    content = "patient_id\tcentre\ty\tprob\nP1\tMünchen\t1\t0.5\n".encode(encoding)
    result = read_predictions(content)
    assert result.table["centre"].tolist() == ["München"]
    assert any("Windows-1252" in note for note in result.notes) == (encoding == "latin-1")


def test_excel():
    frame = pd.DataFrame({"patient_id": ["P1", "P2"], "y": [1, 0], "prob": [0.8, 0.25], "age": [50, None]})
    content = io.BytesIO()
    frame.to_excel(content, index=False)
    table = read_predictions(content.getvalue()).table
    assert table["prob"].tolist() == [0.8, 0.25]
    assert table["age"].iloc[0] == 50
    assert np.isnan(table["age"].iloc[1])


def test_rows_with_a_bad_primary_cell_are_named_and_the_rest_is_kept():
    bad = {
        3: "P3,train,A,1,1.8,0.5",
        5: "P5,train,A,maybe,0.8,0.5",
        6: "P6,train,A,1,high,0.5",
        8: "P8,nowhere,A,1,0.8,0.5",
        9: "P2,train,A,0,0.5,0.5",
        11: ",train,A,1,0.8,0.5",
        12: "P12,,A,1,0.8,0.5",
        14: "P14,train,A,1,,0.5",
        15: "P15,train,A,1,0.8",
        17: "P17,train,A,1,0.8,-0.1",
    }
    rows = [bad.get(number, f"P{number},train,A,{number % 2},0.5,0.5") for number in range(2, 20)]
    result = read_predictions(make_csv(*rows))
    assert [row for row, _ in result.refused] == list(bad)[:-1]
    assert result.reading.rows == len(result.table) + len(result.refused) == 18
    reasons = dict(result.refused)
    assert reasons[3] == "prob is 1.8, outside 0 to 1"
    assert reasons[5] == "y: 'maybe' is neither yes nor no"
    assert reasons[6] == "prob: 'high' is not a number"
    assert reasons[8].startswith("split: 'nowhere' is none of")
    assert reasons[9].startswith("the patient of row 2 again")
    assert (reasons[11], reasons[12], reasons[14]) == ("no patient_id", "no split", "no probability")
    assert reasons[15] == "5 cells where the header has 6"
    assert 17 not in reasons
    assert len(result.table) == 9


def test_columns_of_names_are_neither_read_nor_kept_nor_told():
    content = make_csv("Ada Lovelace,P1,1,0.8,1815-12-10", "Mary Ann,P2,0,2,1820-01-01", header="name,id,y,prob,birth")
    result = read_predictions(content)
    assert list(result.table.columns) == ["patient_id", "split", "y", "prob"]
    assert result.columns == {"patient_id": "id", "y": "y", "prob": "prob"}
    assert "Ada" not in repr(result)
    assert "Mary" not in repr(result)


def test_columns_are_matched_by_name_or_mapped():
    content = make_csv("P1,D,1,0.8,9", header="Patient-ID,Hospital,High Ki67,Mein Wert,x")
    with pytest.raises(TableError, match="no column 'prob'"):
        read_predictions(content)
    result = read_predictions(content, Choices(columns={"prob": "Mein Wert"}))
    assert result.table["prob"].tolist() == [0.8]
    assert result.table["centre"].tolist() == ["D"]
    with pytest.raises(TableError, match="'absent' is not in the file"):
        read_predictions(content, Choices(columns={"prob": "absent"}))
    with pytest.raises(TableError, match="2 columns of the file fit 'prob'"):
        read_predictions(make_csv("1,0.1,0.2", header="y,risk,probability"))


def test_the_cut_off_makes_y_where_only_ki67_is_given():
    content = make_csv("P1,19.9,0.1", "P2,20,0.9", "P3,,0.5", header="patient_id,ki67_pct,prob")
    assert read_predictions(content).table["y"].fillna(-1).tolist() == [0, 1, -1]
    assert read_predictions(content, cutoff=Cutoff(14)).table["y"].fillna(-1).tolist() == [1, 1, -1]
    assert read_predictions(content, cutoff=Cutoff(20, ">")).table["y"].fillna(-1).tolist() == [0, 0, -1]
    assert "High Ki-67 is 20 % or more of ki67_pct." in read_predictions(content).notes
    both = make_csv("P1,35,0,0.1", header="patient_id,ki67_pct,y,prob")
    assert any("in 1 rows; y was used" in note for note in read_predictions(both).notes)


def test_what_is_lacking_is_said():
    result = read_predictions(make_csv("1,0.5", "0,0.5", header="y,prob"))
    assert result.table["split"].tolist() == ["external", "external"]
    assert result.table["patient_id"].tolist() == ["row 2", "row 3"]
    assert len(result.notes) == 2


def test_clinical_values_are_checked_by_the_data_dictionary():
    header = "patient_id,y,prob,age,menopausal,rfs_event"
    rows = ("P1,1,0.5,430,pre,1", "P2,1,0.5,43,premenopausal,yes", "P3,0,0.2,51,nicht bekannt,no")
    result = read_predictions(make_csv(*rows, header=header))
    assert result.refused == ()
    assert result.table["age"].tolist()[1:] == [43, 51]
    assert np.isnan(result.table["age"].iloc[0])
    assert result.table["menopausal"].tolist() == ["pre", "pre", None]
    assert result.table["rfs_event"].tolist() == [1, 1, 0]
    assert result.reading.describe() == ["age: outside 18 to 100 years in 1 row, left out."]


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"\xd0\xcf\x11\xe0 old", "is damaged or is none"),
        (b"PK\x03\x04 damaged", "damaged"),
        (b"a,b\x00c\n1,2\n", "binary"),
        (b"age,name\n50,Ann\n", "no column 'prob'"),
        (b"y,prob\n1,80\n0,20\n", "2 of 2 values are above 1. Say which: --unit prob=percent"),
        (b"y,prob\n", "no row below its header"),
        (b"\xef\xbb\xbf\n", "The table is empty"),
    ],
)
def test_files_that_are_no_prediction_table(content, match):
    with pytest.raises(TableError, match=match):
        read_predictions(content)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(TableError, match="can't be opened"):
        read_predictions(tmp_path / "absent.csv")


def test_an_empty_workbook():
    content = io.BytesIO()
    openpyxl.Workbook().save(content)
    with pytest.raises(TableError, match="no sheet with cells"):
        read_predictions(content.getvalue())


def test_too_many_rows(monkeypatch):
    monkeypatch.setattr("core.tabular.table.MAX_ROWS", 3)
    with pytest.raises(TableError, match="more than 1,000,000 rows"):
        read_predictions(make_csv(*["P,train,A,1,0.5,0.5"] * 4))


def test_blank_lines_keep_the_numbering():
    result = read_predictions(make_csv("P1,train,A,1,0.8,0.7", "", "P3,train,A,1,9,0.7"))
    assert [row for row, _ in result.refused] == [4]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_a_hint_of_excel_and_empty_cells_beyond_the_header(end):
    lines = ["sep=;", "", "patient_id;y;prob", "P1;1;70 %;", "P2;0;0,25;;", "P3;0;0,25;;x"]
    result = read_predictions(end.join(lines).encode())
    assert result.table["prob"].tolist() == [0.7, 0.25]
    assert result.refused == ((6, "5 cells where the header has 3"),)


def test_cells_in_the_format_of_per_cent_below_an_empty_row():
    book = openpyxl.Workbook()
    rows = [[], ["patient_id", "ki67_pct", "prob"], ["P1", 0.35, 0.7], ["P2", 14, 0.25], ["P3", None, 0.1]]
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row, start=1):
            book.active.cell(number, column, value)
    book.active["B3"].number_format = "0%"
    book.active["C3"].number_format = "0.0 %"
    content = io.BytesIO()
    book.save(content)
    table = read_predictions(content.getvalue()).table
    assert table["ki67_pct"].tolist()[:2] == [35, 14]
    assert table["prob"].tolist() == [0.7, 0.25, 0.1]


def test_one_endless_line_is_no_table():
    with pytest.raises(TableError, match="a cell that is too long"):
        read_predictions(b"x" * 200_000)


@pytest.mark.parametrize(
    ("words", "listed"),
    [
        (["dead"] * 6 + ["alive"] * 3, "'dead', 'alive'"),
        (["recurred"] * 6 + ["well"] * 3, "'recurred', 'well'"),
        (["no"] * 6 + ["local"] * 2, "'no', 'local'"),
    ],
)
def test_a_column_that_tells_one_side_only_is_not_read_by_half(words, listed):
    rows = [f"P{i},{i % 2},0.5,{10 + i},{word}" for i, word in enumerate(words)]
    read = read_predictions(make_csv(*rows, header="patient_id,y,prob,rfs_months,rfs_event"))
    assert "rfs_event" not in read.table
    assert any(f"rfs_event: not read. Its words are {listed};" in line for line in read.reading.describe())


def test_one_stray_word_is_left_out_by_name():
    rows = [f"P{i},{i % 2},0.5,{10 + i},{'?!' if i == 3 else 'no'}" for i in range(9)]
    read = read_predictions(make_csv(*rows, header="patient_id,y,prob,rfs_months,rfs_event"))
    assert read.table["rfs_event"].isna().sum() == 1


def test_minus_one_and_zero_are_asked_for_as_databases_write_them():
    rows = [f"P{i},{-(i % 2)},0.5" for i in range(9)]
    with pytest.raises(TableError, match="--code y=-1:yes,0:no"):
        read_predictions(make_csv(*rows, header="patient_id,y,prob"))
