"""Follow-up: time and event of one endpoint, in units and codes that leave no doubt."""

import pytest

from core.cohort import Choices, read_predictions
from core.cohort.outcomes import read_outcomes
from core.errors import TableError
from tests.core.cohort.test_cases import BASE, measure, write_base


def rename(**heads):
    """Write the base under other heads."""
    first, _, rest = write_base().decode().partition("\n")
    return "\n".join([",".join(heads.get(name, name) for name in first.split(",")), rest]).encode()


def add(**columns):
    return write_base(**{name: lambda t, value=value: value for name, value in columns.items()})


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (rename(rfs_event="dfs_event"), "'rfs_months' is the time of RFS, 'dfs_event' the event of DFS"),
        (rename(rfs_months="DFS (months)"), "'DFS (months)' is the time of DFS, 'rfs_event' the event of RFS"),
        (
            rename(rfs_event="status").replace(b"y,", b"os_months,", 1).replace(b"ki67_pct", b"Ki-67 (%)", 1),
            "'status' may be the event of RFS or of OS",
        ),
    ],
)
def test_time_and_event_of_two_endpoints_are_no_pair(content, sentence):
    read = read_predictions(content)
    assert {c.name: c.problem.partition(". ")[0] for c in read.reading.columns if c.problem} == dict.fromkeys(
        ("rfs_months", "rfs_event"), sentence
    )
    assert not {"rfs_months", "rfs_event"} & set(read.table.columns)
    assert read.reading.rows == len(read.table)


def test_outcomes_of_two_endpoints_are_refused():
    with pytest.raises(TableError, match="'rfs_months' is the time of RFS, 'dfs_event' the event of DFS"):
        read_outcomes(b"patient_id,rfs_months,dfs_event\nP1,30,1\n")


def test_a_pair_that_a_person_maps_is_read():
    content = rename(rfs_event="dfs_event")
    read = read_predictions(content, Choices({"rfs_months": "rfs_months", "rfs_event": "dfs_event"}))
    assert read.table["rfs_event"].notna().all()
    assert measure(read) == BASE


@pytest.mark.parametrize(
    "heads",
    [
        {"rfs_months": "DFS (months)", "rfs_event": "DFS status"},
        {"rfs_months": "time_months", "rfs_event": "status"},
        {"rfs_months": "follow-up [months]", "rfs_event": "rfs_event"},
        {"rfs_months": "ddfs (months)", "rfs_event": "distmet"},
    ],
)
def test_a_pair_of_one_endpoint_is_read(heads):
    assert read_predictions(rename(**heads)).table[["rfs_months", "rfs_event"]].notna().all(axis=None)


def test_an_event_with_an_own_column_beside_another_endpoint_is_read():
    content = add(os_months="40", os_status="1").replace(b"rfs_event", b"status", 1)
    assert read_predictions(content).table["rfs_event"].sum() == 39


@pytest.mark.parametrize("unit", ["J.", "j", "J"])
def test_a_unit_that_is_days_in_french_and_years_in_german_is_asked_about(unit):
    years = write_base(rfs_months=lambda t: [f"{float(x) / 12:.1f} {unit}" for x in t["rfs_months"]])
    read = read_predictions(years)
    problem = next(c.problem for c in read.reading.columns if c.name == "rfs_months")
    assert "may be in days (jours) or in years (Jahre)" in problem
    assert "rfs_months" not in read.table


def test_an_age_in_j_is_in_years():
    read = read_predictions(write_base(Alter=lambda t: [f"{40 + i % 40} J." for i in t.index]))
    assert read.table["age"].tolist() == [40.0 + i % 40 for i in range(80)]


def test_a_head_that_names_death_and_no_recurrence_is_asked_about():
    content = write_base(rfs_event=lambda t: t["rfs_event"].map({"0": "1", "1": "2"})).decode()
    read = read_predictions(content.replace("rfs_event", "status (1=censored 2=dead)", 1).encode())
    problem = next(c.problem for c in read.reading.columns if c.name == "rfs_event")
    assert problem.startswith("Its head names a competing event, and no code of a recurrence.")
    assert "--code rfs_event=" in problem


@pytest.mark.parametrize(
    "head", ["no_recurrence", "recurrence_free", "non_recurrence", "1 - prob", "ki67_low", "event_censored"]
)
def test_the_opposite_of_a_field_is_never_proposed_for_it(head):
    unread = dict(read_predictions(rename(rfs_event=head)).reading.unread)
    assert unread == {head: ""}


@pytest.mark.parametrize("head", ["Ki67 status (low=1, high=2)", "y (no=1; yes=2)"])
def test_a_coding_may_be_written_the_other_way_round(head):
    content = write_base(y=lambda t: t["y"].map({"0": "1", "1": "2"}), ki67_pct=None).decode()
    assert measure(read_predictions(content.replace(",y,", f',"{head}",', 1).encode())) == BASE


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("rfs_event (0=Rezidiv, 1=lebt)", "'1 = lebt'"),
        ("status (1=NED, 0=DOD)", "'1 = NED', '0 = DOD'"),
        ("rfs_event [1: alive; 0: relapse]", "'1 = alive'"),
    ],
)
def test_a_coding_in_the_head_that_is_not_understood_is_never_passed_over(head, said):
    content = write_base().decode().replace("rfs_event", f'"{head}"', 1).encode()
    problem = next(c.problem for c in read_predictions(content).reading.columns if c.name == "rfs_event")
    assert problem.startswith(f"Its head says {said}. Say what they mean: --code rfs_event=")


@pytest.mark.parametrize("head", ["y (0=Luminal B, 1=Luminal A)", "outcome (0=Ki67>=20)"])
def test_an_outcome_whose_coding_is_not_understood_is_refused(head):
    content = write_base(ki67_pct=None).decode().replace(",y,", f',"{head}",', 1).encode()
    with pytest.raises(TableError, match="Its head says '0 = "):
        read_predictions(content)


@pytest.mark.parametrize("head", ["y (1=high Ki-67, 0=low Ki-67)", "label (cut-off: 20)", "outcome (n=80)"])
def test_a_head_that_codes_nothing_else_is_read(head):
    content = write_base(ki67_pct=None).decode().replace(",y,", f',"{head}",', 1).encode()
    assert measure(read_predictions(content)) == BASE
