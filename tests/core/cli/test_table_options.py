"""What the command line settles about a table, and what it says of it."""

import json
from pathlib import Path

import pytest

from core.cli.table_options import say_refused, settle
from core.errors import UsageError

CASES = Path(__file__).parents[1] / "cohort" / "cases"


def test_options_are_read_with_any_name_of_a_field():
    choices = settle(["outcome=My label"], ["note"], ["rfs=d", "Ki-67@North=fraction"], ["event=1:no,2:yes"])
    assert choices.columns == {"y": "My label"}
    assert choices.ignored == ("note",)
    assert choices.units == {"rfs_months": "days", "ki67_pct@North": "fraction"}
    assert choices.codes == {"rfs_event": {"1": "no", "2": "yes"}}


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ((["prob"], None, None, None), "--map takes FIELD=COLUMN, not 'prob'"),
        ((["prub=p"], None, None, None), "'prub' is not a field of a table here. Did you mean 'prob'?"),
        ((None, None, ["rfs=hours"], None), "rfs_months is not in 'hours'; its units are months, days, weeks, years"),
        ((None, None, ["age=days"], None), "it has no unit to choose"),
        ((None, None, None, ["y=1,2"]), "--code takes"),
    ],
)
def test_a_wrong_option_says_what_to_do(options, match):
    with pytest.raises(UsageError, match=match):
        settle(*options)


def test_a_table_is_settled_on_the_command_line(run):
    code, _, err = run("evaluate", CASES / "y_12.csv", "--json")
    assert code == 3
    assert "--code y=1:no,2:yes" in err
    code, out, _ = run("evaluate", CASES / "y_12.csv", "--code", "y=1:no,2:yes", "--json")
    assert code == 0
    assert round(json.loads(out)["test"]["discrimination"]["auc"], 3) == 0.808


def test_any_column_makes_subgroups(run):
    code, out, err = run("evaluate", CASES / "race.csv", "--by", "race", "--json")
    assert code == 0
    assert set(json.loads(out)["external"]["by"]["levels"]) == {"White", "Black", "Asian"}
    assert "Not read: date, device." in err


def test_long_lists_are_counted_by_reason_and_written_whole(capsys, tmp_path):
    refused = [(i, f"prob is {i}, outside 0 to 1") for i in range(2, 42)] + [(50, "no split")]
    say_refused(refused, tmp_path / "refused.csv")
    lines = capsys.readouterr().err.splitlines()
    assert lines[:3] == ["41 rows refused:", "  40 x prob is …, outside 0 to 1", "  1 x no split"]
    assert sum(line.startswith("  row ") for line in lines) == 11
    assert lines[-1] == "  and 30 more"
    assert len((tmp_path / "refused.csv").read_text().splitlines()) == 42


def test_a_table_without_a_usable_row_is_counted_by_reason_and_written_whole(run, tmp_path):
    table, refused = tmp_path / "t.csv", tmp_path / "refused.csv"
    table.write_text("\n".join(["patient_id,y,prob", *(f"P{i},{i % 2},{i}.5" for i in range(2, 42))]))
    options = ["--unit", "prob=fraction", "--refused", refused]
    code, _, err = run("evaluate", table, *options)
    assert code == 3
    assert "40 x prob is" in err
    assert err.count("  row ") == 10
    assert len(refused.read_text().splitlines()) == 41
