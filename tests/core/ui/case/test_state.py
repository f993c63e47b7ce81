"""The transitions of a case, without Streamlit."""

from dataclasses import replace

import pytest

from core.imaging import Roi
from core.imaging.uploads import hold_file
from core.ui.case.state import (
    MOST_READINGS,
    Answered,
    Box,
    BoxSet,
    CaseEnded,
    CaseState,
    Confirmed,
    EarlierDropped,
    EarlierKept,
    Event,
    ImageGiven,
    ImageRead,
    ImageRemoved,
    ItemChosen,
    LesionRead,
    ValuesEntered,
    ValueTaken,
    advance,
)
from core.ui.image_source import Source

VALUES = {"age": 71, "birads": "4C"}
BOX = Box(Roi(1, 2, 30, 40), Roi(1, 2, 30, 40), ((0.0, 0.0), 100, 80))


def make_source(data: bytes = b"a", **more: object) -> Source:
    return Source(hold_file(data), **more)  # type: ignore[arg-type]


def play(*events: Event, state: CaseState | None = None) -> CaseState:
    state = state or CaseState()
    for event in events:
        state = advance(state, event)
    return state


@pytest.fixture
def answered() -> CaseState:
    """A case with everything in it."""
    events = (ImageGiven(make_source()), ImageRead(), ValuesEntered(VALUES), BoxSet(BOX), Confirmed("sure"))
    return play(*events, LesionRead("key", "reading"), Answered("answer"))  # type: ignore[arg-type]


NEW_CASES = {
    "another image": ImageGiven(make_source(b"b")),
    "the same image again": ImageGiven(make_source()),
    "from the archive": ImageGiven(make_source(b"c", is_archived=True)),
    "another file of the zip": ItemChosen(1),
    "removed": ImageRemoved(),
    "ended": CaseEnded(),
    "simulated": ImageGiven(make_source(b"d", patient_id="S-1", clinical={"age": 50})),
}


@pytest.mark.parametrize("event", NEW_CASES.values(), ids=NEW_CASES)
def test_a_new_case_has_nothing_of_the_one_before(answered, event):
    after = advance(answered, event)
    assert after.number == answered.number + 1
    assert after.form_number != answered.form_number
    assert (after.box, after.answer, dict(after.readings), after.confirmed) == (None, None, {}, frozenset())
    assert not set(after.values.items()) & set(VALUES.items())
    assert answered.values == VALUES, "the state before stays as it is"


@pytest.mark.parametrize(
    ("name", "asks"),
    [(name, name not in {"ended", "simulated"}) for name in NEW_CASES],
)
def test_the_values_before_are_a_question_where_they_may_hold(answered, name, asks):
    assert advance(answered, NEW_CASES[name]).earlier == (VALUES if asks else {})


def test_a_simulated_patients_values_are_never_asked_about(answered):
    simulated = play(NEW_CASES["simulated"], ImageRead(), state=answered)
    assert simulated.values == {"age": 50}
    after = advance(simulated, NEW_CASES["another image"])
    assert (after.values, after.earlier) == ({}, {})


def test_kept_values_do_not_overwrite_what_was_entered_anew(answered):
    after = play(ImageGiven(make_source(b"b")), ValuesEntered({"age": 40}), EarlierKept(), state=answered)
    assert after.values == {"age": 40, "birads": "4C"}
    assert after.earlier == {}
    assert play(ImageGiven(make_source(b"b")), EarlierDropped(), state=answered).earlier == {}


def test_the_question_is_of_the_last_image_alone(answered):
    after = play(ImageGiven(make_source(b"b")), ImageRead(), ImageGiven(make_source(b"c")), state=answered)
    assert (after.values, after.earlier) == ({}, {})


def test_values_before_the_first_image_and_after_an_unreadable_one_stay():
    assert play(ValuesEntered(VALUES), ImageGiven(make_source())).values == VALUES
    assert play(ImageGiven(make_source()), ValuesEntered(VALUES), ImageGiven(make_source(b"b"))).values == VALUES


def test_moving_the_box_takes_neither_reading_nor_answer(answered):
    after = advance(answered, BoxSet(replace(BOX, roi=Roi(5, 5, 20, 20))))
    assert (after.answer, after.readings) == (answered.answer, answered.readings)
    assert after.number == answered.number


def test_the_last_readings_alone_are_kept():
    state = play(*(LesionRead(i, f"reading {i}") for i in range(20)), LesionRead(15, "again"))  # type: ignore[arg-type]
    assert list(state.readings) == [*range(20 - MOST_READINGS, 15), *range(16, 20), 15]


def test_a_value_taken_over_starts_the_form_anew(answered):
    after = advance(answered, ValueTaken("size_mm", 23.0))
    assert after.values == {**VALUES, "size_mm": 23.0}
    assert (after.form_number, after.number) == (answered.form_number + 1, answered.number)


def test_the_same_file_of_the_zip_is_the_same_case(answered):
    assert advance(answered, ItemChosen(0)) is answered


def test_a_box_follows_until_it_is_touched():
    guess = Roi(7, 8, 50, 60)
    assert BOX.show(guess, frame_index=1, lesion=0).roi == guess
    touched = replace(BOX, roi=Roi(3, 3, 9, 9))
    assert touched.show(guess, frame_index=1, lesion=0).roi == touched.roi
    assert touched.show(guess, frame_index=0, lesion=1).roi == guess
    assert touched.show(guess, frame_index=0, lesion=0) == touched
