"""The case of the running session: the one place where its state is kept."""

from collections.abc import Collection

import streamlit as st

from core.inference.loop_job import LoopJob
from core.ui.case.events import Saved, advance
from core.ui.case.state import CaseState, Event
from core.ui.session import keep

STATE = "case"
PREFIX = "case_"
KEPT = {"case_patient", "case_contours"}  # settings of the page; none tells of a patient


def get_case() -> CaseState:
    """Give the session's case; a new one at first."""
    state: CaseState = st.session_state.setdefault(STATE, CaseState())
    return state


def change_case(event: Event) -> CaseState:
    """Let an event change the case; what widgets and memories held of another case goes with it."""
    before = get_case()
    after = advance(before, event)
    if after.number != before.number:
        forget(PREFIX, KEPT)
    elif after.form_number != before.form_number:
        forget(name_form(before, ""))
    kept = {id(source.file) for source in after.sources}
    for source in before.sources:
        if id(source.file) not in kept and not source.is_simulated:
            source.file.release()
    keep(STATE, after)
    return after


def note_saved() -> None:
    """Note that the case as it stands is exported."""
    change_case(Saved())


def name_widget(name: str) -> str:
    """Give the key of a widget that belongs to the case."""
    return f"{PREFIX}{get_case().number}_{name}"


def name_view_widget(number: int, name: str) -> str:
    """Give the key of a widget that belongs to a view of the case."""
    return name_widget(f"view{number}_{name}")


def name_set_widget(number: int, name: str) -> str:
    """Give the key of a widget of a view that is not set by hand alone."""
    key = name_view_widget(number, name)
    return f"{key}_{st.session_state.get(key, 0)}"


def renew_widget(number: int, name: str) -> None:
    """Give a widget of a view another key, for another value than the one that was set by hand.

    Until a browser has heard of the value, it sends what it still shows with every click, which would take it back.
    """
    key = name_view_widget(number, name)
    st.session_state.pop(name_set_widget(number, name), None)
    st.session_state[key] = st.session_state.get(key, 0) + 1


def set_widget(number: int, name: str, value: object) -> None:
    """Set a widget of a view."""
    renew_widget(number, name)
    st.session_state[name_set_widget(number, name)] = value


def name_form(state: CaseState, name: str) -> str:
    """Give the key of a field of the form."""
    return f"{PREFIX}form{state.form_number}_{name}"


def forget(prefix: str, kept: Collection[str] = ()) -> None:
    """Forget what the session keeps under names of a prefix, apart from those that are kept; a loop's job ends."""
    for key in [str(key) for key in st.session_state]:
        if key.startswith(prefix) and key not in kept:
            if isinstance(st.session_state[key], LoopJob):
                st.session_state[key].close()
            del st.session_state[key]
