"""The one place where errors become sentences on a page."""

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from core.errors import AppError, TableError

MOST_ROWS = 20
FAULT = "Something went wrong in the program, not in your data. It was logged; reload the page and try again."

log = logging.getLogger(__name__)


@contextmanager
def report_errors() -> Iterator[None]:
    """Show an error as one sentence where it occurred, and end the page there.

    Errors of the program itself are logged by their kind and place alone: their messages may hold a patient's values.

    Yields
    ------
    None
        The part of a page that may fail.
    """
    try:
        yield
    except AppError as error:
        st.error(str(error))
        if isinstance(error, TableError) and error.rows:
            st.dataframe(
                {
                    "Row": [row for row, _ in error.rows[:MOST_ROWS]],
                    "Reason": [why for _, why in error.rows[:MOST_ROWS]],
                },
                hide_index=True,
            )
        st.stop()
    except Exception as error:  # noqa: BLE001 - the last door: logged, without its message
        log.error("%s\n%s", type(error).__qualname__, "".join(traceback.format_tb(error.__traceback__)))  # noqa: TRY400
        st.error(FAULT)
        st.stop()
