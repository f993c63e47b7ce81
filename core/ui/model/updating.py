"""The Model page's update: the bundle in use fitted anew on the register's patients, into a folder of its own."""

import re
from pathlib import Path
from typing import get_args

import streamlit as st

from core.plain_text import plain
from core.register.outcome_entry import Author
from core.training.update.card import METHOD_WORDS
from core.training.update.patients import Kind
from core.training.update.update import UpdatePlan, update_bundle
from core.ui.errors import report_errors
from core.ui.register.database import get_store
from models.bundle import Bundle

NAME = re.compile(r"\w[\w.-]{0,59}")
ABOUT = (
    "Refits **{name}** on the register's patients whose estimate was made before their outcome was entered, as far "
    "as the closed testing procedure (Vergouwe 2017) asks for. It is written as a bundle of its own; the bundle in "
    "use stays as it is until this one is put into use above."
)
WRITTEN = "**{name} was written**: {method}, {n} patients, {events} with a high Ki-67. It can be put into use below."
KEPT = "Nothing was written, {method}: {n} patients, {events} with a high Ki-67."


def ask_update(current: Bundle, folder: Path, author: Author) -> str:
    """Draw the form of an update, and give what was done; empty as long as nothing was."""
    st.markdown(ABOUT.format(name=plain(current.name)))
    left, right = st.columns(2)
    name = left.text_input("Name of the updated bundle", key="update_name", max_chars=60).strip()
    kind = right.segmented_control("Patients, where the register has both", get_args(Kind), key="update_kind")
    note = st.text_area("Reason (kept in the updated bundle)", key="update_note", max_chars=500, height=68).strip()
    given = {
        "your initials": author.name,
        "a name of letters, digits, dots and dashes": NAME.fullmatch(name),
        "the reason": note,
    }
    lacks = [words for words, value in given.items() if not value]
    why = f"Give {' and '.join(lacks)} first." if lacks else None
    if not st.button("Write the update", disabled=bool(lacks), help=why) or lacks:
        return ""
    with report_errors(stop=False), st.spinner("Updating on the register's patients", show_time=True):
        plan = UpdatePlan(author.name, note, name, kind)
        told = update_bundle(get_store(), current.folder, folder / name, plan)
        words = WRITTEN if told["bundle"] else KEPT
        counts = {key: told["patients"][key] for key in ("n", "events")}
        return words.format(name=plain(name), method=METHOD_WORDS[told["method"]], **counts)
    return ""
