"""A meeting's content as JSON types: the list of its patients, their counts, and each one's record."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from core.documents.content import MeetingContent, PatientContent
from core.documents.record import (
    NO_NAME,
    Record,
    describe_decision,
    describe_estimate,
    describe_patient,
    describe_picture,
    list_marks,
    list_origin,
    write_footer,
)
from core.documents.text import clean, shorten
from core.inference.explain import format_value
from core.inference.sentences import name_call
from core.register.models import WITHHELD

LINE = 160
LAST_ENTRY = "Last entry of the record, as NUMBER:SHA-256"


def describe_meeting(content: MeetingContent) -> Record:
    """Put a meeting's content into words."""
    origins = list(dict.fromkeys(patient.origin for patient in content.patients))
    record = {
        "title": content.title,
        "short_name": shorten(content.title),
        "held_on": content.held_on,
        "marks": list_marks(content.patients),
        "intended_use": " ".join(dict.fromkeys(origin.intended_use for origin in origins)),
        "cutoff": "; ".join(dict.fromkeys(origin.cutoff.words for origin in origins)),
        "summary": _summarise(content.patients),
        "list": [_describe_row(patient) for patient in content.patients],
        "evidence": [describe_picture(picture) for picture in content.evidence],
        "origin": [row for origin in origins for row in list_origin(origin, content.stamp)] + _list_anchor(content),
        "footer": write_footer(origins[0] if len(origins) == 1 else None, content.stamp),
    }
    return clean(record) | {"patients": [describe_patient(patient) for patient in content.patients]}


def _list_anchor(content: MeetingContent) -> list[Record]:
    """Give the last entry of the board's record; `python -m core audit --expect` proves by it that nothing was lost."""
    return [{"label": LAST_ENTRY, "value": content.last_entry}] if content.last_entry else []


def _describe_row(content: PatientContent) -> Record:
    shown = content.shown
    decided = next((d for d in reversed(content.decisions) if d.kind == "decision"), None)
    return {
        "patient": content.patient or NO_NAME,
        "estimate": shown and describe_estimate(shown, content.origin),
        "core": format_value("ki67_cnb_pct", core)
        if (core := content.core_biopsy.get("ki67_cnb_pct")) is not None
        else "",
        "flags": list(_list_flags(content)),
        "decision": describe_decision(replace(decided, text=shorten(decided.text, LINE))) if decided else None,
        "notes": sum(d is not decided and d.kind != WITHHELD for d in content.decisions),
    }


def _list_flags(content: PatientContent) -> Iterable[str]:
    shown, core = content.shown, content.core_biopsy.get("ki67_cnb_pct")
    if any(d.kind == WITHHELD for d in content.decisions):
        yield "entry withheld"
    if shown is None:
        yield "refused" if content.is_refused else "no estimate"
        return
    if shown.applicability.status == "caution":
        yield "caution"
    if shown.imputed:
        yield f"{len(shown.imputed)} not known"
    if isinstance(core, int | float) and not shown.is_no_call:
        side = "high" if content.origin.cutoff.is_high(core) else "low"
        if side != shown.group:
            yield "core differs"


def _summarise(patients: Sequence[PatientContent]) -> list[Record]:
    calls = [name_call(patient.shown) if patient.shown else "No estimate" for patient in patients]
    decided = [[d for d in patient.decisions if d.kind == "decision"] for patient in patients]
    overridden = sum(bool(entries) and entries[-1].agrees is False for entries in decided)
    counts = {
        "Patients": len(patients),
        "Classified as high": calls.count("Classified as high"),
        "Classified as low": calls.count("Classified as low"),
        "Uncertain": sum(call.startswith("Uncertain") for call in calls),
        "Indeterminate": calls.count("Indeterminate"),
        "No estimate": calls.count("No estimate"),
        "Decided": sum(map(bool, decided)),
        "Overridden": overridden,
    }
    return [{"label": label, "value": str(value)} for label, value in counts.items()]
