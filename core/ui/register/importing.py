"""A table of outcomes: taken, judged row by row, entered."""

import streamlit as st

from core.cohort.outcomes import FIELDS, read_outcomes
from core.plain_text import plain
from core.register.outcome_entry import Author
from core.register.outcome_import import MEANING, enter_rows, judge_rows, tabulate_rows
from core.register.store import Store
from core.spreadsheet import disarm_table
from core.ui.errors import guard
from core.ui.register.listing import offer_table
from core.ui.register.session import change_state, get_state
from core.ui.register.state import RegisterState
from core.ui.upload import take_upload

REASON = "register_import_reason"


def ask_import(store: Store, author: Author) -> None:
    """Draw the upload, and the preview of what would be entered."""
    state = get_state()
    with st.expander("Enter outcomes from a table", expanded=bool(state.judged)):
        st.markdown(
            f"One row a patient, with the columns {', '.join(f'`{name}`' for name in FIELDS)} or names like them; what "
            "is not known stays empty. Nothing is written before you have seen each row."
        )
        key = f"register_upload_{state.uploads}"
        st.file_uploader("Outcomes: CSV, Excel, ODS or Parquet", key=key, on_change=guard(_take), args=(key, store))
        if state.judged:
            _show_preview(store, author)


def _take(key: str, store: Store) -> None:
    content = take_upload(key)
    if content is not None:
        read = read_outcomes(content)
        judged = judge_rows(store, read.rows, read.reading.refused)
        change_state(RegisterState.take, tuple(judged), (*read.reading.notes, *read.reading.describe()))


def _show_preview(store: Store, author: Author) -> None:
    state = get_state()
    rows = tabulate_rows(state.judged)
    counts = rows["Status"].value_counts()
    for note in state.notes:
        st.caption(plain(note))
    st.markdown(", ".join(f"**{counts.get(status, 0):,}** {status}" for status in MEANING))
    st.dataframe(
        disarm_table(rows), hide_index=True, height=35 * (min(len(rows), 10) + 1) + 3, alt="What each row would do"
    )
    offer_table("Preview (CSV)", "sonoki_outcomes_preview.csv", rows)
    reason = ""
    if counts.get("contradicting", 0):
        reason = st.text_input(
            "Reason, to enter the contradicting rows as corrections (empty: they are left out)",
            key=REASON,
            max_chars=400,
        ).strip()
    n = int(counts.get("new", 0)) + (int(counts.get("contradicting", 0)) if reason else 0)
    with st.container(horizontal=True):
        st.button(
            f"Enter {n:,} rows",
            type="primary",
            disabled=not (n and author.name),
            help=None if author.name else "Give your initials in the sidebar first.",
            on_click=guard(_enter),
            args=(store, author, reason),
        )
        st.button("Discard", on_click=guard(change_state), args=(RegisterState.take, ()))


def _enter(store: Store, author: Author, reason: str) -> None:
    judged = get_state().judged
    expected = sum(
        len(row.steps) for row in judged if row.status == "new" or (row.status == "contradicting" and reason)
    )
    records = enter_rows(store, judged, author, reason=reason)
    change_state(RegisterState.take, ())
    st.session_state.pop(REASON, None)
    late = expected - len(records)
    lost = f" {late} were entered by somebody else in the meantime and are left as they are." if late else ""
    change_state(RegisterState.say, f"**{len(records):,} entries** were written.{lost}")
