"""Documents of the tumour board: one patient or one meeting, as PDF/UA or as one self-contained HTML file."""

from typing import Literal

from core.documents.content import (
    Decision,
    MeetingContent,
    Origin,
    PatientContent,
    Picture,
    Stamp,
)
from core.documents.html import write_meeting, write_patient
from core.documents.meeting import describe_meeting
from core.documents.record import describe_patient
from core.documents.typesetting import PAPERS, Paper, name_evidence, name_pictures, typeset_pdf
from core.errors import UsageError
from core.figures.rendering import Drawing

__all__ = [
    "Decision",
    "Drawing",
    "Form",
    "MeetingContent",
    "Origin",
    "Paper",
    "PatientContent",
    "Picture",
    "Stamp",
    "render_meeting_document",
    "render_patient_document",
]

Form = Literal["pdf", "html"]


def render_patient_document(content: PatientContent, *, paper: Paper = "a4", form: Form = "pdf") -> bytes:
    """Write the document of one patient."""
    _check(paper, form)
    record = describe_patient(content)
    if form == "html":
        return write_patient(content, record, paper)
    names, pictures = name_pictures(content, 0)
    return typeset_pdf("patient.typ", record, {"paper": PAPERS[paper], **names}, pictures)


def render_meeting_document(content: MeetingContent, *, paper: Paper = "a4", form: Form = "pdf") -> bytes:
    """Write the document of a meeting, as `render_patient_document` does: its list, then each of its patients."""
    _check(paper, form)
    if not content.patients:
        raise UsageError("A meeting's document needs at least one patient.")
    record = describe_meeting(content)
    if form == "html":
        return write_meeting(content, record, paper)
    named = [name_pictures(patient, i) for i, patient in enumerate(content.patients)]
    evidence, pictures = name_evidence(content.evidence)
    for _, own in named:
        pictures = own | pictures
    files = {"paper": PAPERS[paper], "patients": [names for names, _ in named], "evidence": evidence}
    return typeset_pdf("meeting.typ", record, files, pictures)


def _check(paper: str, form: str) -> None:
    if paper not in PAPERS:
        raise UsageError(f"There is no paper '{paper[:20]}'; take a4 or letter.")
    if form not in {"pdf", "html"}:
        raise UsageError(f"There is no form '{form[:20]}'; take pdf or html.")
