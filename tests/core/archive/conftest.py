"""A simulated case, and its results ready to export."""

from pathlib import Path

import numpy as np
import pytest

from core.archive.dicom_objects.export import CaseResults
from core.imaging import Frame, default_roi, read_frame
from core.inference import Applicability, Case, ImageReading, Prediction, ViewEstimate
from core.simulation import render_frame
from core.simulation.dicom import encode_dicom
from core.simulation.parameters import LATENTS
from models.bundle import read_bundle
from models.call_rule import CallRule

PDF = b"%PDF-1.7\nmade up\n%%EOF\n"


@pytest.fixture(scope="session")
def dicom() -> bytes:
    """A simulated ultrasound DICOM file."""
    latents = dict.fromkeys(LATENTS, 0.0)
    simulated = render_frame(
        np.random.default_rng(4), "B", latents, size_mm=18.0, size_ap_mm=12.0, background="homog_fibroglandular"
    )
    patient = {"patient_id": "T-1", "exam_date": "2024-01-02", "age": "50", "laterality": "left"}
    return encode_dicom(simulated, patient, seed=1)


@pytest.fixture(scope="session")
def results(dicom: bytes, bundle_dir: Path) -> CaseResults:
    """The results of the simulated case, with figures made up."""
    return make_results(read_frame(dicom), bundle_dir)


def make_results(frame: Frame, bundle_dir: Path, *, clinical: dict | None = None) -> CaseResults:
    bundle = read_bundle(bundle_dir)
    reading = ImageReading(
        scores={"ki67": 0.4},
        refit_scores=np.zeros(200),
        score_map=np.zeros((3, 3)),
        offset=0.4,
        area=(0.0, 0.0, 10.0, 10.0),
        applicability=Applicability("ok"),
        input_sha256="ab" * 32,
        seconds=0.1,
    )
    prediction = Prediction(
        probability=0.63,
        interval=(0.51, 0.74),
        certainty=0.9,
        logit=0.53,
        intercept=0.1,
        contributions={"image": 0.43},
        rule=CallRule(0.5, (0.45, 0.55)),
        views=(ViewEstimate(reading, np.zeros((3, 3)), 0.43, 0.43, 0.53, 0.63),),
        imputed=("age",),
        node_metastasis=None,
        malignancy=0.9,
        bundle=bundle.name,
        bundle_sha256=bundle.sha256,
        seconds=0.1,
    )
    overlay = np.full((round(450 * frame.height / frame.width) + 80, 450, 3), 90, np.uint8)
    case = Case.of(frame, default_roi(frame), {"birads": "4B", "size_mm": 18.0} if clinical is None else clinical)
    return CaseResults(prediction, bundle, case, (overlay,), PDF)
