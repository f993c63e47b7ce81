"""A case's document to download; it is made when it is asked for."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from core.ui.case.session import name_widget, note_saved
from core.ui.errors import guard, guard_file

if TYPE_CHECKING:
    from core.documents.render import Form, Paper, PatientContent

PAPERS: dict["Paper", str] = {"a4": "A4", "letter": "Letter"}


def offer_documents(collect: Callable[..., "PatientContent"], *, pseudonym: str | None = None) -> str | None:
    """Draw the buttons for PDF and HTML, and the choice of paper.

    `collect` gives the document's content for a patient when it is asked for; without a pseudonym one may be typed.
    """
    patient = pseudonym or _ask_pseudonym()
    paper = st.radio(
        "Paper size",
        PAPERS,
        format_func=PAPERS.__getitem__,
        horizontal=True,
        key="document_paper",
        persist_state="session",
    )
    with st.container(horizontal=True):
        st.download_button(
            "Document (PDF)",
            guard_file(lambda: _render(partial(collect, patient=patient), paper, "pdf")),
            file_name="sonoki_document.pdf",
            mime="application/pdf",
            on_click=guard(note_saved),
            help="Image, estimate, heat map, nomogram and where they come from, for printing and for screen readers.",
        )
        st.download_button(
            "Document (HTML)",
            guard_file(lambda: _render(partial(collect, patient=patient), paper, "html")),
            file_name="sonoki_document.html",
            mime="text/html",
            on_click=guard(note_saved),
            help="The same in one file for any browser.",
        )
    return patient


def _render(collect: Callable[[], "PatientContent"], paper: "Paper", form: "Form") -> bytes:
    from core.documents.render import render_patient_document  # noqa: PLC0415 - a download's own

    return render_patient_document(collect(), paper=paper, form=form)


def _ask_pseudonym() -> str | None:
    """Ask for the pseudonym that the document is titled with; it stays in this case."""
    typed = st.text_input(
        "Pseudonym for the document",
        max_chars=40,
        key=name_widget("pseudonym"),
        autocomplete="off",
        placeholder="No names and no dates of birth",
        width=280,
        persist_state="session",
    )
    return typed.strip() or None
