"""Small tables that strangers' files are like: the right figures or one sentence, never other figures."""

from pathlib import Path

import numpy as np
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
