"""The one place where errors become sentences on a page; no message of an exception reaches the log."""

import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

import streamlit as st

from core.errors import AppError, TableError, WorkError
from core.plain_text import plain
from core.spreadsheet import disarm
from core.ui.session import note_session

MOST_ROWS = 20
FAULT = "Something went wrong in the program, not in your data. It was logged; reload the page and try again."
NO_FILE = "The file could not be made."
KEPT = "page_fault"
P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)


@contextmanager
def report_errors(*, stop: bool = True) -> Iterator[None]:
    """Show an error as one sentence where it occurred, and end the page there.

    Errors of the program itself are logged by their kind and place alone: their messages may hold a patient's values.

    Parameters
    ----------
    stop : bool
        Whether the page ends; else it goes on behind this part.

    Yields
    ------
    None
        The part of a page that may fail.
    """
    try:
        yield
    except AppError as error:
        _show(error)
        if stop:
            st.stop()
    except Exception as error:  # noqa: BLE001 - the last door: logged, without its message
        _log(error)
        st.error(FAULT)
        st.stop()


def guard(act: Callable[P, object]) -> Callable[P, None]:
    """Make a callback of a widget: its work is its session's, and what fails is said by the page that is drawn next."""

    @wraps(act)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            note_session()
            act(*args, **kwargs)
        except AppError as error:
            st.session_state[KEPT] = error
        except Exception as error:  # noqa: BLE001 - the last door of a callback
            _log(error)
            st.session_state[KEPT] = AppError(FAULT)

    return run


def guard_file(make: Callable[[], T]) -> Callable[[], T]:
    """Make what a download button calls: Streamlit logs what fails in it, so nothing of a patient may be said there."""

    def run() -> T:
        try:
            return make()
        except Exception as error:  # noqa: BLE001 - the last door of a download
            _log(error)
        raise WorkError(NO_FILE)

    return run


def show_kept_error() -> None:
    """Show what failed in a callback before this run of the page."""
    error = st.session_state.pop(KEPT, None)
    if error is not None:
        _show(error)


def _show(error: AppError) -> None:
    st.error(plain(error))
    if isinstance(error, TableError) and error.rows:
        rows = error.rows[:MOST_ROWS]
        st.dataframe({"Row": [row for row, _ in rows], "Reason": [disarm(why) for _, why in rows]}, hide_index=True)


def _log(error: Exception) -> None:
    log.error("%s\n%s", type(error).__qualname__, "".join(traceback.format_tb(error.__traceback__)))
