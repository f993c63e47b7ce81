"""The transitions of a case, without Streamlit."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from core.imaging import Roi
from core.imaging.uploads import hold_file
from core.ui.case.events import (
    Answered,
    BoxSet,
    CaseEnded,
    Confirmed,
    ImageRead,
    ImagesGiven,
    ImagesRemoved,
    ItemChosen,
    ItemsTaken,
    LesionRead,
    PlaneSet,
    ReplaceAgreed,
    ReplaceAsked,
    ReplaceRefused,
    Saved,
    SideSaid,
    ValuesEntered,
    ValueTaken,
    ViewsAdded,
    ViewShown,
    ViewsRemoved,
    ViewTurned,
    advance,
)
from core.ui.case.state import MOST_READINGS, MOST_VIEWS, Box, CaseState, Event
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
    events = (ImagesGiven((make_source(),)), ImageRead(), ValuesEntered(VALUES), BoxSet(BOX), Confirmed("sure"))
    return play(*events, LesionRead("key", "reading"), Answered(SimpleNamespace(key="key")))  # type: ignore[arg-type]


NEW_CASES = {
    "another image": ImagesGiven((make_source(b"b"),)),
    "the same image again": ImagesGiven((make_source(),)),
    "from the archive": ImagesGiven((make_source(b"c", is_archived=True),)),
    "another file of the zip": ItemChosen(1),
    "removed": ImagesRemoved(),
    "ended": CaseEnded(),
    "simulated": ImagesGiven((make_source(b"d", patient_id="S-1", clinical={"age": 50}),)),
}


@pytest.mark.parametrize("event", NEW_CASES.values(), ids=NEW_CASES)
def test_a_new_case_has_nothing_of_the_one_before(answered, event):
    after = advance(answered, event)
    assert after.number == answered.number + 1
    assert after.form_number != answered.form_number
    assert (after.box, after.answer, dict(after.readings), after.confirmed) == (None, None, {}, frozenset())
    assert not set(after.values.items()) & set(VALUES.items())
    assert answered.values == VALUES, "the state before stays as it is"


@pytest.mark.parametrize("event", NEW_CASES.values(), ids=NEW_CASES)
def test_work_that_is_kept_nowhere_is_asked_about_before_it_goes(answered, event):
    asked = advance(answered, ReplaceAsked(event))
    assert (asked.pending, asked.number, asked.views, asked.values) == (event, answered.number, answered.views, VALUES)
    back = advance(asked, ReplaceRefused())
    assert (back.pending, back.content) == (None, answered.content)
    after, plain = advance(asked, ReplaceAgreed()), advance(answered, event)
    assert (after.number, after.content) == (plain.number, plain.content)
    assert after.pending is None
    saved = play(Saved(), ReplaceAsked(event), state=answered)
    assert (saved.pending, saved.number) == (None, answered.number + 1)


def test_the_values_go_on_only_where_it_is_the_same_patient(answered):
    asked = play(SideSaid("left"), ReplaceAsked(ImagesGiven((make_source(b"b"),))), state=answered)
    after = advance(asked, ReplaceAgreed(is_same_patient=True))
    assert (after.values, after.side, after.answer, after.box) == (VALUES, "left", None, None)
    assert (advance(asked, ReplaceAgreed()).values, advance(asked, ReplaceAgreed()).side) == ({}, None)


CHANGES = (ValuesEntered({"age": 40}), SideSaid("left"), PlaneSet("other"), ViewsAdded((make_source(b"b"),)))


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_after_an_export_is_unsaved_again(answered, change):
    saved = advance(answered, Saved())
    assert not saved.is_unsaved
    assert advance(saved, change).is_unsaved
    assert advance(advance(saved, change), ReplaceAsked(CaseEnded())).pending is not None


def test_an_image_alone_is_replaced_without_a_question_and_a_drawn_box_is_not():
    given = play(ImagesGiven((make_source(),)), ImageRead(), BoxSet(BOX))
    other = ReplaceAsked(ImagesGiven((make_source(b"b"),)))
    assert given.is_unsaved
    assert advance(given, other).number == given.number + 1
    assert advance(advance(given, BoxSet(replace(BOX, roi=Roi(3, 3, 9, 9)))), other).pending is not None


def test_a_file_that_waits_for_the_answer_is_held(answered):
    coming = make_source(b"b")
    asked = advance(answered, ReplaceAsked(ImagesGiven((coming,))))
    assert coming in asked.sources
    assert coming not in advance(asked, ReplaceRefused()).sources


def test_a_simulated_patients_values_are_never_asked_about(answered):
    simulated = play(NEW_CASES["simulated"], ImageRead(), state=answered)
    assert simulated.values == {"age": 50}
    after = advance(simulated, ReplaceAsked(NEW_CASES["another image"]))
    assert (after.values, after.pending) == ({}, None)


def test_values_before_the_first_image_and_after_an_unreadable_one_stay():
    given, other = ReplaceAsked(ImagesGiven((make_source(),))), ReplaceAsked(ImagesGiven((make_source(b"b"),)))
    assert play(ValuesEntered(VALUES), given).values == VALUES
    assert play(given, ValuesEntered(VALUES), other).values == VALUES
    assert play(ValuesEntered(VALUES), ReplaceAsked(NEW_CASES["simulated"])).pending is not None


def test_moving_the_box_takes_neither_reading_nor_answer(answered):
    after = advance(answered, BoxSet(replace(BOX, roi=Roi(5, 5, 20, 20))))
    assert (after.answer, after.readings) == (answered.answer, answered.readings)
    assert after.number == answered.number


def test_the_last_readings_alone_are_kept():
    state = play(*(LesionRead(i, f"reading {i}") for i in range(40)), LesionRead(35, "again"))  # type: ignore[arg-type]
    assert list(state.readings) == [*range(39 - MOST_READINGS + 1, 35), *range(36, 40), 35]


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


def give(count: int) -> CaseState:
    return play(ImagesGiven(tuple(make_source(bytes([i])) for i in range(count))), ImageRead())


def number_views(state: CaseState, *, used: bool = False) -> list[int]:
    return [view.number for view in state.views if view.is_used or not used]


def test_images_given_together_are_views_of_one_case():
    state = give(3)
    assert (number_views(state), state.shown, state.number) == ([1, 2, 3], 1, 1)
    assert number_views(give(MOST_VIEWS + 3)) == list(range(1, MOST_VIEWS + 1))


def test_views_that_are_added_belong_to_the_case_and_keep_what_is_in_it(answered):
    after = advance(answered, ViewsAdded((make_source(b"b"), make_source(b"c"))))
    assert (number_views(after), after.shown, after.number) == ([1, 2, 3], 2, answered.number)
    assert (after.values, after.answer, after.views[0]) == (answered.values, answered.answer, answered.views[0])


def test_each_view_has_a_box_and_a_plane_of_its_own():
    state = play(BoxSet(BOX, 2), ViewShown(3), PlaneSet("longitudinal"), state=give(3))
    assert [view.box for view in state.views] == [None, BOX, None]
    assert [view.plane for view in state.views] == [None, None, "longitudinal"]
    assert (state.box, advance(state, ViewShown(2)).box) == (None, BOX)


def test_a_view_is_left_out_and_taken_in_again_but_never_the_last():
    state = play(ViewTurned(), ViewShown(2), ViewTurned(), state=give(3))
    assert number_views(state, used=True) == [3]
    assert advance(advance(state, ViewShown(3)), ViewTurned()).views == advance(state, ViewShown(3)).views
    assert number_views(advance(state, ViewTurned()), used=True) == [2, 3]


def test_a_removed_view_leaves_the_others_with_their_numbers(answered):
    state = play(ViewsAdded((make_source(b"b"),)), ViewTurned(), ViewShown(1), ViewsRemoved((1,)), state=answered)
    assert (number_views(state), state.shown, state.views[0].is_used) == ([2], 2, True)
    assert state.values == VALUES
    gone = advance(state, ViewsRemoved((2,)))
    assert (gone.views, gone.number, gone.values) == ((), answered.number + 1, {})
    assert number_views(advance(state, ViewsAdded((make_source(b"c"),)))) == [2, 3]


def test_the_files_of_an_archive_become_views_only_when_they_are_said_to_be_of_one_lesion():
    state = advance(give(1), ItemsTaken(3))
    assert [(view.number, view.item) for view in state.views] == [(1, 0), (2, 1), (3, 2)]
    assert len({id(view.source) for view in state.views}) == 1
    assert len(advance(give(1), ItemsTaken(40)).views) == MOST_VIEWS
    third = play(ItemChosen(2), BoxSet(BOX), ItemsTaken(4), state=give(1))
    assert [(view.number, view.item) for view in third.views] == [(1, 2), (2, 0), (3, 1), (4, 3)]
    assert third.box == BOX


def test_a_simulated_patient_is_forgotten_at_once_only_where_nothing_was_entered():
    simulated, end = advance(CaseState(), NEW_CASES["simulated"]), ReplaceAsked(CaseEnded())
    assert not simulated.is_unsaved
    assert advance(simulated, end).views == ()
    assert advance(advance(simulated, ValuesEntered({"age": 51})), end).pending is not None
    assert not CaseState().is_unsaved
