"""The transitions of a board, without Streamlit."""

from core.ui.board.state import (
    BoardState,
    Event,
    ListDrawn,
    Opened,
    OwnMoved,
    RowOpened,
    Saved,
    Seen,
    SeenKept,
    advance,
    list_unkept,
)


def play(*events: Event) -> BoardState:
    state = BoardState()
    for event in events:
        state = advance(state, event)
    return state


def test_from_the_list_to_a_patient_and_back():
    assert play(ListDrawn(("a", "b")), RowOpened(1)).patient == "b"
    assert play(ListDrawn(("a",)), RowOpened(4)).patient is None
    assert play(Opened("a"), Opened(None)).patient is None


def test_what_was_shown_to_nobody_known_is_kept_until_it_is_written_down():
    state = play(Seen("c", ("a", "b")), Seen("d", ("a",)))
    assert list_unkept(state, "c", ["z", "a"], ["b"]) == ("z", "a")
    assert list_unkept(state, "e", [], []) == ()
    kept = advance(state, SeenKept("c"))
    assert list_unkept(kept, "c", [], []) == ()
    assert list_unkept(kept, "d", [], []) == ("a",)
    assert list_unkept(state, "c", [], []) == ("a", "b"), "the state before stays as it is"


def test_a_slider_is_moved_by_one_reader_of_one_patient():
    assert play(OwnMoved("AB", "a")).moved == {("AB", "a")}


def test_each_entry_begins_an_empty_form():
    state = play(Saved("a", "one"), Saved("b", "two"))
    assert (state.forms, state.saved) == (2, ("b", "two"))
