"""The board of the running session: the one place where its state is kept."""

import streamlit as st

from core.ui.board.state import BoardState, Event, advance

STATE = "board"


def get_board() -> BoardState:
    """Give the session's board; at the list at first."""
    state: BoardState = st.session_state.setdefault(STATE, BoardState())
    return state


def change_board(event: Event) -> BoardState:
    """Let an event change the board, and give it as it is now."""
    st.session_state[STATE] = advance(get_board(), event)
    return get_board()
