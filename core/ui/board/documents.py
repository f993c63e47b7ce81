"""The board's documents to download: of one patient, and of the meeting; made when they are asked for."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from core.documents.render import (
    Form,
    MeetingContent,
    Paper,
    PatientContent,
    render_meeting_document,
    render_patient_document,
)
from core.ui.documents import PAPERS
from core.ui.errors import guard_file

MIME: dict[Form, str] = {"pdf": "application/pdf", "html": "text/html"}
PAPER = "board_paper"


def ask_paper() -> Paper:
    """Draw the choice of paper."""
    return st.radio(
        "Paper", PAPERS, format_func=PAPERS.__getitem__, horizontal=True, key=PAPER, persist_state="session"
    )


def offer_patient(collect: Callable[[], PatientContent], paper: Paper) -> None:
    """Draw the buttons of the document of one patient.

    Parameters
    ----------
    collect : callable
        Gives the content; called when it is asked for.
    paper : {"a4", "letter"}
        Its paper.
    """
    _offer(
        "Document of this patient",
        "sonoki_patient",
        lambda form: render_patient_document(collect(), paper=paper, form=form),
    )


def offer_meeting(collect: Callable[[], MeetingContent], paper: Paper, *, unread: int, count: int) -> None:
    """Draw the buttons of the document of the meeting.

    Parameters
    ----------
    collect : callable
        Gives the content; called when it is asked for.
    paper : {"a4", "letter"}
        Its paper.
    unread : int
        Patients of the board whose estimate is not to be seen yet.
    count : int
        Patients in the document.
    """
    if unread:
        st.caption(f"The meeting's document comes once you have read all patients first; {unread} are left.")
        return
    _offer(
        f"Document of the meeting, {count} patients",
        "sonoki_meeting",
        lambda form: render_meeting_document(collect(), paper=paper, form=form),
    )


def _offer(label: str, name: str, render: Callable[[Form], bytes]) -> None:
    with st.container(horizontal=True):
        for form, mime in MIME.items():
            st.download_button(
                f"{label} ({form.upper()})",
                guard_file(partial(render, form)),
                file_name=f"{name}.{form}",
                mime=mime,
                key=f"{name}_{form}",
                on_click="ignore",
            )
