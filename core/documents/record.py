"""A document's content as JSON types: every sentence and number that PDF and HTML both show, ready to be laid out."""

from collections.abc import Iterable, Mapping
from typing import Any

from core.clinical import BY_NAME, FIELDS, is_missing
from core.documents.content import Decision, FurtherView, Origin, PatientContent, Picture, Stamp
from core.documents.text import clean, shorten
from core.figures.case.probability import count_icons
from core.figures.rendering import Drawing
from core.inference import Prediction
from core.inference.explain import NOT_KNOWN, format_percent, format_value
from core.inference.sentences import (
    MALIGNANCY_LIMIT,
    MALIGNANCY_SOURCE,
    NODES_LIMIT,
    NOT_SEEN,
    explain_call,
    explain_interval,
    name_call,
    name_training_data,
)

Record = dict[str, Any]

TITLE = "Ki-67 estimate before surgery"
NO_NAME = "not named"
EXPECTED = "what is expected of it given the rest"
SHORT_HASH = 12
REGISTER_ENTRY = "Entry of the register, as NUMBER:SHA-256"
CAUTIONS = {"ok": "Note.", "caution": "Caution.", "refused": "Reason."}


def describe_patient(content: PatientContent) -> Record:
    """Put a patient's content into words."""
    shown, origin = content.shown, content.origin
    name = content.patient or NO_NAME
    record = {
        "title": TITLE,
        "patient": name,
        "short_name": shorten(name),
        "marks": list_marks([content]),
        "intended_use": origin.intended_use,
        "inputs": list(_list_inputs(content)),
        "cautions": list(content.prediction.applicability.reasons) if content.prediction else [],
        "status": content.prediction.applicability.status if content.prediction else "ok",
        "caution_head": CAUTIONS[content.prediction.applicability.status] if content.prediction else "",
        "no_estimate": _explain_absence(content),
        "estimate": shown and describe_estimate(shown, origin),
        "image": content.image and describe_picture(content.image),
        "figures": {name: describe_picture(drawing) for name, drawing in content.figures.items()} if shown else {},
        "further_views": [_describe_view(view) for view in content.further_views] if shown else [],
        "view_words": content.view_words if shown else "",
        "also": list(_list_secondary(shown, origin)) if shown else [],
        "biopsy": _list_values(content.core_biopsy),
        "agreement": _compare_core(content),
        "follow_up": _list_values(content.follow_up),
        "decisions": [describe_decision(decision) for decision in content.decisions],
        "seen": content.seen,
        "not_seen": "; ".join(NOT_SEEN),
        "evidence": [describe_picture(picture) for picture in content.evidence],
        "origin": list_origin(origin, content.stamp),
        "hashes": _list_hashes(content),
        "footer": write_footer(origin, content.stamp),
    }
    return clean(record)


def list_marks(patients: Iterable[PatientContent]) -> list[str]:
    """Give the marks of every page: research use, simulated training or patients."""
    known = list(patients)
    training = any(patient.origin.simulated for patient in known)
    marks = ["RESEARCH USE ONLY", "TRAINED ON SIMULATED PATIENTS" if training else "Trained on real patients"]
    if any(patient.simulated for patient in known):
        all_of_them = all(patient.simulated for patient in known)
        plural = len(known) > 1
        marks.append(f"SIMULATED PATIENT{'S' * plural}" if all_of_them else "SOME PATIENTS SIMULATED")
    return marks


def _list_inputs(content: PatientContent) -> Iterable[Record]:
    imputed = content.prediction.imputed if content.prediction else ()
    for field in FIELDS:
        if field.name in content.inputs:
            yield {
                "label": field.label,
                "value": format_value(field.name, content.inputs[field.name]),
                "known": True,
                "instead": "",
            }
        elif field.name in imputed:
            yield {"label": field.label, "value": NOT_KNOWN, "known": False, "instead": EXPECTED}


def _explain_absence(content: PatientContent) -> str:
    if content.is_refused:
        return "The model refuses this image, so nothing of its answer is shown."
    return "" if content.prediction else content.absence or "No estimate was made for this patient."


