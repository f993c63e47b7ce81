"""A table or FHIR Bundle of outcomes: taken, judged row by row, entered."""

import streamlit as st

from core.cohort.outcomes import FIELDS, read_outcomes
from core.fhir.read import is_fhir, judge_bundle, read_bundle
from core.plain_text import plain
from core.register.outcome_entry import Author
from core.register.outcome_import import MEANING, enter_rows, judge_rows, tabulate_rows
from core.register.store import Store
from core.spreadsheet import disarm_table
from core.ui.errors import guard
from core.ui.register.listing import offer_table
from core.ui.register.session import change_state, get_state
from core.ui.register.state import RegisterState
from core.ui.register.withdrawing import ask_about_text
from core.ui.upload import take_upload

REASON, UNSAID = "register_import_reason", "register_import_unsaid"


def ask_import(store: Store, author: Author) -> None:
    """Draw the upload, and the preview of what would be entered."""
    state = get_state()
    with st.expander("Enter outcomes from a table or a FHIR Bundle", expanded=bool(state.judged)):
        st.markdown(
            f"One row per patient, with the columns {', '.join(f'`{name}`' for name in FIELDS)} or names like them; "
            "what is not known stays empty. Or a FHIR R4 Bundle with Observations of Ki-67 (LOINC 85330-9, %) in "
            "surgical specimens, pT, pN and nodes; a core biopsy's is never the outcome. Nothing is written before you "
            "see each row."
        )
        key = f"register_upload_{state.uploads}"
        st.file_uploader(
            "Outcomes: CSV, Excel, ODS or Parquet, or a FHIR R4 Bundle as JSON",
            key=key,
            on_change=guard(_take),
            args=(key, store),
        )
        if state.judged:
            _show_preview(store, author)


def _take(key: str, store: Store) -> None:
    content = take_upload(key)
    if content is None:
        return
    if is_fhir(content):
        found = read_bundle(content)
        change_state(RegisterState.take, tuple(judge_bundle(store, found)), found.notes, found)
        return
    read = read_outcomes(content)
    judged = judge_rows(store, read.rows, read.reading.refused)
    change_state(RegisterState.take, tuple(judged), (*read.reading.notes, *read.reading.describe()))


def _judge_again(store: Store) -> None:
    """Judge the Bundle by what was said of the specimens that it does not name."""
    found = get_state().found
    if found is not None:
        judged = judge_bundle(store, found, unsaid_is_surgery=st.session_state[UNSAID])
        change_state(RegisterState.judge, tuple(judged))


def _show_preview(store: Store, author: Author) -> None:
    state = get_state()
    rows = tabulate_rows(state.judged)
    counts = rows["Status"].value_counts()
    for note in state.notes:
        st.caption(plain(note))
    unsaid = sum(not one.origin for one in state.found.found) if state.found else 0
    if unsaid:
        st.checkbox(
            f"Of {unsaid:,} Ki-67 the Bundle names no specimen: all of them are from surgical specimens, none from a "
            "core biopsy",
            key=UNSAID,
            on_change=guard(_judge_again),
            args=(store,),
        )
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
    is_sound = ask_about_text(reason, "register_import_sound")
    n = int(counts.get("new", 0)) + (int(counts.get("contradicting", 0)) if reason else 0)
    with st.container(horizontal=True):
        st.button(
            f"Enter {n:,} rows",
            type="primary",
            disabled=not (n and author.name and is_sound),
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
    for key in (REASON, UNSAID):
        st.session_state.pop(key, None)
    late = expected - len(records)
    lost = f" {late} were entered by somebody else in the meantime and are left as they are." if late else ""
    change_state(RegisterState.say, f"**{len(records):,} entries** were written.{lost}")
