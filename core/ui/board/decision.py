"""What the board says about a patient: the reader's own estimate first, decisions and notes, and what was said."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.errors import AppError, InputError
from core.plain_text import plain
from core.register.models import MAX_TEXT, WITHHELD, Entry, Kind, Record
from core.register.pairs import list_seen
from core.ui.board.session import change_board, get_board
from core.ui.board.state import OwnMoved, Saved, Seen, SeenKept, list_unkept
from core.ui.errors import guard
from core.ui.login import User
from core.ui.register.database import get_store

INITIALS, FIRST = "board_initials", "board_reading_first"
AGREE, OVERRIDE, NOTE = "Agree", "Override", "Note"
NOT_BLIND = "Not blind: the model's estimate was shown before."
ABOUT = ("author", "author_key", "role", "cohort_sha256", "bundle_sha256")
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
        help="You give your own estimate of each patient before the model's is shown. Both are kept. A reading is not "
        "blind if the list or the patient's page has shown you the estimate under your name before.",
    )


def save_entry(entry: Entry) -> Record:
    """Keep an entry; the one way from the page to the store."""
    return get_store().append(entry)


def list_unread(records: list[Record], patients: list[str], author: str, key: str) -> list[str]:
    """Give the patients that an author has not read."""
    read = {r.patient for r in records if r.kind == "reading" and r.is_by(author, key)}
    return [patient for patient in patients if patient not in read]


def ask_own(draft: Mapping[str, Any], threshold: float, *, is_blind: bool) -> None:
    """Ask for the reader's own estimate, and keep it.

    A slider that was not moved is no estimate; a reader who was shown the model's estimate of this patient is not
    blind.
    """
    author, patient = draft["author"], draft["patient"]
    if not author:
        st.markdown("Give your initials in the sidebar, then your own estimate.")
        return
    if not is_blind:
        st.caption(
            "You were shown the model's estimate of this patient before: your reading is kept, but not as a blind one."
        )
    percent = st.slider(
        "Your own probability of a high Ki-67 (%)",
        0,
        100,
        50,
        key=f"board_own_{author}_{patient}",
        on_change=guard(change_board),
        args=(OwnMoved(author, patient),),
    )
    sent = st.button("Save my estimate and show the model's", type="primary")
    is_moved = (author, patient) in get_board().moved
    if not is_moved:
        st.caption("Move the slider to your estimate; as long as it was not moved, nothing is kept.")
    if sent and is_moved:
        own = percent / 100
        group = "high" if own >= threshold else "low"
        text = "" if is_blind else NOT_BLIND
        save_entry(Entry(**draft, kind="reading", probability=own, group=group, text=text))
        st.rerun()


def keep_seen(draft: Mapping[str, Any], visible: Mapping[str, float], records: list[Record]) -> list[Record]:
    """Keep whose estimates the reader was shown, once each; a later reading of them is not blind."""
    author, cohort = draft["author"], draft["cohort_sha256"]
    if not author:
        change_board(Seen(cohort, tuple(visible)))
        return []
    about = {name: draft.get(name, "") for name in ABOUT}
    unkept = list_unkept(get_board(), cohort, visible, list_seen(records, author, draft.get("author_key", "")))
    kept = get_store().append_all(
        [Entry(**about, patient=name, kind="shown", probability=visible.get(name)) for name in unkept]
    )
    change_board(SeenKept(cohort))
    return kept


def keep_shown(draft: Mapping[str, Any], records: list[Record]) -> None:
    """After a reading, keep the model's estimate that was then shown, once."""
    is_own = [r.is_by(draft["author"], draft.get("author_key", "")) for r in records]
    own = [r for r, mine in zip(records, is_own, strict=True) if mine and r.cohort_sha256 == draft["cohort_sha256"]]
    reading = next((r for r in own if r.kind == "reading"), None)
    if reading is not None and draft.get("group") and not any(r.kind == "estimate" for r in own):
        text = f"Shown after the reading in entry {reading.number}."
        records.append(save_entry(Entry(**draft, kind="estimate", text=text)))


def ask_decision(draft: Mapping[str, Any], *, is_called: bool) -> None:
    """Draw the form of a decision or note, and keep it; what can't be kept stays in the form.

    Where the model makes no call there is nothing to agree with, and a note is the decision.
    """
    patient, board = draft["patient"], get_board()
    if not draft["author"]:
        st.markdown("Give your initials in the sidebar, so that what you save has an author.")
        return
    with st.form(f"board_decision_{patient}_{board.forms}", enter_to_submit=False):
        stand: str | None = NOTE
        choice, field, button = st.columns([5, 10, 3], vertical_alignment="bottom")
        if is_called:
            stand = choice.radio("With the model's call", [AGREE, OVERRIDE, NOTE], index=None, horizontal=True)
        else:
            choice.caption("The estimate is indeterminate: write the decision as a note.")
        if board.saved[0] == patient:
            choice.markdown(board.saved[1])
        label = "Decision, note, or why it is overridden" if is_called else "Decision or note"
        text = field.text_area(label, height=68, max_chars=MAX_TEXT, placeholder=NO_NAMES)
        sent = button.form_submit_button("Save", type="primary", shortcut="Ctrl+Enter", width="stretch")
    if sent:
        try:
            kept = save_entry(_write_entry(draft, stand, text))
        except AppError as error:
            st.error(plain(error))
            return
        change_board(Saved(patient, f"**Saved** as entry {kept.number}, {kept.hash[:12]}."))
        st.rerun()


def _write_entry(draft: Mapping[str, Any], stand: str | None, text: str) -> Entry:
    if stand is None:
        raise InputError("Say whether you agree with the model's call, override it, or leave a note.")
    kind: Kind = "note" if stand == NOTE else "decision"
    return Entry(**draft, kind=kind, text=text, agrees=None if stand == NOTE else stand == AGREE)


def show_withheld(records: list[Record]) -> None:
    """Say of the entries that do not hold that they are left out."""
    withheld = [record for record in records if record.kind == WITHHELD]
    if withheld:
        st.error(f"**{len(withheld)} of this cohort's entries left out.** {plain(withheld[0].text)}")


def show_entries(records: list[Record]) -> None:
    """List what was said about a patient of this cohort, newest first."""
    if not records:
        st.caption("Nothing was said about this patient yet.")
        return
    for record in reversed(records):
        if record.kind == WITHHELD:
            st.error(plain(record.text))
            continue
        stand = {True: ", agrees with the call", False: ", overrides the call", None: ""}[record.agrees]
        time = record.time_utc[:16].replace("T", " ")
        st.markdown(f"**{record.kind.capitalize()}{stand}** · {plain(record.author)} · {time} UTC")
        if record.text:
            st.text(record.text)
