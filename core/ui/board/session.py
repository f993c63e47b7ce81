"""The board of the running session: the one place where its state is kept."""

import streamlit as st

from core.ui.board.state import BoardState, Event, advance
from core.ui.session import keep

STATE = "board"


def get_board() -> BoardState:
    """Give the session's board; at the list at first."""
    state: BoardState = st.session_state.setdefault(STATE, BoardState())
    return state


def change_board(event: Event) -> BoardState:
    """Let an event change the board, and give it as it is now."""
    keep(STATE, advance(get_board(), event))
    return get_board()
