"""Tables of strangers that were once read to other figures than they hold."""

import io

import openpyxl
import pandas as pd
import pytest

from core.cohort import Choices, read_predictions
from core.cohort.manifest import read_manifest, read_rows
from core.cohort.splits import SplitRule
from core.errors import TableError
from models.cutoff import DEFAULT_CUTOFF
from tests.core.cohort.test_cases import BASE, CASES, measure, write_base


def read_base():
    return pd.read_csv(CASES / "plain.csv", dtype=str)


def write_workbook(sheets):
    """Write the rows of each sheet."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def list_rows(table):
    return [list(table.columns), *table.to_numpy().tolist()]


def cut_at_commas(head, columns):
    """Write decimal commas into a file that parts its columns by commas."""
    table = read_base()[columns].assign(prob=lambda t: t["prob"].str.replace(".", ",", regex=False))
    lines = [",".join(row) for row in table.to_numpy().tolist()]
    return "\n".join([head, *lines]).encode()


@pytest.mark.parametrize(
    ("head", "match"),
    [("patient_id,y,prob,", "Save it with semicolons"), ("patient_id,y,prob,note", "decimals: decimal commas")],
)
def test_decimal_commas_between_commas_are_no_column_of_zeros(head, match):
    content = cut_at_commas(head, ["patient_id", "y", "prob"])
    with pytest.raises(TableError, match=match):
        read_predictions(content)


def test_calls_beside_a_number_are_read_where_a_person_says_so():
    content = write_base(prob=lambda t: (t["prob"].astype(float) > 0.5).astype(int)).decode().splitlines()
    content = [f"{line},{i % 9 if i else 'note'}" for i, line in enumerate(content)]
    shuffled = pd.read_csv(io.StringIO("\n".join(content)), dtype=str)[["patient_id", "y", "prob", "note", "split"]]
    table = shuffled.to_csv(index=False).encode()
    with pytest.raises(TableError, match="--ignore note"):
        read_predictions(table)
    assert len(read_predictions(table, Choices(ignored=("note",))).table) == 80


@pytest.mark.parametrize("centres", [("North", "South"), ("North",)])
def test_an_outcome_that_says_the_opposite_of_ki67_is_asked_about(centres):
    def turn(table):
        return table["y"].where(~table["centre"].isin(centres), table["y"].map({"0": "1", "1": "0"}))

    content = write_base(y=turn)
    with pytest.raises(TableError, match=r"contradicts ki67_pct .*the other way round.*--code y=0:yes,1:no"):
        read_predictions(content)
    if len(centres) == 2:
        assert measure(read_predictions(content, Choices(codes={"y": {"0": "yes", "1": "no"}}))) == BASE
    assert len(read_predictions(content, Choices(ignored=("y",))).table) == 80


def test_the_cut_off_of_an_outcome_is_named():
    read = read_predictions(write_base(y=lambda t: (t["ki67_pct"].astype(float) >= 14).astype(int)))
    assert any("y fits a cut-off between" in note for note in read.notes)


@pytest.mark.parametrize("end", [",,,55,2130,54,600,30", "Mean,,,0.5,21.3,45,60,0.2"])
def test_a_row_that_is_no_patient_does_not_judge_the_columns(end):
    read = read_predictions(write_base() + f"{end}\n".encode())
    assert [row for row, _ in read.refused] == [82]
    assert measure(read) == BASE
    assert not [line for line in read.reading.describe() if "left out" in line]


def test_column_names_that_come_again_are_no_patient():
    lines = write_base().decode().splitlines()
    read = read_predictions("\n".join([*lines[:41], lines[0], *lines[41:]]).encode())
    assert read.refused == ((42, "the column names again, no patient"),)
    assert measure(read) == BASE


@pytest.mark.parametrize("name", ["N=80", "n=80", "Total:80"])
def test_a_count_without_blanks_is_no_patient(name):
    read = read_predictions(write_base() + f"{name},test,North,1,22.3,0.45,40,0\n".encode())
    assert [row for row, _ in read.refused] == [82]
    assert measure(read) == BASE


@pytest.mark.parametrize("stem", ["SD", "Max ", "MIN-", "MW "])
def test_pseudonyms_that_begin_like_a_sum_are_pseudonyms(stem):
    read = read_predictions(write_base(patient_id=lambda t: [f"{stem} {i + 100}" for i in range(len(t))]))
    assert not read.refused
    assert measure(read) == BASE


@pytest.mark.parametrize("rows_above", [1, 2])
def test_a_head_over_two_rows_names_all_columns(rows_above):
    rows = list_rows(read_base())
    upper = [name if i < 3 else "Pathology" if i == 3 else "" for i, name in enumerate(rows[0])]
    rows[0] = ["" if i < 3 else name for i, name in enumerate(rows[0])]
    above = [["A title"]] * (rows_above - 1)
    read = read_predictions(write_workbook({"Data": [*above, upper, *rows]}))
    assert measure(read) == BASE
    assert "The head runs over two rows: the upper one names 'patient_id', 'split', 'centre'." in read.notes
    text = "\n".join(",".join(row) for row in [*above, upper, *rows]).encode()
    assert measure(read_predictions(text)) == BASE


def test_one_cohort_on_two_sheets_is_not_read_by_half():
    rows = list_rows(read_base())
    book = write_workbook({"2019": rows[:41], "2020": [rows[0], *rows[41:]]})
    with pytest.raises(TableError, match=r"'2019' and '2020' each hold a table with such columns.*--sheet NAME"):
        read_predictions(book)
    assert len(read_predictions(book, Choices(sheet="2020")).table) == 40
    twice = write_workbook({"Data": rows, "Data (2)": rows, "Legend": [["column", "meaning"], ["prob", "of high"]]})
    assert measure(read_predictions(twice)) == BASE


@pytest.mark.parametrize(
    "word",
    ["n/d", "(leer)", "<missing>", "[not available]", ".A", "\\N", "ohne Angabe", "nicht auswertbar", "n.u.", "s.d."],
)
def test_more_words_for_not_known(word):
    read = read_predictions(write_base(y=lambda t: t["y"].where(t.index % 9 > 0, word), ki67_pct=None))
    assert not read.refused
    assert read.table["y"].isna().sum() == 9


def test_a_word_beside_yes_and_no_is_named_and_settled_alone():
    content = write_base(y=lambda t: t["y"].where(t.index % 9 > 0, "borderline"), ki67_pct=None)
    with pytest.raises(TableError, match=r"Beside yes and no it says 'borderline'.*--code y=borderline:MEANING"):
        read_predictions(content)
    read = read_predictions(content, Choices(codes={"y": {"borderline": "unknown"}}))
    assert (read.table["y"].notna().sum(), len(read.table)) == (71, 80)


def test_a_coding_of_yes_alone_leaves_no_empty_cell_to_chance():
    content = write_base(y=lambda t: t["y"].map({"1": "x", "0": ""}), ki67_pct=None)
    with pytest.raises(TableError, match="--code y=WORD:yes,WORD:no,empty:no"):
        read_predictions(content)
    with pytest.raises(TableError, match="cells are empty, which may mean no or not known"):
        read_predictions(content, Choices(codes={"y": {"x": "yes"}}))
    assert measure(read_predictions(content, Choices(codes={"y": {"x": "yes", "empty": "no"}}))) == BASE


@pytest.mark.parametrize("name", ["record_id", "USUBJID", "participant_id", "MRN", "Studien-ID"])
def test_names_of_pseudonyms_in_study_software(name):
    content = write_base().replace(b"patient_id", name.encode(), 1)
    assert read_predictions(content).table["patient_id"].iloc[0] == "K001"


@pytest.mark.parametrize("name", ["Hosp-ID", "screening no", "住院号", "codice cartella", "Patientin (Pseudonym)"])
def test_rows_of_one_patient_count_once_whatever_the_pseudonyms_are_called(name):
    table = read_base().assign(patient_id=lambda t: [f"K{i // 2}" for i in range(len(t))])
    content = table.rename(columns={"patient_id": name}).to_csv(index=False).encode()
    with pytest.raises(TableError, match=r"holds 40 different values in 80 rows. If it names the patients"):
        read_predictions(content)
    assert len(read_predictions(content, Choices(ignored=(name,))).table) == 80


def test_a_count_that_many_patients_share_names_no_patients():
    counts = [0] * 40 + [i % 9 for i in range(40)]
    content = read_base().drop(columns="patient_id").assign(number_of_masses=counts).to_csv(index=False).encode()
    assert len(read_predictions(content).table) == 80


@pytest.mark.parametrize(
    ("name", "cells", "kind"),
    [
        ("weight", [0.5, 1, 2.25], "weights"),
        ("Gewicht", [1, 2, 3], "weights"),
        ("IPTW weight", [0.5, 1, 2.25], "weights"),
        ("freq", [1, 2, 7], "numbers of patients"),
        ("entry", [0, 1, 5], "delayed entry"),
        ("left_trunc", [0, 1, 5], "delayed entry"),
    ],
)
def test_weights_counts_and_delayed_entry_by_common_names(name, cells, kind):
    content = write_base(**{name: lambda t: [cells[i % 3] for i in range(len(t))]})
    with pytest.raises(TableError, match=f"'{name}' gives {kind}"):
        read_predictions(content)
    assert measure(read_predictions(content, Choices(ignored=(name,)))) == BASE


@pytest.mark.parametrize(("name", "cells"), [("weight", [58, 64, 90]), ("n", [1, 2, 3]), ("entry", ["a", "b", "c"])])
def test_a_common_name_of_something_else_costs_nothing(name, cells):
    read = read_predictions(write_base(**{name: lambda t: [cells[i % 3] for i in range(len(t))]}))
    assert measure(read) == BASE


def test_times_with_only_a_lower_limit_are_not_left_out_by_the_dozen():
    long = read_predictions(
        write_base(rfs_months=lambda t: t["rfs_months"].where(t["rfs_months"].astype(float) < 60, ">60"))
    )
    assert "rfs_months" not in long.table
    assert any("are only a lower limit, as '>60'" in line for line in long.reading.describe())


def test_centres_that_differ_in_case_are_one():
    read = read_predictions(
        write_base(centre=lambda t: t["centre"].where(t.index % 5 > 0, t["centre"].str.upper() + " "))
    )
    assert set(read.table["centre"]) == {"North", "South"}
    assert (
        "Centres that differ only in case or blanks are one each: 'South' and 'SOUTH'; 'North' and 'NORTH'."
        in " ".join(read.notes)
    )


@pytest.mark.parametrize("code", ["9", "99", "-1"])
def test_a_lone_code_beyond_the_range_refuses_its_rows_alone(code):
    read = read_predictions(write_base(prob=lambda t: t["prob"].where(t.index % 8 > 0, code)))
    assert (len(read.table), len(read.refused)) == (70, 10)
    assert all(f"prob is {code}, outside 0 to 1" in reason for _, reason in read.refused)


def test_zeros_that_may_mean_not_known_are_said():
    read = read_predictions(write_base(prob=lambda t: t["prob"].where(t.index % 8 > 0, "0")))
    assert "prob: 10 values of 0 were read as they stand; empty them if they mean not known." in read.notes


def test_a_death_is_not_proposed_as_a_recurrence():
    content = write_base().replace(b"rfs_event", b"os_event", 1)
    assert ("os_event", "") in read_predictions(content).reading.unread


def test_columns_parted_by_blanks_are_named():
    with pytest.raises(TableError, match="parted by blanks"):
        read_predictions(read_base().to_string(index=False).encode())


def test_rows_of_one_patient_with_another_ki67_or_centre_contradict():
    table = pd.concat([read_base(), read_base().iloc[[0]].assign(ki67_pct="44", centre="South")])
    read = read_predictions(table.to_csv(index=False).encode())
    assert dict(read.refused)[82] == "contradicts row 2 of the same patient (centre, ki67_pct)"


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [("specimen", "core biopsy", "of a core biopsy"), ("neoadjuvant", "yes", "neoadjuvant")],
)
def test_a_ki67_that_is_not_that_of_the_operated_tumour_is_no_outcome(tmp_path, column, cell, reason):
    def mark(table):
        return [cell if i < 8 else {"yes": "no"}.get(cell, "surgical") for i in range(len(table))]

    read = read_predictions(write_base(y=None, **{column: mark}))
    assert [row for row, _ in read.refused] == list(range(2, 10))
    noted = read_predictions(write_base(**{column: mark}))
    assert measure(noted) == BASE
    assert any(note.startswith("In 8 rows: ") and reason in note for note in noted.notes)
    (tmp_path / "a.png").write_bytes(b"")
    path = tmp_path / "manifest.csv"
    path.write_bytes(write_base(y=None, prob=None, image=lambda _: "a.png", **{column: mark}))
    rows, reading = read_rows(path, labelled=True)
    assert (len(rows), len(reading.refused)) == (72, 8)
    assert all(reason in why for _, why in reading.refused)


def test_boxes_in_fractions_are_no_pixels(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    path = tmp_path / "manifest.csv"
    path.write_bytes(write_base(image=lambda _: "a.png", box=lambda _: "0.1,0.1,0.6,0.6"))
    with pytest.raises(TableError, match="80 of 80 boxes lie within the first pixel: they may be fractions"):
        read_rows(path)


@pytest.mark.parametrize("mark", ["¹", "²", "①"])
def test_a_raised_footnote_is_no_digit(mark):
    content = write_base(y=None, ki67_pct=lambda t: t["ki67_pct"].where(t.index % 10 > 0, "8" + mark))
    read = read_predictions(content)
    assert [row for row, _ in read.refused] == list(range(2, 82, 10))
    assert all(f"'8{mark}' holds a raised" in reason for _, reason in read.refused)


def test_a_receptor_score_of_twelve_is_no_percentage():
    content = write_base(er_pct=lambda t: [i % 13 for i in range(len(t))])
    assert "er_pct" not in read_predictions(content).table
    assert read_predictions(content, Choices(units={"er_pct": "percent"})).table["er_pct"].max() == 12


def test_a_needed_column_of_which_most_is_not_understood_is_refused():
    content = write_base(y=None, ki67_pct=lambda t: t["ki67_pct"].where(t.index % 8 == 0, t["ki67_pct"] + "."))
    with pytest.raises(TableError, match="ki67_pct: 70 of 80 values were not understood"):
        read_predictions(content)


def test_a_column_that_tells_training_rows_is_proposed_as_the_split():
    content = write_base(split=None, is_train=lambda t: [i % 2 for i in range(len(t))])
    assert ("is_train", "split") in read_predictions(content).reading.unread


@pytest.mark.parametrize("code", ["999", "-9"])
def test_a_code_for_not_known_among_times_is_no_other_unit(code):
    read = read_predictions(write_base(rfs_months=lambda t: t["rfs_months"].where(t.index % 8 > 0, code)))
    assert read.table["rfs_months"].notna().sum() == 70
    assert "rfs_months: outside 0 to 600 months in 10 rows, left out." in read.reading.describe()


def test_a_centre_held_out_is_found_however_it_is_written(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    path = tmp_path / "manifest.csv"

    def write_centre(table):
        return table["centre"].where(table.index % 3 > 0, table["centre"].str.upper())

    path.write_bytes(write_base(split=None, y=None, prob=None, image=lambda _: "a.png", centre=write_centre))
    manifest = read_manifest(path, SplitRule(("north",), DEFAULT_CUTOFF, 1))
    assert set(manifest.patients.loc[manifest.patients["split"] == "external", "centre"]) == {"North"}
    assert (manifest.patients["split"] == "external").sum() == 40


def test_a_verdict_of_the_gate_is_no_word_for_not_known():
    read = read_predictions(write_base(gate=lambda t: ["refused" if i == 3 else "ok" for i in range(len(t))]))
    assert read.table["gate"].tolist()[2:5] == ["ok", "refused", "ok"]
