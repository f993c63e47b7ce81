"""Waiting: for the model, with how many images are before this one; for long work, with its progress and a stop."""

from collections.abc import Callable, Hashable
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner_utils.exceptions import StopException

from core.errors import BusyError, WorkError
from core.inference.queue.place import LATE, Turn
from core.inference.queue.worker import WAIT_SECONDS

T = TypeVar("T")
LOOK_SECONDS = 0.25
STATE, STOP = "turn_", "stop_work"


def begin_progress(place: DeltaGenerator, words: str) -> DeltaGenerator:
    """Draw the bar of a long piece of work, and a button that ends it at its next step; give the bar."""
    with place.container():
        bar = st.progress(0.0, words)
        st.button("Stop", key=STOP)  # a press begins a new run of the page, which ends this one
    return bar


def is_waiting(name: str, key: Hashable) -> bool:
    """Whether a turn of that name and key was begun and its result not yet taken."""
    known = st.session_state.get(STATE + name)
    return known is not None and known[0] == key


def begin_turn(name: str, key: Hashable, begin: Callable[[], Turn[T]]) -> None:
    """Queue a piece of work unless it waits already; what waits under that name for another key is given up."""
    if not is_waiting(name, key):
        forget_turn(name)
        st.session_state[STATE + name] = (key, begin())


def take_turn(name: str, key: Hashable, begin: Callable[[], Turn[T]], words: str) -> T:
    """Wait for the model's result, and show the place in the queue."""
    state = STATE + name
    begin_turn(name, key, begin)
    turn: Turn[T] = st.session_state[state][1]
    try:
        with st.spinner(words):
            _watch(turn)
    except (StopException, WorkError):
        forget_turn(name)
        raise
    del st.session_state[state]
    return turn.result()


def forget_turn(name: str) -> None:
    """Give up the turn of that name, if there is one."""
    known = st.session_state.pop(STATE + name, None)
    if known is not None:
        known[1].cancel()


def _watch(turn: Turn[T]) -> None:
    """Wait for the end of a turn; each look lets Streamlit end this run of the page where that is due."""
    place = st.empty()
    for _ in range(round(WAIT_SECONDS / LOOK_SECONDS)):
        if turn.look(LOOK_SECONDS):
            place.empty()
            return
        place.caption(describe_place(turn.ahead))
    raise BusyError(LATE.format(seconds=WAIT_SECONDS))


def describe_place(ahead: int) -> str:
    """Say how many are before this image; nothing where it is its turn."""
    if not ahead:
        return "It is this image's turn."
    return f"{ahead} image{'s are' if ahead > 1 else ' is'} before this one in the queue."
