"""What the board says about a patient: the reader's own estimate first, decisions and notes, and what was said."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core.errors import AppError
from core.plain_text import plain
from core.register.models import MAX_TEXT, Entry, Kind, Record
from core.ui.board.navigation import get_store
from core.ui.login import User

INITIALS, FIRST, SAVED = "board_initials", "board_reading_first", "board_saved"
AGREE, OVERRIDE, NOTE = "Agree", "Override", "Note"
NO_NAMES = "No names and no dates of birth: what is typed here is kept for good."


def ask_author(user: User) -> str:
    """Give the login's name, or ask for initials once a session."""
    if user.name:
        return user.name
    return st.sidebar.text_input("Your initials", key=INITIALS, max_chars=20, persist_state="session").strip()


def reads_first() -> bool:
    """Draw the switch of "reading first", and give its state."""
    return st.sidebar.toggle(
        "Reading first",
        key=FIRST,
        persist_state="session",
        help="You give your own estimate of each patient before the model's is shown. Both are kept.",
    )


def save_entry(entry: Entry) -> Record:
    """Keep an entry; the one way from the page to the store."""
    return get_store().append(entry)


def list_unread(records: list[Record], patients: list[str], author: str) -> list[str]:
    """Give the patients that an author has not read.

    Parameters
    ----------
    records : list of Record
        Entries of the cohort.
    patients : list of str
        Pseudonyms.
    author : str
        Reader.

    Returns
    -------
    list of str
        Those without a reading.
    """
    read = {r.patient for r in records if r.kind == "reading" and r.author == author}
    return [patient for patient in patients if patient not in read]


def ask_own(draft: Mapping[str, Any], threshold: float) -> None:
    """Ask for the reader's own estimate, and keep it.

    Parameters
    ----------
    draft : mapping of str to value
        Patient, author, role and hashes of an entry.
    threshold : float
        Probability from which the reader's estimate is high.
    """
    if not draft["author"]:
        st.markdown("Give your initials in the sidebar, then your own estimate.")
        return
    with st.form(f"board_reading_{draft['patient']}"):
        percent = st.slider("Your own probability of a high Ki-67 (%)", 0, 100, 50)
        sent = st.form_submit_button("Keep it and show the model's", type="primary")
    if sent:
        own = percent / 100
        group = "high" if own >= threshold else "low"
        save_entry(Entry(**draft, kind="reading", probability=own, group=group))
        st.rerun()


def keep_shown(draft: Mapping[str, Any], records: list[Record]) -> None:
    """After a reading, keep the model's estimate that was then shown, once.

    Parameters
    ----------
    draft : mapping of str to value
        Patient, author, role, hashes and the model's output.
    records : list of Record
        Entries of the patient.
    """
    own = [r for r in records if r.author == draft["author"] and r.cohort_sha256 == draft["cohort_sha256"]]
    reading = next((r for r in own if r.kind == "reading"), None)
    if reading is not None and draft.get("group") and not any(r.kind == "estimate" for r in own):
        text = f"Shown after the reading in entry {reading.number}."
        records.append(save_entry(Entry(**draft, kind="estimate", text=text)))


def ask_decision(draft: Mapping[str, Any]) -> None:
    """Draw the form of a decision or note, and keep it; what can't be kept stays in the form.

    Parameters
    ----------
    draft : mapping of str to value
        Patient, author, role, hashes and, where there is one, the model's output.
    """
    if not draft["author"]:
        st.markdown("Give your initials in the sidebar, so that what you save has an author.")
        return
    saved = st.session_state.setdefault(SAVED, {})
    with st.form(f"board_decision_{draft['patient']}_{len(saved)}", enter_to_submit=False):
        options = [AGREE, OVERRIDE, NOTE] if draft.get("group") else [NOTE]
        stand = st.radio("With the model's call", options, horizontal=True)
        label = "Decision, note, or why it is overridden"
        text = st.text_area(label, height=68, max_chars=MAX_TEXT, placeholder=NO_NAMES)
        sent = st.form_submit_button("Save", type="primary", shortcut="Ctrl+Enter", width="stretch")
    if sent:
        kind: Kind = "note" if stand == NOTE else "decision"
        agrees = None if stand == NOTE else stand == AGREE
        try:
            kept = save_entry(Entry(**draft, kind=kind, text=text, agrees=agrees))
        except AppError as error:
            st.error(plain(error))
            return
        saved[kept.number] = (kept.patient, f"**Saved** as entry {kept.number}, {kept.hash[:12]}.")
        st.rerun()
    patient, sentence = next(reversed(saved.values()), ("", ""))
    if patient == draft["patient"]:
        st.markdown(sentence)


def show_entries(records: list[Record]) -> None:
    """List what was said about a patient of this cohort, newest first."""
    if not records:
        st.caption("Nothing was said about this patient yet.")
        return
    table = pd.DataFrame([record.to_dict() for record in reversed(records)])
    stand = table["agrees"].map({True: "agrees", False: "overrides"}).fillna("")
    shown = pd.DataFrame(
        {
            "Time (UTC)": table["time_utc"].str[:16].str.replace("T", " "),
            "Author": table["author"],
            "Entry": table["kind"],
            "Call": stand,
            "Text": table["text"],
        }
    )
    st.dataframe(shown, hide_index=True, width=560, alt="Entries of the board about this patient, newest first")