def describe_estimate(prediction: Prediction, origin: Origin) -> Record:
    """Put an estimate into words, as PDF and HTML show it."""
    low, high = map(format_percent, prediction.interval)
    count = count_icons(prediction.probability)
    return {
        "percent": format_percent(prediction.probability),
        "interval": f"{low} to {high}",
        "meaning": explain_interval(len(prediction.views)),
        "call": name_call(prediction),
        "why": explain_call(prediction),
        "is_no_call": prediction.is_no_call,
        "cutoff": f"High means a Ki-67 of {origin.cutoff.words} of the tumour cells in the surgical specimen.",
        "icons": f"{count} of 100 patients with this estimate have a high Ki-67, {100 - count} have not.",
    }


def describe_picture(picture: Picture | Drawing) -> Record:
    """Give the words of a picture."""
    return {"alt": picture.alt, "caption": picture.caption, "width": picture.width, "height": picture.height}


def _describe_view(view: FurtherView) -> Record:
    pictures = {"image": describe_picture(view.image), "heatmap": describe_picture(view.heatmap)}
    return {"name": view.name, "words": view.words, **pictures}


def _list_secondary(prediction: Prediction, origin: Origin) -> Iterable[Record]:
    data = name_training_data(simulated=origin.simulated)
    if prediction.node_metastasis is not None:
        yield {
            "label": "Node metastasis",
            "value": format_percent(prediction.node_metastasis),
            "words": f"Image and clinical values; trained on {data}. {NODES_LIMIT}",
        }
    yield {
        "label": "Malignant lesion",
        "value": format_percent(prediction.malignancy),
        "words": f"{MALIGNANCY_SOURCE[0].upper()}{MALIGNANCY_SOURCE[1:]}. {MALIGNANCY_LIMIT}",
    }


def _list_values(values: Mapping[str, object]) -> list[Record]:
    return [
        {"label": BY_NAME[name].label, "value": format_value(name, value)}
        for name, value in values.items()
        if not is_missing(value)
    ]


def _compare_core(content: PatientContent) -> str:
    core, shown = content.core_biopsy.get("ki67_cnb_pct"), content.shown
    if not isinstance(core, int | float):
        return ""
    side = "high" if content.origin.cutoff.is_high(core) else "low"
    start = f"By the same cut-off the core's Ki-67 of {core:g} % is {side}"
    if shown is None:
        return f"{start}; there is no estimate to compare it with."
    if shown.is_no_call:
        return f"{start}; the estimate is indeterminate."
    agrees = "they agree" if shown.group == side else "they differ"
    return f"{start}, the estimate is called {shown.group}: {agrees}. Biopsy results were not used in the estimate."


def describe_decision(decision: Decision) -> Record:
    """Put an entry into words."""
    stand = {True: "agrees with the call", False: "overrides the call", None: ""}[decision.agrees]
    time = decision.time_utc[:16].replace("T", " ")
    return {
        "time": f"{time} UTC" if time else "",
        "author": decision.author,
        "kind": decision.kind.capitalize(),
        "text": decision.text,
        "stand": stand,
    }


def list_origin(origin: Origin, stamp: Stamp) -> list[Record]:
    """List where a document comes from: bundle, program, time."""
    rows = {
        "Bundle": origin.bundle,
        "Bundle SHA-256": origin.bundle_sha256,
        "Trained on": origin.trained_on,
        "High Ki-67": origin.cutoff.words,
        "Program": f"SonoKi {stamp.app_version}",
        "Made": _write_time(stamp),
    }
    return [{"label": label, "value": value} for label, value in rows.items() if value]


def _list_hashes(content: PatientContent) -> list[Record]:
    read = content.prediction.input_sha256 if content.prediction else ""
    rows = {"Image file SHA-256": content.file_sha256, "Model input SHA-256": read, REGISTER_ENTRY: content.entry}
    return [{"label": label, "value": value} for label, value in rows.items() if value]


def _write_time(stamp: Stamp) -> str:
    return f"{stamp.created_utc[:16].replace('T', ' ')} UTC" if stamp.created_utc else ""


def write_footer(origin: Origin | None, stamp: Stamp) -> str:
    """Write the line at the foot of every page."""
    bundle = f"Bundle {shorten(origin.bundle)} {origin.bundle_sha256[:SHORT_HASH]}" if origin else ""
    return " · ".join(part for part in (f"SonoKi {stamp.app_version}", bundle, _write_time(stamp)) if part)
