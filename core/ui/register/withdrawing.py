"""The form that withdraws an estimate of a patient, or undoes that."""

from collections.abc import Sequence

import streamlit as st

from core.errors import AppError, InputError
from core.inference.explain import format_percent
from core.plain_text import plain
from core.register.models import Record
from core.register.outcome_entry import Author
from core.register.pseudonyms import question_text
from core.register.store import Store
from core.register.withdrawal import REASONS, reinstate, withdraw
from core.ui.register.session import change_state, get_state
from core.ui.register.state import RegisterState

SAYS_NOTHING = "It does not identify the patient"


def list_withdrawn(records: Sequence[Record]) -> set[int | None]:
    """Give the numbers of a patient's estimates that are withdrawn, of the entries oldest first."""
    last = {record.corrects: record.kind for record in records if record.kind in {"withdrawal", "reinstatement"}}
    return {number for number, kind in last.items() if kind == "withdrawal"}


def ask_about_text(text: str, key: str) -> bool:
    """Ask about a text that seems to tell who the patient is, and give whether it may be kept."""
    question = question_text(text)
    if question:
        st.markdown(f":orange-badge[Question] {question}")
    return not question or st.checkbox(SAYS_NOTHING, key=key)


def ask_withdrawal(store: Store, records: Sequence[Record], author: Author) -> None:
    """Draw the form: which estimate, why, and more in words."""
    estimates = {record.number: record for record in records if record.kind == "registered"}
    if not estimates or not author.name:
        return
    withdrawn = list_withdrawn(records)

    def name(number: int) -> str:
        one = estimates[number]
        state = ", withdrawn" if number in withdrawn else ""
        return f"Entry {number}: {format_percent(one.probability or 0.0)}, {plain(one.bundle)}{state}"

    with st.expander("Withdraw an estimate, or put one back"):
        st.markdown("It stays in the chain; a further entry says that it does not count, and why.")
        key = f"register_withdraw_{get_state().opened}_{len(records)}"
        number = st.selectbox("Estimate", list(estimates), format_func=name, key=f"{key}_number")
        is_back = number in withdrawn
        reason = "" if is_back else st.selectbox("Reason", REASONS, None, key=f"{key}_reason", placeholder="Choose one")
        label = "Why it counts again" if is_back else "Details"
        text = st.text_input(label, key=f"{key}_text", max_chars=400, autocomplete="off").strip()
        is_sound = ask_about_text(text, f"{key}_sound")
        if st.button("Put back" if is_back else "Withdraw", disabled=not is_sound, key=f"{key}_send"):
            try:
                if is_back:
                    record = reinstate(store, number, author, text=text)
                elif reason:
                    record = withdraw(store, number, author, reason=reason, text=text)
                else:
                    raise InputError("Choose a reason first.")
            except AppError as error:
                st.error(plain(error))
                return
            done = "puts back" if is_back else "withdraws"
            change_state(RegisterState.say, f"**Saved**: entry {record.number} {done} entry {number}.")
            st.rerun()
