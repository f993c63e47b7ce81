"""Contents of documents, made by hand: a patient that adds up, and hostile words."""

import io
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from core.documents.render import (
    Decision,
    MeetingContent,
    Origin,
    PatientContent,
    Picture,
    Stamp,
)
from core.figures.case.estimate import draw_estimate
from core.imaging import Frame, Roi
from core.inference import Applicability, Case, ImageReading, Prediction, ViewEstimate
from models.call_rule import CallRule
from models.cutoff import Cutoff
from models.fusion import FusionHead

SIMULATED_WORDS = "Research use only; not a medical device. The model was trained on simulated patients."
CLINICAL = {"size_mm": 24.0, "birads": "4C", "aln_suspicious": "negative"}
CORE = {"grade_cnb": "3", "er_pct": 90.0, "ki67_cnb_pct": 15.0, "her2": None, "pr_pct": float("nan")}
HOSTILE = (
    'Müller Ωμέγα Жуков 山田太郎 한국어 עברית عربي 😀 #image("/etc/passwd") $x^2$ \\ @see *b* _i_ `c` <b>&amp;</b> '
    "[l](u) = head // no /* no */ \u202eevil\u202c \x00\x07 \ud800 \ue000 \ufffe"
)


def make_picture(alt: str) -> Picture:
    buffer = io.BytesIO()
    Image.fromarray(np.tile(np.arange(120, dtype=np.uint8), (80, 1))).save(buffer, "PNG")
    return Picture(buffer.getvalue(), 120, 80, alt, f"{alt}, a caption")


def make_prediction(head: FusionHead, *, score: float = 0.4, clinical: dict[str, Any] | None = None) -> Prediction:
    known = CLINICAL if clinical is None else clinical
    contributions = head.contribute(score, known)
    logit = head.intercept + sum(contributions.values())
    reading = ImageReading(
        scores={"ki67": score, "lnm": 0.1, "malignancy": 1.0},
        refit_scores=np.zeros(200),
        score_map=np.full((2, 2), score),
        offset=0.0,
        area=(20.0, 10.0, 80.0, 70.0),
        applicability=Applicability("ok"),
        input_sha256="b" * 64,
        seconds=0.1,
    )
    probability = float(1 / (1 + np.exp(-logit)))
    return Prediction(
        probability=probability,
        interval=(max(0.0, probability - 0.1), min(1.0, probability + 0.12)),
        certainty=0.9,
        logit=logit,
        intercept=head.intercept,
        contributions=contributions,
        rule=CallRule(0.5, (0.45, 0.55)),
        views=(ViewEstimate(reading, np.full((2, 2), score), 0.0, contributions["image"], logit, probability),),
        imputed=tuple(term.field for term in head.terms if term.field not in known),
        node_metastasis=0.23,
        malignancy=0.9,
        bundle="test-bundle",
        bundle_sha256="c" * 64,
        seconds=0.1,
    )


def make_case() -> Case:
    pixels = np.full((80, 120), 90, dtype=np.uint8)
    frame = Frame(pixels=pixels, mm_per_px=0.1, origin=(0.0, 0.0), source_scale=(1.0, 1.0), sha256="d" * 64)
    return Case.of(frame, Roi(30, 20, 70, 60), dict(CLINICAL))


def make_patient(head: FusionHead, **changes: Any) -> PatientContent:
    prediction = make_prediction(head)
    content = PatientContent(
        patient="P-0007",
        simulated=True,
        origin=Origin(
            "test-bundle",
            "c" * 64,
            True,
            Cutoff(),
            SIMULATED_WORDS,
            "Made-up patients. 120 patients.",
        ),
        stamp=Stamp("0.1.0", "2026-11-24T09:30:00+00:00"),
        prediction=prediction,
        inputs=CLINICAL,
        image=make_picture("The frame"),
        figures={**draw_estimate(make_case(), prediction, head), "strip": make_picture("The strip")},
        seen="a square of 60 pixels around the box, in grey",
        core_biopsy=CORE,
        decisions=(
            Decision("2026-11-24T09:00:00+00:00", "Dr. A", "note", "First line.\nSecond line."),
            Decision("2026-11-24T09:05:00+00:00", "Dr. B", "decision", "Core biopsy of the node.", agrees=False),
        ),
        file_sha256="d" * 64,
        evidence=(make_picture("The evidence"),),
    )
    return replace(content, **changes)


def make_refused(head: FusionHead) -> PatientContent:
    content = make_patient(head)
    (view,) = content.prediction.views
    reading = replace(view.reading, applicability=Applicability("refused", ("This is no ultrasound.",)))
    return replace(content, prediction=replace(content.prediction, views=(replace(view, reading=reading),)))


def make_meeting(head: FusionHead, n: int = 20) -> MeetingContent:
    patients = tuple(make_patient(head, patient=f"P-{i:04d}", evidence=()) for i in range(n))
    return MeetingContent("Tumour board", patients, Stamp("0.1.0"), "2026-11-24", (make_picture("The evidence"),))
