"""Small tables that strangers' files are like: the right figures or one sentence, never other figures."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from core.cohort import Choices, read_predictions
from core.errors import TableError

CASES = Path(__file__).parent / "cases"
BASE = {"validation": (40, 0.742), "test": (40, 0.808)}


def measure(read):
    """Give n with a known outcome and AUC by split."""
    known = read.table.dropna(subset="y")
    return {
        split: (len(part), round(roc_auc_score(part["y"], part["prob"]), 3)) for split, part in known.groupby("split")
    }


def read_case(name, choices=None):
    read = read_predictions(CASES / name, choices)
    assert read.reading.rows == len(read.table) + len(read.refused)
    return read


@pytest.mark.parametrize(
    "name",
    """plain.csv v_dim_A1.xlsx v_dim_half.xlsx v_emptyfill.xlsx merged_centre.xlsx title_row.xlsx long_ids.csv
    thousands_de.csv days.csv event_12.csv""".split(),  # noqa: SIM905
)
def test_the_base_figures(name):
    assert measure(read_case(name)) == BASE


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("quote_pair.csv", "from line 12 to line 42"),
        ("quote_last.csv", "opens in line 12"),
        ("w_cutxml.xlsx", "damaged"),
        ("w_badcell.xlsx", "damaged"),
        ("formula_ki.xlsx", "80 cells of 'ki67_pct' are formulas without a stored value"),
        ("y_12.csv", "--code y=1:no,2:yes"),
        ("ki_blank.csv", "No patient has a known outcome"),
    ],
)
def test_refused_in_one_sentence(name, match):
    with pytest.raises(TableError, match=match):
        read_case(name)


@pytest.mark.parametrize("name", ["her2pos.csv", "birads4.csv", "race.csv", "riskcol.csv", "typo.csv", "event12.csv"])
def test_a_secondary_column_costs_no_patient(name):
    read = read_case(name)
    assert read.refused == ()
    assert measure(read)["external"][0] == 300
    assert round(measure(read)["external"][1], 3) == 0.683


def test_a_coding_that_the_file_does_not_say_is_asked_for():
    read = read_case("event_12.csv")
    assert "rfs_event" not in read.table
    assert any("--code rfs_event=1:no,2:yes" in line for line in read.reading.describe())
    told = read_case("event_12.csv", Choices(codes={"rfs_event": {"1": "no", "2": "yes"}}))
    assert told.table["rfs_event"].tolist() == read_case("plain.csv").table["rfs_event"].tolist()
    coded = read_case("y_12.csv", Choices(codes={"y": {"1": "no", "2": "yes"}}))
    assert measure(coded) == BASE


def test_a_competing_event_is_named_and_keeps_its_patient():
    read = read_case("compet_code2.csv")
    assert len(read.table) == 300
    assert "rfs_event: 89 competing events count as censored at their time." in read.notes


def test_days_become_months_and_that_is_said():
    days, plain = read_case("days.csv"), read_case("plain.csv")
    assert np.allclose(days.table["rfs_months"], plain.table["rfs_months"], rtol=0.003)
    assert "rfs_time was read in days, as its values show." in days.notes


def test_each_centre_has_its_own_unit():
    read, right = read_case("ki_two_centres.csv"), read_case("ki_two_centres_right.csv")
    assert measure(read) == measure(right) == {"test": (80, 0.762)}
    assert read.table["y"].sum() == 37
    assert read.table["ki67_pct"].tolist() == pytest.approx(right.table["ki67_pct"].tolist())
    assert any("percent in North; fraction in South" in note for note in read.notes)


def test_unknown_outcomes_are_counted():
    read = read_case("y_partly.csv")
    assert measure(read)["validation"][0] == 20
    assert next(c.missing for c in read.reading.columns if c.name == "y") == 20


def test_thousands_beside_decimal_commas():
    assert read_case("thousands_de.csv").table["ca153"].iloc[0] == 1234


def test_merged_cells_count_for_each_row():
    assert read_case("merged_centre.xlsx").table["centre"].value_counts().to_dict() == {"North": 40, "South": 40}


def test_unread_columns_are_named_and_kept_where_asked_for():
    read = read_case("race.csv", Choices(kept=("race",)))
    assert set(read.table["race"]) == {"White", "Black", "Asian"}
    assert "Not read: date, device." in read.reading.describe()


def write_base(**columns):
    """Write the base with columns changed: name to a function of the text, or to None, which takes it away."""
    table = pd.read_csv(CASES / "plain.csv", dtype=str)
    for name, change in columns.items():
        table = table.drop(columns=name) if change is None else table.assign(**{name: change(table)})
    return table.to_csv(index=False).encode()


def recode(name, yes, no):
    return lambda table: table[name].map({"1": yes, "0": no})


def test_plus_and_dash_are_yes_and_no():
    assert measure(read_predictions(write_base(y=recode("y", "+", "-")))) == BASE


@pytest.mark.parametrize(
    ("yes", "no", "match"),
    [
        ("1", "", "--code y=empty:no, or empty:unknown"),
        ("≥20", "<20", "--code y=WORD:yes,WORD:no"),
        ("A", "B", "which is yes can't be told"),
    ],
)
def test_words_that_are_not_understood_name_their_option(yes, no, match):
    with pytest.raises(TableError, match=match):
        read_predictions(write_base(y=recode("y", yes, no)))


@pytest.mark.parametrize(
    ("yes", "no", "codes"), [("1", "", {"empty": "no"}), ("≥20", "<20", {"≥20": "yes", "<20": "no"})]
)
def test_a_coding_settles_words_and_empty_cells(yes, no, codes):
    content = write_base(y=recode("y", yes, no))
    assert measure(read_predictions(content, Choices(codes={"y": codes}))) == BASE


@pytest.mark.parametrize(("yes", "no"), [("2", "0"), ("1", "")])
def test_events_that_may_mean_something_else_are_left_out(yes, no):
    read = read_predictions(write_base(rfs_event=recode("rfs_event", yes, no)))
    assert "rfs_event" not in read.table
    assert measure(read) == BASE


def test_centres_with_other_codes_are_named():
    def change(table):
        return table["y"].where(table["centre"] != "South", table["y"].map({"1": "2", "0": "1"}))

    with pytest.raises(TableError, match="North: 0 and 1; South: 1 and 2"):
        read_predictions(write_base(y=change))


@pytest.mark.parametrize(("factor", "rows"), [(1 / 12, "South"), (30.4375, "few")])
def test_months_mixed_with_another_unit_are_left_out(factor, rows):
    def change(table):
        months = table["rfs_months"].astype(float)
        return months.where(~(table["centre"] == rows) if rows == "South" else table.index >= 10, months * factor)

    read = read_predictions(write_base(rfs_months=change))
    assert "rfs_months" not in read.table
    assert measure(read) == BASE


def add_column(name, change):
    """Write the base with one column more; of follow-ups there is only one."""
    table = pd.read_csv(CASES / "plain.csv", dtype=str)
    values = change(table)
    table = table.drop(columns="rfs_months") if name.startswith(("rfs", "follow")) else table
    return table.assign(**{name: values}).to_csv(index=False).encode()


def write_sizes(low, high):
    return lambda table: np.linspace(low, high, len(table)).round(1).astype(str)


def scale(name, factor):
    return lambda table: table[name].astype(float) * factor


@pytest.mark.parametrize(
    ("column", "change", "option"),
    [
        ("rfs_months", scale("rfs_months", 1 / 12), "--unit rfs_months=months or rfs_months=years"),
        ("rfs_months", scale("rfs_months", 30.4375), "--unit rfs_months=months or rfs_months=days"),
        ("rfs_years", scale("rfs_months", 1), "--unit rfs_months=years or rfs_months=months"),
        ("rfs_days", scale("rfs_months", 1), "--unit rfs_months=days or rfs_months=months"),
        ("follow-up (weeks)", scale("rfs_months", 1 / 12), "--unit rfs_months=weeks or rfs_months=years"),
        ("size_mm", write_sizes(0.6, 4.5), "--unit size_mm=mm or size_mm=cm"),
        ("size (cm)", write_sizes(6, 45), "--unit size_mm=mm or size_mm=cm"),
        ("size_mm", lambda t: np.where(t.index // 2 % 8, "24", "2.1"), "--unit size_mm=mm or size_mm=cm"),
        ("aln_cortex_mm", write_sizes(0.1, 0.4), "--unit aln_cortex_mm=mm or aln_cortex_mm=cm"),
        ("distance_nipple_cm", write_sizes(10, 90), "--unit distance_nipple_cm=cm or distance_nipple_cm=mm"),
        ("er_pct", write_sizes(0, 1), "--unit er_pct=percent or er_pct=fraction"),
        ("age (months)", write_sizes(300, 900), "Its head says months, but it is read in years"),
    ],
)
def test_a_head_that_its_values_contradict_is_asked_about(column, change, option):
    read = read_predictions(add_column(column, change))
    assert measure(read) == BASE
    problem = next(c.problem for c in read.reading.columns if c.column == column)
    assert option in problem


@pytest.mark.parametrize(
    ("column", "low", "high"), [("aln_cortex_mm", 1, 6), ("size_mm", 6, 60), ("size (cm)", 0.6, 6)]
)
def test_a_head_that_its_values_fit_is_believed(column, low, high):
    read = read_predictions(add_column(column, write_sizes(low, high)))
    assert next(c for c in read.reading.columns if c.column == column).known == 80


def test_a_question_about_one_centre_is_settled_for_it():
    def change(table):
        months = table["rfs_months"].astype(float)
        return months.where(table["centre"] != "South", months / 12)

    content = write_base(rfs_months=change)
    problem = next(c.problem for c in read_predictions(content).reading.columns if c.name == "rfs_months")
    assert "--unit rfs_months@South=months or rfs_months@South=years" in problem
    settled = read_predictions(content, Choices(units={"rfs_months@South": "years"}))
    assert np.allclose(settled.table["rfs_months"], read_case("plain.csv").table["rfs_months"])


def test_small_percentages_are_said():
    def shrink(table):
        values = table["ki67_pct"].astype(float)
        return values.where(table.index > 2, values / 100)

    assert "3 values between 0 and 1" in " ".join(read_predictions(write_base(ki67_pct=shrink)).notes)


def test_probabilities_half_in_per_cent_are_refused_as_a_whole():
    def change(table):
        values = table["prob"].astype(float)
        return values.where(table["centre"] == "North", values * 100)

    with pytest.raises(TableError, match="40 of 80 values are above 1"):
        read_predictions(write_base(prob=change, centre=None))


def test_rows_of_one_patient_that_contradict_each_other_are_all_refused():
    lines = write_base().decode().splitlines()
    other = lines[1].replace(",1,20.1,", ",0,20.1,")
    read = read_predictions("\n".join([*lines, other, lines[2]]).encode())
    assert dict(read.refused) == {
        2: "contradicts row 82 of the same patient (y)",
        82: "contradicts row 2 of the same patient (y)",
        83: "the patient of row 3 again; give one row per patient",
    }


def test_rows_of_one_patient_with_two_courses_are_refused():
    lines = write_base().decode().splitlines()
    other = lines[1].replace(",45.5,1", ",12.0,0")
    read = read_predictions("\n".join([*lines, other]).encode())
    assert dict(read.refused) == {
        2: "contradicts row 82 of the same patient (rfs_months, rfs_event)",
        82: "contradicts row 2 of the same patient (rfs_months, rfs_event)",
    }


def test_an_id_cut_by_a_spreadsheet_program_is_refused():
    read = read_predictions(
        write_base(patient_id=lambda t: ["1.23457E+11" if i < 2 else f"P{i}" for i in range(len(t))])
    )
    assert [row for row, _ in read.refused] == [2, 3]


@pytest.mark.parametrize(
    ("choices", "match"),
    [
        (Choices(columns={"y": "y"}, ignored=("y",)), "mapped to y and ignored"),
        (Choices(columns={"y": "prob", "prob": "prob"}), "mapped to y and to prob"),
        (Choices(units={"rfs_months@Nowhere": "days"}), "no row has it"),
        (Choices(codes={"prob": {"1": "yes"}}), "has no codes"),
    ],
)
def test_choices_that_fit_nothing_are_refused(choices, match):
    with pytest.raises(TableError, match=match):
        read_predictions(write_base(), choices)


def test_codes_of_the_split():
    content = write_base(split=lambda table: table["split"].map({"validation": "1", "test": "2"}))
    with pytest.raises(TableError, match="--code split=1:"):
        read_predictions(content)
    assert measure(read_predictions(content, Choices(codes={"split": {"1": "validation", "2": "test"}}))) == BASE


def test_utf16_without_a_mark():
    for encoding in ("utf-16-be", "utf-16-le"):
        assert measure(read_predictions(write_base().decode().encode(encoding))) == BASE


def test_many_different_words_make_one_line():
    table = read_predictions(
        write_base(rfs_months=lambda t: [f"x{i}" if i < 10 else v for i, v in enumerate(t["rfs_months"])])
    )
    assert table.reading.describe() == ["rfs_months: '…' is not a number in 10 rows, left out."]


def test_a_unit_of_what_is_not_read_is_said():
    read = read_predictions(write_base(), Choices(units={"size_mm": "cm"}))
    assert "A unit or coding was given for size_mm, but no column is read as it." in read.notes


@pytest.mark.parametrize("other", ["k001", "Ｋ００１", "K 001", "K001\u200b", "K\u2060001"])
def test_pseudonyms_that_may_be_one_patient_are_questioned(other):
    content = write_base(patient_id=lambda table: table["patient_id"].where(table.index != 5, other))
    read = read_predictions(content)
    assert [row for row, _ in read.refused] == [2, 7]
    assert read.refused[0][1].startswith("the pseudonym differs from that of row 7 only in case")
    assert len(read_predictions(content, Choices(exact_ids=True)).table) == 80


@pytest.mark.parametrize(
    ("one", "other"), [("12", "00012"), ("12", "12.0"), ("12", "012"), ("P7", "P007"), ("A-7-2", "A-07-2")]
)
def test_numbers_that_may_be_one_patient_are_questioned(one, other):
    names = {0: one, 5: other}
    content = write_base(patient_id=lambda table: [names.get(i, name) for i, name in enumerate(table["patient_id"])])
    assert [row for row, _ in read_predictions(content).refused] == [2, 7]
    assert len(read_predictions(content, Choices(exact_ids=True)).table) == 80


def test_dashes_of_several_kinds_are_one_and_trailing_blanks_none():
    ids = {0: "P-1", 1: "P–1", 2: "Q7 ", 3: "Q8"}
    content = write_base(patient_id=lambda table: [ids.get(i, own) for i, own in enumerate(table["patient_id"])])
    read = read_predictions(content)
    assert [row for row, _ in read.refused] == [2, 3]
    assert "Q7" in set(read.table["patient_id"])


def test_words_that_are_no_level_name_the_option_that_settles_them():
    content = add_column("her2", lambda table: np.where(table.index % 3, "negative", "positive"))
    problem = next(c.problem for c in read_predictions(content).reading.columns if c.name == "her2")
    assert "--code her2=negative:LEVEL,positive:LEVEL" in problem
    told = read_predictions(content, Choices(codes={"her2": {"negative": "0", "positive": "3+"}}))
    assert told.table["her2"].value_counts().to_dict() == {"0": 53, "3+": 27}


@pytest.mark.parametrize(
    ("choices", "match"),
    [
        (Choices(columns={"y": "prob"}), "the column 'prob' would be prob, but is mapped to y"),
        (Choices(ignored=("prob",)), "the column 'prob' would be prob, but is ignored"),
    ],
)
def test_a_choice_that_takes_a_needed_column_away_is_named(choices, match):
    with pytest.raises(TableError, match=match):
        read_predictions(write_base(), choices)
