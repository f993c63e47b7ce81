"""The own cohorts of the running session: the one place where its state is kept."""

import streamlit as st

from core.ui.cohort.state import CohortState, Event, advance
from core.ui.session import keep

STATE = "cohort"


def get_own(name: str = STATE) -> CohortState:
    """Give the session's own cohort of that name; none at first."""
    state: CohortState = st.session_state.setdefault(name, CohortState())
    return state


def change_own(event: Event, name: str = STATE) -> CohortState:
    """Let an event change the own cohort, and give it as it is now."""
    keep(name, advance(get_own(name), event))
    return get_own(name)
