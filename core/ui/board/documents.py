"""The board's documents to download: of one patient, and of the meeting; made when they are asked for."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.ui.documents import PAPERS
from core.ui.errors import guard_file

if TYPE_CHECKING:
    from core.documents.collect_board import BoardDocuments
    from core.documents.render import Form, MeetingContent, Paper, PatientContent

MIME: dict["Form", str] = {"pdf": "application/pdf", "html": "text/html"}
PAPER, HELD_ON = "board_paper", "board_held_on"


def open_documents(*parts: Any, **options: Any) -> "BoardDocuments":
    """Give `core.documents.collect_board.BoardDocuments`; called when a document is asked for."""
    from core.documents.collect_board import BoardDocuments  # noqa: PLC0415 - brings matplotlib

    return BoardDocuments(*parts, **options)


def ask_paper() -> "Paper":
    """Draw the choice of paper."""
    return st.radio(
        "Paper", PAPERS, format_func=PAPERS.__getitem__, horizontal=True, key=PAPER, persist_state="session"
    )


def offer_patient(collect: Callable[[], "PatientContent"], paper: "Paper") -> None:
    """Draw the buttons of the document of one patient."""

    def render(form: "Form") -> bytes:
        from core.documents.render import render_patient_document  # noqa: PLC0415 - a download's own

        return render_patient_document(collect(), paper=paper, form=form)

    _offer("Document of this patient", "sonoki_patient", render)


def offer_meeting(collect: Callable[..., "MeetingContent"], paper: "Paper", *, unread: int, count: int) -> None:
    """Draw the buttons of the document of the meeting."""
    if unread:
        st.caption(f"The meeting's document comes with your own estimate of every patient; {unread} are left.")
        return
    held_on = st.date_input("Date of the meeting", key=HELD_ON, persist_state="session")

    def render(form: "Form") -> bytes:
        from core.documents.render import render_meeting_document  # noqa: PLC0415 - a download's own

        return render_meeting_document(collect(held_on=held_on.isoformat()), paper=paper, form=form)

    _offer(f"Document of the meeting, {count} patients", "sonoki_meeting", render)


def _offer(label: str, name: str, render: Callable[["Form"], bytes]) -> None:
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
