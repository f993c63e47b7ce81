"""The Model page's update: the bundle in use fitted anew on the register's patients, in the background."""

import re
from pathlib import Path
from threading import Lock
from typing import get_args

import streamlit as st

from core.errors import BusyError
from core.plain_text import plain
from core.register.outcome_entry import Author
from core.training.update.card import METHOD_WORDS
from core.training.update.job import UpdateJob
from core.training.update.patients import Kind
from core.training.update.update import UpdatePlan
from core.ui.errors import guard, report_errors
from core.ui.register.database import get_store
from core.ui.shared import Shared
from models.bundle import Bundle

NAME = re.compile(r"\w[\w.-]{0,59}")
ABOUT = (
    "Refits **{name}** on the register's patients whose estimate was made before their outcome was entered, as far "
    "as the closed testing procedure (Vergouwe 2017) asks for. It is written as a bundle of its own; the bundle in "
    "use stays as it is until this one is put into use above."
)
WRITTEN = "**{name} was written**: {method}, {n} patients, {events} with a high Ki-67. It can be put into use below."
KEPT = "Nothing was written, {method}: {n} patients, {events} with a high Ki-67."


BUSY = "An update is being written already, of yours or of another admin: one at a time."


class UpdatePlace:
    """The update of this server that runs, or ended last; one at a time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.job: UpdateJob | None = None

    def start(self, job: UpdateJob) -> None:
        """Begin an update, unless one runs."""
        with self._lock:
            if self.job is not None and self.job.is_running:
                raise BusyError(BUSY)
            self.job = job
            job.start()

    def forget(self) -> None:
        """Say no more how the last one ended."""
        with self._lock:
            if self.job is not None and not self.job.is_running:
                self.job = None


_PLACE = Shared(lambda _: UpdatePlace(), lambda _: None)


def ask_update(current: Bundle, folder: Path, author: Author) -> None:
    """Draw the form of an update."""
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
    st.button(
        "Write the update",
        disabled=bool(lacks),
        help=f"Give {' and '.join(lacks)} first." if lacks else None,
        on_click=guard(_start),
        args=(current.folder, folder, (author.name, note, name, kind)),
    )


def show_update(folder: Path) -> None:
    """Say how far the update of this server is that runs, or how the last one ended."""
    place = _PLACE.get(str(folder))
    job = place.job
    if job is None:
        return
    if job.is_running:
        _watch(str(folder))
        return
    name = plain(job.plan.name)
    if job.failure is not None:
        st.error(f"The update {name} was not written: {plain(job.failure)}")
    elif job.told is None:
        st.markdown(f"The update {name} was stopped: nothing was written.")
    else:
        words, counts = WRITTEN if job.told["bundle"] else KEPT, job.told["patients"]
        st.markdown(words.format(name=name, method=METHOD_WORDS[job.told["method"]], **counts))
    st.button("Close this message", type="tertiary", on_click=guard(place.forget), key="update_forget")


def _start(current: Path, folder: Path, told: tuple[str, str, str, Kind | None]) -> None:
    plan = UpdatePlan(*told)
    _PLACE.get(str(folder)).start(UpdateJob(get_store(), current, folder / plan.name, plan))


@st.fragment(run_every=1.0)
def _watch(folder: str) -> None:
    with report_errors():
        job = _PLACE.get(folder).job
        if job is None or not job.is_running:
            st.rerun(scope="app")
        text = f"Writing the update {plain(job.plan.name)}"
        if job.total:
            text += f": {job.done:,} of {job.total:,} draws of the patients"
        st.progress(job.done / job.total if job.total else 0.0, text=text)
        st.caption("It goes on when this page is closed. One update is written at a time.")
        st.button("Stop the update", on_click=guard(job.close), key="update_stop")
