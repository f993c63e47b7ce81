"""Estimates as FHIR R4: a RiskAssessment each with its Provenance, and the Device that computed them.

A patient is named by the pseudonym alone. RiskAssessment takes a probability as decimal or as range, in per cent:
the estimate and its interval are two predictions of one outcome.
"""

import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape

from core import __version__
from core.clinical import BY_NAME
from core.inference.render import FEW_USE
from core.register.estimate.entry import Estimate
from core.register.models import Record

Content = dict[str, object]
SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:sonoki:fhir")
UCUM = "http://unitsofmeasure.org"
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
RESEARCH = "Research use only: not for diagnosis or treatment."
TRAINED = {
    True: "The model was trained on simulated patients.",
    False: "The model was trained on real patients.",
    None: "Whether the model was trained on simulated patients is not known here.",
}
MADE_UP = "This patient is simulated."
INTERVAL = "95 % interval of the estimate by bootstrap refits of the model"
SHORT_HASH = 12


@dataclass(frozen=True)
class Model:
    """What is known of the bundle that gave an estimate."""

    # name, sha256: of the bundle
    name: str
    sha256: str
    cutoff: str = ""  # Ki-67 that counts as high, in words; "" where it is not known
    is_simulated: bool | None = None  # whether its training patients are made up; None where that is not known
    is_few: bool = False  # whether they were fewer than a model needs

    @property
    def notes(self) -> list[str]:
        """What is said of it wherever it stands."""
        return [RESEARCH, TRAINED[self.is_simulated], *[FEW_USE] * self.is_few]


@dataclass(frozen=True)
class Assessed:
    """An estimate with when it was made, and its entry in the register."""

    estimate: Estimate  # the patient's pseudonym may be ""
    recorded_utc: str  # ISO 8601 in UTC
    entry: str = ""  # NUMBER:SHA-256; "" where it is not in the register

    @classmethod
    def of_record(cls, record: Record) -> "Assessed":
        """Take an estimate of the register."""
        return cls(Estimate.of_record(record), record.time_utc, f"{record.number}:{record.hash}")


def render_assessments(assessed: Iterable[Assessed], models: Iterable[Model], *, created_utc: str) -> str:
    """Write estimates as a Bundle of type "collection"; see `write_assessments`."""
    return "".join(write_assessments(assessed, models, created_utc=created_utc))


def write_assessments(assessed: Iterable[Assessed], models: Iterable[Model], *, created_utc: str) -> Iterator[str]:
    """Write estimates as a Bundle of type "collection", piece by piece, so that a large register needs little memory.

    Each entry is valid by FHIR's R4B models, which differ from R4 in none of these resources. Of a bundle that is not
    among the models, name and hash alone are known. `created_utc` is ISO 8601.
    """
    from fhir.resources.R4B.bundle import BundleEntry  # noqa: PLC0415 - takes half a second

    known = {model.sha256: model for model in models}
    begun = json.dumps({"resourceType": "Bundle", "type": "collection", "timestamp": created_utc})
    yield f'{begun[:-1]}, "entry": [\n'
    for place, (url, content) in enumerate(_list_resources(assessed, known)):
        entry = BundleEntry.model_validate({"fullUrl": url, "resource": content})
        yield f"{',' if place else ''}{entry.model_dump_json()}\n"
    yield "]}\n"


def _list_resources(assessed: Iterable[Assessed], known: dict[str, Model]) -> Iterator[tuple[str, Content]]:
    told: set[str] = set()
    for one in assessed:
        sha256 = one.estimate.bundle_sha256
        model = known.get(sha256, Model(one.estimate.bundle, sha256))
        device = _name("device", __version__, sha256)
        if sha256 not in told:
            told.add(sha256)
            yield device, _write_device(model)
        url = _name("estimate", one.estimate.identity, one.entry)
        yield url, _write_assessment(one.estimate, model, device)
        yield _name("provenance", url, one.recorded_utc), _write_provenance(one, url, device)


def _name(*parts: str) -> str:
    """Name a resource: the same estimate has the same name in each file."""
    return f"urn:uuid:{uuid.uuid5(SPACE, '/'.join(parts))}"


