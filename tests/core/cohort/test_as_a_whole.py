"""A column is understood as a whole or asked about: never by the cells that happen to fit."""

import numpy as np
import pytest

from core.cohort import Choices, read_predictions
from core.errors import TableError
from tests.core.cohort.test_cases import BASE, add_column, measure, write_base


def to_logit(table):
    prob = table["prob"].astype(float)
    return np.log(prob / (1 - prob)).round(3)


def group(table, labels):
    groups = np.digitize(table["ki67_pct"].astype(float), (14, 30))
    return np.array(labels)[groups]


def recode(head, yes, no):
    """Write the outcome under another head, in other codes, without Ki-67 beside it."""
    content = write_base(y=lambda table: table["y"].map({"1": yes, "0": no}), ki67_pct=None).decode()
    return content.replace("centre,y,", f'centre,"{head}",', 1).encode()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"prob": to_logit}, "values lie outside 0 to 100: it holds something else"),
        ({"prob": lambda t: t["prob"].where(t.index % 12 > 0, "1.5")}, "lie outside 0 to 1: it holds something else"),
        ({"y": None, "ki67_pct": lambda t: t["ki67_pct"].astype(float) * 4}, "lie outside 0 to 100"),
        ({"y": None, "ki67_pct": lambda t: group(t, ["1", "2", "3"])}, "which may be a score.*--unit ki67_pct=percent"),
        (
            {"y": None, "ki67_pct": lambda t: group(t, ["<14", "14-30", ">30"])},
            "of 80 values of ki67_pct lie on both",
        ),
        ({"y": lambda t: t["y"].where(t.index % 7 > 0, "medium")}, "--code y=medium:MEANING"),
        ({"split": lambda t: t["split"].replace("validation", "fold 1")}, "--code split=fold 1:PART"),
        ({"split": lambda t: t["split"].where(t.index > 1, "fold 1")}, "--code split=fold 1:PART"),
    ],
    ids=["logits", "some above", "beyond 100", "groups", "classes", "a third word", "a strange part", "two of them"],
)
def test_a_needed_column_that_fits_by_half_is_refused(change, match):
    with pytest.raises(TableError, match=match):
        read_predictions(write_base(**change))


@pytest.mark.parametrize("head", ["y (1 = yes)", "y (0=low, 1=high)", "y (2=high)"])
def test_a_coding_that_explains_a_part_is_asked_about(head):
    with pytest.raises(TableError, match=r"Its coding leaves '[12]' unexplained.*[12]:MEANING"):
        read_predictions(recode(head, "2", "1"))


@pytest.mark.parametrize(
    ("head", "yes", "no"), [("y (1 = yes)", "1", "0"), ("y (0 = low)", "1", "0"), ("y (1=low; 2=high)", "2", "1")]
)
def test_a_coding_that_explains_enough_is_believed(head, yes, no):
    assert measure(read_predictions(recode(head, yes, no))) == BASE


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("Trainingsset", "Testset"),
        ("training cohort", "Test-Kohorte"),
        ("derivation", "hold-out"),
        ("Dev", "test data"),
    ],
)
def test_parts_of_the_data_by_other_names(train, test):
    content = write_base(split=lambda t: t["split"].map({"validation": train, "test": test}))
    assert measure(read_predictions(content)) == {"train": BASE["validation"], "test": BASE["test"]}


@pytest.mark.parametrize(
    ("column", "values", "problem"),
    [
        ("adler", "1234", "--code adler=4:LEVEL"),
        ("grade_cnb", "012", "--code grade_cnb=0:LEVEL"),
        ("er_pct", "0234578", "which may be a score"),
        ("lnm", "01012", "--code lnm=0:no"),
    ],
)
def test_a_number_beyond_the_scale_shows_another_scale(column, values, problem):
    read = read_predictions(add_column(column, lambda t: np.resize([*values], len(t))))
    assert measure(read) == BASE
    assert problem in next(c.problem for c in read.reading.columns if c.name == column)


