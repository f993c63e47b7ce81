"""The session's own cohort: what each event makes of it."""

from types import SimpleNamespace

import pytest

from core.cohort import Choices
from core.ui.cohort.state import (
    ChoicesForgotten,
    CohortState,
    ColumnSettled,
    FileForgotten,
    FileGiven,
    FileSettled,
    Refusal,
    TableRead,
    TableRefused,
    advance,
)

TABLE, OTHER = SimpleNamespace(reading="of the table"), SimpleNamespace(reading="of another")


def follow(*events):
    state = CohortState()
    for event in events:
        state = advance(state, event)
    return state


def test_a_new_file_takes_nothing_over_that_was_settled_about_the_one_before():
    state = follow(FileGiven(b"a"), ColumnSettled("p", "prob"), TableRefused(Refusal("No.")), FileGiven(b"b"))
    assert (state.uploads, state.content, state.choices, state.refusal) == (2, b"b", Choices(), None)


def test_a_refused_file_leaves_the_table_before():
    state = follow(FileGiven(b"a"), TableRead(TABLE, "1"), FileGiven(b"b"), TableRefused(Refusal("No.", (), "p")))
    assert (state.read, state.sha256, state.refusal.column) == (TABLE, "1", "p")
    assert advance(state, TableRead(OTHER, "2")).refusal is None


def test_a_scored_package_leaves_no_file_and_a_file_no_package():
    scored = follow(FileGiven(b"a"), ColumnSettled("p", "prob"), TableRead(TABLE, "1", package="job"))
    assert (scored.content, scored.choices, scored.package) == (None, Choices(), "job")
    assert advance(scored, TableRead(OTHER, "2")).package is None


def test_a_forgotten_file_leaves_what_was_read():
    state = follow(FileGiven(b"a"), TableRead(TABLE, "1"), FileForgotten())
    assert (state.content, state.read) == (None, TABLE)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([ColumnSettled("a", "y"), ColumnSettled("b", "y")], Choices(columns={"y": "b"})),
        ([ColumnSettled("a", "y"), ColumnSettled("a", "prob")], Choices(columns={"prob": "a"})),
        ([ColumnSettled("a", "y"), ColumnSettled("a", None)], Choices(ignored=("a",))),
        ([ColumnSettled("a", None), ColumnSettled("a", "y")], Choices(columns={"y": "a"})),
        (
            [ColumnSettled("t", "rfs_months", "days"), ColumnSettled("t", "rfs_months", "years", "North")],
            Choices({"rfs_months": "t"}, units={"rfs_months": "days", "rfs_months@North": "years"}),
        ),
        ([ColumnSettled("t", "rfs_months", "days"), ColumnSettled("t", "rfs_months")], Choices({"rfs_months": "t"})),
        (
            [ColumnSettled("e", "rfs_event", codes={"1": "no"}), ColumnSettled("e", "rfs_event", codes={"2": "no"})],
            Choices({"rfs_event": "e"}, codes={"rfs_event": {"2": "no"}}),
        ),
        ([ColumnSettled("a", "y"), ChoicesForgotten()], Choices()),
        (
            [ColumnSettled("a", "y"), FileSettled("", "cp1250", True)],
            Choices({"y": "a"}, encoding="cp1250", exact_ids=True),
        ),
        ([ColumnSettled("a", "y"), FileSettled("South", "", False)], Choices(sheet="South")),
    ],
)
def test_the_last_word_about_a_column_counts(events, expected):
    assert follow(*events).choices == expected
