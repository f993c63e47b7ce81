"""What the board says about a patient: the reader's own estimate first, decisions and notes, and what was said."""

import pandas as pd
import streamlit as st

from core.board.models import Entry, Record
from core.ui.board import get_store
from core.ui.export import offer_csv
from core.ui.login import User

INITIALS, FIRST = "board_initials", "board_reading_first"
AGREE, OVERRIDE, NOTE = "Agree with the call", "Override the call", "Note only"


def ask_author(user: User) -> str:
    """Give the login's name, or ask for initials once a session."""
    if user.name:
        return user.name
    return st.sidebar.text_input("Your initials", key=INITIALS, max_chars=20, persist_state="session").strip()


def save_entry(entry: Entry) -> Record:
    """Keep an entry; the one way from the page to the store."""
    return get_store().append(entry)


def ask_reading_first(patient: str, author: str, *, user: User, threshold: float, cohort_sha256: str) -> bool:
    """Where the session reads first, ask for the reader's own estimate.

    Parameters
    ----------
    patient, author : str
        Pseudonym, and who reads.
    user : User
        Whose role is kept.
    threshold : float
        Probability from which the reader's estimate is high.
    cohort_sha256 : str
        Hash of the cohort.

    Returns
    -------
    bool
        Whether the model's estimate may be shown.
    """
    if not st.sidebar.toggle("Reading first", key=FIRST, persist_state="session"):
        return True
    kept = get_store().read(patient)
    if any(r.kind == "reading" and r.author == author and r.cohort_sha256 == cohort_sha256 for r in kept):
        return True
    with st.form("board_reading"):
        percent = st.slider("Your own probability of a high Ki-67 (%)", 0, 100, 50)
        sent = st.form_submit_button("Keep it and show the model's")
    if sent:
        own = percent / 100
        group = "high" if own >= threshold else "low"
        save_entry(Entry(patient, author, "reading", "", user.role, None, cohort_sha256, probability=own, group=group))
        st.rerun()
    return False


def ask_decision(draft: Entry) -> None:
    """Draw the form of a decision or note, and keep it.

    Parameters
    ----------
    draft : Entry
        A note with patient, role, hashes and the model's output; its author and text come from the form.
    """
    with st.form(f"board_decision_{draft.patient}", clear_on_submit=True, enter_to_submit=False):
        options = [AGREE, OVERRIDE, NOTE] if draft.group else [NOTE]
        stand = st.radio("Decision", options, horizontal=True)
        text = st.text_area("Note, or the reason of an override", height=80, max_chars=4000)
        sent = st.form_submit_button("Save", type="primary", shortcut="Ctrl+Enter")
    if sent:
        agrees = None if stand == NOTE else stand == AGREE
        fields = {name: getattr(draft, name) for name in draft.__dataclass_fields__}
        kind = "note" if stand == NOTE else "decision"
        kept = save_entry(Entry(**fields | {"kind": kind, "text": text, "agrees": agrees}))
        st.markdown(f"**Saved** as entry {kept.number}, {kept.hash[:12]}.")


def show_entries(patient: str) -> None:
    """List what was said about a patient, oldest first."""
    records = get_store().read(patient)
    if not records:
        st.caption("Nothing was said about this patient yet.")
        return
    table = pd.DataFrame([record.to_dict() for record in records])
    st.dataframe(
        table[["time_utc", "author", "kind", "agrees", "text"]],
        hide_index=True,
        alt="Entries of the board about this patient",
    )
    offer_csv(table, "board_entries", label="Entries (CSV)")
