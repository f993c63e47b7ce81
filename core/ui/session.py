"""The browser session: whose work it is, and what ends with it."""

import time
from collections import defaultdict
from threading import Lock
from typing import Protocol
from weakref import WeakSet

import streamlit as st
from streamlit.runtime import get_instance
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.turns import OWNER


class Closeable(Protocol):
    """What a session may leave behind: a job, files."""

    def close(self) -> None:
        """End it, without waiting."""


_lock = Lock()
_things: defaultdict[str, WeakSet[Closeable]] = defaultdict(WeakSet)
_left: dict[str, float] = {}


def keep(name: str, value: object) -> None:
    """Keep a value in place of the one before, which Streamlit would else hold until the next run."""
    st.session_state.pop(name, None)
    st.session_state[name] = value


def name_owner() -> str:
    """Name whose work the running page's is: the person's where login is on, else the session's."""
    context = get_script_run_ctx()
    if context is None:
        return ""
    return str(context.user_info.get("sub") or context.session_id)


def note_session() -> None:
    """Note the session of the running page, so that all it leaves goes when it is over."""
    context = get_script_run_ctx()
    if context is not None:
        OWNER.set(name_owner())
        with _lock:
            _things.setdefault(context.session_id, WeakSet())


def end_with_session(thing: Closeable) -> None:
    """Close a thing when the session of the running page is over; nothing is kept alive by that."""
    context = get_script_run_ctx()
    if context is not None:
        with _lock:
            _things[context.session_id].add(thing)


def close_ended_sessions() -> list[str]:
    """Close what belongs to sessions whose browser has been away for longer than it may; give their ids."""
    runtime, now, most = get_instance(), time.monotonic(), st.get_option("server.disconnectedSessionTTL")
    with _lock:
        for session in _things:
            if runtime.is_active_session(session):
                _left.pop(session, None)
            else:
                _left.setdefault(session, now)
        over = [session for session, since in _left.items() if now - since >= most]
        things = [thing for session in over for thing in _things.pop(session, ())]
        for session in over:
            del _left[session]
    for thing in things:
        thing.close()
    for session in over:
        runtime.close_session(session)
    return over
