"""The documents: one patient and a meeting of twenty, as PDF and as HTML."""

from functools import partial
from pathlib import Path

from core.benchmark.timing import Part
from core.documents.collect_case import collect_case, collect_meeting
from core.documents.render import render_meeting_document, render_patient_document
from core.imaging import Frame, Roi
from core.inference import Case
from core.inference.predictor import Predictor
from core.simulation import render_patient, simulate_cohort

SEED = 20260507
N_PATIENTS = 20


def list_document_parts(bundle: Path) -> dict[str, Part]:
    """List what the documents take; the first run of each, which loads the fonts, does not count."""
    predictor = Predictor.load(bundle)
    cohort = simulate_cohort(N_PATIENTS + 4, SEED)
    cases = []
    for i in range(N_PATIENTS):
        simulated = render_patient(cohort, i, SEED)
        frame = Frame(simulated.pixels.copy(), None, (0.0, 0.0), (1.0, 1.0), "0" * 64)
        cases.append(Case.of(frame, Roi(*map(float, simulated.box))))
    predictions = [predictor.predict(case) for case in cases]
    collect = partial(collect_case, cases[0], predictions[0], predictor.bundle)
    contents = tuple(
        collect_case(case, prediction, predictor.bundle, patient=f"SIM-{i}")
        for i, (case, prediction) in enumerate(zip(cases, predictions, strict=True))
    )
    meeting = collect_meeting("Tumour board", contents)
    return {
        "document of a patient, its content alone": collect,
        "document of a patient, PDF": lambda: render_patient_document(collect()),
        "document of a patient, HTML": lambda: render_patient_document(collect(), form="html"),
        f"document of a meeting, {N_PATIENTS} patients, PDF": lambda: render_meeting_document(meeting),
        f"document of a meeting, {N_PATIENTS} patients, HTML": lambda: render_meeting_document(meeting, form="html"),
    }
