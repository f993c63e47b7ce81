"""The own cohort of the running session: the one place where its state is kept."""

import streamlit as st

from core.ui.cohort.state import CohortState, Event, advance

STATE = "cohort"


def get_own() -> CohortState:
    """Give the session's own cohort; none at first."""
    state: CohortState = st.session_state.setdefault(STATE, CohortState())
    return state


def change_own(event: Event) -> CohortState:
    """Let an event change the own cohort, and give it as it is now."""
    before = st.session_state.pop(STATE, CohortState())  # a value that is only replaced outlives the run
    st.session_state[STATE] = advance(before, event)
    return get_own()