@pytest.mark.parametrize(
    ("values", "problem", "known"),
    [
        (("post", "post", "vor Wechsel"), "'vor Wechsel': none of pre, peri, post", None),
        (("post", "post", "prä", "pré-ménopause", "k.A."), "", {"pre", "post"}),
    ],
)
def test_a_level_in_a_word_that_is_not_understood_leaves_no_column_of_the_others(values, problem, known):
    read = read_predictions(add_column("menopausal", lambda t: np.resize([*values], len(t))))
    assert measure(read) == BASE
    column = next(c for c in read.reading.columns if c.name == "menopausal")
    assert column.problem.startswith(problem)
    assert bool(column.problem) == bool(problem)
    if known:
        assert set(read.table["menopausal"].dropna()) == known
    else:
        assert "menopausal" not in read.table


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("age", "60 months", "'60 months' is in months"),
        ("size_mm", "24 %", "'24 %' is in percent"),
        ("size_mm", "24 °", "'24 °' is not a number"),
        ("er_pct", "15?", "'15?' is not a number"),
    ],
)
def test_a_cell_in_a_unit_that_can_not_be_is_left_out(column, cell, reason):
    read = read_predictions(add_column(column, lambda t: np.where(t.index == 0, cell, (t.index % 50 + 20).astype(str))))
    assert next(c.left_out for c in read.reading.columns if c.name == column) == ((reason, 1),)


def test_ages_and_unknown_codes_that_may_be_one_are_said():
    read = read_predictions(add_column("age", lambda t: np.where(t.index % 8, "50", "99")))
    assert any("10 values of 99, a common code for not known" in note for note in read.notes)


def test_calls_in_place_of_probabilities_are_said():
    read = read_predictions(write_base(prob=lambda t: t["prob"].astype(float).round().astype(int)))
    assert any("prob: it holds only 0 and 1, which are calls" in note for note in read.notes)


@pytest.mark.parametrize("head", ["Nachbeobachtung in Monaten", "follow-up in months", "RFS (in months)"])
def test_a_unit_after_in(head):
    content = write_base().decode().replace("rfs_months", head).encode()
    read = read_predictions(content)
    assert next(c.unit for c in read.reading.columns if c.name == "rfs_months") == "months"


def test_a_unit_that_settles_a_score():
    content = write_base(y=None, ki67_pct=lambda t: group(t, ["1", "2", "3"]))
    read = read_predictions(content, Choices(units={"ki67_pct": "percent"}))
    assert read.table["ki67_pct"].max() == 3


@pytest.mark.parametrize(
    "name", ["Mean", "Total:", "Mean (SD)", "Mean/SD", "Mean - all", "Total (n = 80)", "合计", "N = 80", "Anzahl", "Σ"]
)
def test_a_row_of_means_is_no_patient(name):
    read = read_predictions(write_base() + f"{name},test,,1,22.3,0.45,40,0\n".encode())
    assert read.refused == ((82, f"patient_id: '{name}' names a row of sums or means, no patient"),)
    assert measure(read) == BASE


@pytest.mark.parametrize("label", ["Mean", "Summe", "Total: 80", "合计"])
def test_a_row_of_means_without_pseudonyms_is_no_patient(label):
    content = write_base(patient_id=None, note=lambda t: group(t, ["left", "right", "both"])).decode().splitlines()
    row = [{"prob": "0.45", "y": "1", "note": label, "split": "test"}.get(name, "") for name in content[0].split(",")]
    read = read_predictions("\n".join([*content, ",".join(row)]).encode())
    assert read.refused == ((82, f"note: '{label}' names a row of sums or means, no patient"),)
    assert measure(read) == BASE


def test_a_word_of_many_rows_is_a_value():
    read = read_predictions(write_base(patient_id=None, surgery=lambda t: group(t, ["total", "partial", "none"])))
    assert not read.refused


def test_a_word_of_few_full_rows_is_a_value():
    read = read_predictions(write_base(patient_id=None, surgery=lambda t: group(t, ["total", *["partial"] * 19])))
    assert not read.refused


def rewrite_five(convert):
    """Write every sixteenth Ki-67 otherwise, and the others as whole per cent, without centre and outcome."""

    def change(table):
        values = table["ki67_pct"].astype(float).round()
        return values.where(table.index % 16 > 0, convert(values)).map("{:g}".format)

    return write_base(y=None, centre=None, ki67_pct=change)


