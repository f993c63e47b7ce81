"""Waiting for the model in a page: the place in the queue, a page that runs again meanwhile, a session that leaves."""

from collections.abc import Callable
from typing import Any

import pytest
import streamlit as st
from streamlit.runtime.scriptrunner_utils.exceptions import RerunException, StopException
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData

from core.errors import WorkError
from core.ui import waiting as module
from core.ui.waiting import describe_place, forget_turn, is_waiting, take_turn


class Waiting:
    """A turn with others before it; each look serves one of them."""

    def __init__(self, ahead: int, *, on_look: Callable[[], None] = lambda: None) -> None:
        self.ahead, self.cancelled, self.on_look = ahead, False, on_look

    def look(self, seconds: float) -> bool:
        self.on_look()
        self.ahead -= 1
        return self.ahead < 0

    def result(self) -> str:
        return "read"

    def cancel(self) -> None:
        self.cancelled = True


@pytest.fixture
def captions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What stands in the place while the page waits; the session's state is a dictionary."""
    seen: list[str] = []

    class Place:
        def caption(self, text: str) -> None:
            seen.append(text)

        def empty(self) -> None:
            seen.append("")

    monkeypatch.setattr(st, "empty", Place)
    state: dict[str, Any] = {}
    monkeypatch.setattr(st, "session_state", state)
    return seen


def test_the_place_in_the_queue_is_shown_and_then_taken_away(captions):
    assert take_turn("r", 1, lambda: Waiting(3), "Reading") == "read"
    assert captions == [describe_place(2), describe_place(1), describe_place(0), ""]
    assert captions[:2] == ["2 images are before this one in the queue.", "1 image is before this one in the queue."]
    assert not is_waiting("r", 1)


def leave(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def test_a_session_that_leaves_gives_its_place_up(captions):
    turn = Waiting(3, on_look=leave(StopException()))
    with pytest.raises(StopException):
        take_turn("r", 1, lambda: turn, "Reading")
    assert turn.cancelled
    assert not is_waiting("r", 1)


def test_a_page_that_runs_again_waits_on_for_the_same_turn(captions):
    turn = Waiting(3, on_look=leave(RerunException(RerunData())))
    with pytest.raises(RerunException):
        take_turn("r", 1, lambda: turn, "Reading")
    assert is_waiting("r", 1)
    turn.on_look = lambda: None
    assert take_turn("r", 1, lambda: pytest.fail("a second turn was begun"), "Reading") == "read"
    assert not turn.cancelled


def test_another_image_gives_the_old_place_up(captions):
    old = Waiting(3, on_look=leave(RerunException(RerunData())))
    with pytest.raises(RerunException):
        take_turn("r", 1, lambda: old, "Reading")
    assert take_turn("r", 2, lambda: Waiting(0), "Reading") == "read"
    assert old.cancelled
    forget_turn("r")


def test_a_turn_that_never_comes_ends_in_a_sentence(captions, monkeypatch):
    monkeypatch.setattr(module, "WAIT_SECONDS", 1.0)
    turn = Waiting(99)
    with pytest.raises(WorkError, match="did not come to this image in 1 seconds"):
        take_turn("r", 1, lambda: turn, "Reading")
    assert turn.cancelled
    assert not is_waiting("r", 1)
