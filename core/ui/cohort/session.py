"""The own cohort of the running session: the one place where its state is kept."""

import streamlit as st

from core.ui.cohort.state import CohortState, Event, advance
from core.ui.session import keep

STATE = "cohort"


def get_own() -> CohortState:
    """Give the session's own cohort; none at first."""
    state: CohortState = st.session_state.setdefault(STATE, CohortState())
    return state


def change_own(event: Event) -> CohortState:
    """Let an event change the own cohort, and give it as it is now."""
    keep(STATE, advance(get_own(), event))
    return get_own()