def _write_device(model: Model) -> Content:
    return {
        "resourceType": "Device",
        "identifier": [{"type": {"text": "SHA-256 of the bundle"}, "value": model.sha256}],
        "status": "active",
        "deviceName": [{"name": f"SonoKi, bundle {model.name}", "type": "model-name"}],
        "type": {"text": "Software that estimates Ki-67 from ultrasound"},
        "version": [
            {"type": {"text": "program"}, "value": __version__},
            {"type": {"text": "bundle"}, "value": f"{model.name} {model.sha256[:SHORT_HASH]}"},
        ],
        "note": [{"text": text} for text in model.notes],
    }


def _write_assessment(estimate: Estimate, model: Model, device: str) -> Content:
    outcome = {"text": f"High Ki-67 in the surgical specimen{f' ({model.cutoff})' if model.cutoff else ''}"}
    notes = list(_list_notes(estimate, model))
    predictions = [
        {
            "outcome": outcome,
            "probabilityDecimal": _percent(estimate.probability),
            "rationale": f"Probability in per cent; high from {_percent(estimate.threshold):g} %.",
        }
    ]
    if estimate.low is not None and estimate.high is not None:
        ends = {"low": estimate.low, "high": estimate.high}
        span = {
            end: {"value": _percent(value), "unit": "%", "system": UCUM, "code": "%"} for end, value in ends.items()
        }
        predictions.append({"outcome": outcome, "probabilityRange": span, "rationale": INTERVAL})
    return {
        "resourceType": "RiskAssessment",
        **({"meta": {"security": [_code(ACT_REASON, "HTEST", "test health data")]}} if estimate.is_simulated else {}),
        "text": _write_narrative([_summarise(estimate, outcome["text"]), *notes]),
        "status": "final",
        "method": {"text": f"SonoKi {__version__}, bundle {model.name} {model.sha256[:SHORT_HASH]}"},
        "code": {"text": "Estimate of Ki-67 before surgery from ultrasound and clinical values"},
        "subject": {"type": "Patient", **_name_patient(estimate.patient)},
        **({"occurrenceDateTime": estimate.exam_date} if estimate.exam_date else {}),
        "performer": {"reference": device},
        "prediction": predictions,
        "note": [{"text": text} for text in notes],
    }


def _list_notes(estimate: Estimate, model: Model) -> Iterator[str]:
    yield from model.notes
    if estimate.is_simulated:
        yield MADE_UP
    if estimate.imputed:
        yield f"Not known: {', '.join(BY_NAME[name].label for name in estimate.imputed)}."
    if estimate.gate == "caution":
        yield "The image lies outside what the model saw in part; take the estimate with caution."


def _write_provenance(one: Assessed, target: str, device: str) -> Content:
    read = [("source", "SHA-256 of the model's input", value) for value in [one.estimate.input_sha256] if value]
    kept = [("derivation", "Entry of the register, NUMBER:SHA-256", one.entry)] if one.entry else []
    return {
        "resourceType": "Provenance",
        "target": [{"reference": target}],
        "recorded": one.recorded_utc,
        "activity": {"text": f"Computed by {one.estimate.engine}"},
        "agent": [{"type": {"coding": [_code(PARTICIPANT, "author", "Author")]}, "who": {"reference": device}}],
        **({"entity": [_write_entity(*part) for part in (*read, *kept)]} if read or kept else {}),
    }


def _write_entity(role: str, kind: str, value: str) -> Content:
    return {"role": role, "what": {"identifier": {"type": {"text": kind}, "value": value}, "display": kind}}


def _write_narrative(sentences: Iterable[str]) -> Content:
    lines = "".join(f"<p>{escape(one)}</p>" for one in sentences)
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{lines}</div>'}


def _summarise(estimate: Estimate, outcome: str) -> str:
    span = ""
    if estimate.low is not None and estimate.high is not None:
        span = f" (95 % interval {_percent(estimate.low):g} to {_percent(estimate.high):g} %)"
    return f"{outcome}: {_percent(estimate.probability):g} %{span}."


def _name_patient(pseudonym: str) -> Content:
    return (
        {"identifier": {"type": {"text": "Pseudonym"}, "value": pseudonym}} if pseudonym else {"display": "not named"}
    )


def _code(system: str, code: str, display: str) -> Content:
    return {"system": system, "code": code, "display": display}


def _percent(probability: float) -> float:
    return round(100 * probability, 2)
