"""The documents as one HTML file each: the same record as the PDF, figures inside, nothing to fetch."""

import base64

from core.documents.content import MeetingContent, PatientContent, Picture
from core.documents.record import Record
from core.documents.typesetting import TEMPLATES, Paper
from core.figures.rendering import Drawing
from core.figures.templating import render_template

SIZES = {"a4": "A4", "letter": "letter"}


def write_patient(content: PatientContent, record: Record, paper: Paper) -> bytes:
    """Write a patient's document from its pictures and its words (`describe_patient`)."""
    name = f"{record['title']}: {record['short_name']}"
    return _write("patient.html", record, _list_sources(content), name, paper)


def write_meeting(content: MeetingContent, record: Record, paper: Paper) -> bytes:
    """Write a meeting's document from its pictures and its words (`describe_meeting`)."""
    files = {
        "patients": [_list_sources(patient) for patient in content.patients],
        "evidence": [_encode(picture) for picture in content.evidence],
    }
    return _write("meeting.html", record, files, record["title"], paper)


def _write(template: str, record: Record, files: dict[str, object], name: str, paper: Paper) -> bytes:
    return render_template(TEMPLATES / template, {"data": record, "files": files, "name": name, "paper": SIZES[paper]})


def _list_sources(content: PatientContent) -> dict[str, object]:
    """Give a patient's pictures as addresses that hold their data; a refused estimate has no figures."""
    shown = content.figures if content.shown else {}
    sources: dict[str, object] = {kind: _encode(drawing) for kind, drawing in shown.items() if kind != "strip"}
    if content.image is not None:
        sources["image"] = _encode(content.image)
    views = [{"image": _encode(view.image), "heatmap": _encode(view.heatmap)} for view in content.further_views]
    return sources | {"views": views, "evidence": [_encode(picture) for picture in content.evidence]}


def _encode(picture: Picture | Drawing) -> str:
    data = base64.b64encode(picture.render(outlined=True)).decode("ascii")
    return f"data:{picture.media_type};base64,{data}"
