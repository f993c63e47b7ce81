"""The register's page of the running session: the one place where its state is kept."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec

import streamlit as st

from core.ui.register.state import RegisterState
from core.ui.session import keep

STATE = "register_state"
P = ParamSpec("P")


def get_state() -> RegisterState:
    """Give where the page stands; at the whole list at first."""
    state: RegisterState = st.session_state.setdefault(STATE, RegisterState())
    return state


def change_state(
    change: Callable[Concatenate[RegisterState, P], RegisterState], *args: P.args, **more: P.kwargs
) -> None:
    """Keep what a method of the state makes of it."""
    keep(STATE, change(get_state(), *args, **more))