@pytest.mark.parametrize(
    "convert", [lambda v: v / 100, lambda v: (v.index // 16 + 1) / 10], ids=["finer", "beyond a gap"]
)
def test_a_few_fractions_among_percentages_are_asked_about(convert):
    content = rewrite_five(convert)
    with pytest.raises(TableError, match=r"5 lie between 0 and 1.*--unit ki67_pct=percent or ki67_pct=fraction"):
        read_predictions(content)
    assert len(read_predictions(content, Choices(units={"ki67_pct": "percent"})).table) == 80


def test_a_few_percentages_below_one_are_the_low_end():
    read = read_predictions(rewrite_five(lambda v: v * 0 + 0.5))
    assert (read.table["ki67_pct"] == 0.5).sum() == 5
    assert "5 values between 0 and 1 were read as per cent" in " ".join(read.notes)


def test_a_small_centre_with_probabilities_in_per_cent_is_asked_about():
    rows = "p81,test,East,1,40,0.8,12,0\np82,test,East,0,10,45,12,0\n"
    content = write_base() + rows.encode()
    with pytest.raises(TableError, match=r"Centre East.*--unit prob@East=fraction or prob@East=percent"):
        read_predictions(content)
    settled = read_predictions(content, Choices(units={"prob@East": "percent"})).table
    assert settled["prob"].tail(2).tolist() == [0.008, 0.45]
    assert len(read_predictions(content, Choices(units={"prob@East": "fraction"})).refused) == 1


def test_fractions_among_probabilities_in_per_cent_are_asked_about():
    content = write_base(prob=lambda t: (t["prob"].astype(float) * np.where(t.index % 8, 100, 1)).round(3))
    with pytest.raises(TableError, match="per cent and fraction can't be told apart"):
        read_predictions(content.replace(b"prob", b"prob (%)"))


def test_months_longer_than_a_follow_up_are_asked_about():
    content = write_base(rfs_months=lambda t: t["rfs_months"].astype(float) * 5)
    read = read_predictions(content)
    (problem,) = [column.problem for column in read.reading.columns if column.name == "rfs_months"]
    assert "which may be another unit" in problem
    assert measure(read) == BASE


@pytest.mark.parametrize("meaning", ["yes", "no"])
def test_a_coding_with_one_meaning_of_codes_that_leave_no_other_is_refused(meaning):
    content = write_base(y=lambda t: t["y"].astype(int) + 1)
    with pytest.raises(TableError, match="Its coding gives all codes one meaning"):
        read_predictions(content, Choices(codes={"y": {"1": meaning, "2": meaning}}))


@pytest.mark.parametrize("meaning", ["yes", "no"])
def test_a_coding_with_one_meaning_is_refused(meaning):
    with pytest.raises(TableError, match=r"Its coding gives all codes one meaning.*--code y=0:no,1:yes"):
        read_predictions(write_base(), Choices(codes={"y": {"1": meaning, "0": meaning}}))


@pytest.mark.parametrize("head", ["Sampling weight", "IPTW", "delayed entry"])
def test_weights_and_delayed_entry_are_refused_by_name(head):
    rows = "".join(f"P-{i},{i / 20},{i % 2},{i % 3}\n" for i in range(12))
    table = f"patient_id,prob,y,{head}\n{rows}".encode()
    with pytest.raises(TableError, match=f"'{head}' gives .* no figure here takes into account"):
        read_predictions(table)
    assert len(read_predictions(table, Choices(ignored=(head,))).table) == 12
    alike = table.replace(b",2\n", b",1\n").replace(b",0\n", b",1\n")
    assert len(read_predictions(alike).table) == 12


def test_a_competing_event_is_kept_beside_the_recurrence():
    codes = ["recurrence", "death", "censored"]
    rows = "".join(f"P-{i},{i / 20},{i % 2},{5 + i},{codes[i % 3]}\n" for i in range(12))
    found = read_predictions(f"patient_id,prob,y,rfs_months,rfs_event\n{rows}".encode()).table
    assert found["rfs_event"].tolist() == [1, 0, 0] * 4
    assert found["rfs_competing"].tolist() == [0, 1, 0] * 4


def test_less_than_one_beside_per_cent_is_per_cent():
    read = read_predictions(write_base(ER=lambda t: group(t, ["<1", "40%", "90 %"])))
    assert {*read.table["er_pct"].round(2)} == {0.5, 40.0, 90.0}
    content = write_base(y=None, ki67_pct=lambda t: [f"{x}%" if float(x) > 10 else "<1" for x in t["ki67_pct"]])
    assert read_predictions(content).table["y"].equals(read_predictions(write_base(y=None)).table["y"])


def test_a_grade_that_can_not_be_assessed_is_not_known():
    read = read_predictions(write_base(grade=lambda t: group(t, ["G1", "G3", "GX"])))
    assert not [c.problem for c in read.reading.columns if c.problem]
    assert {*read.table["grade_cnb"].dropna()} == {"1", "3"}
