"""One prediction that adds up, made by hand."""

import numpy as np
import pytest

from core.imaging import Frame, Roi
from core.inference import Applicability, ImageReading, Prediction, ViewEstimate
from models.call_rule import CallRule

HEATMAP = np.array([[0.4, -0.2], [0.1, 0.5]])


@pytest.fixture
def frame() -> Frame:
    pixels = np.full((100, 160), 90, dtype=np.uint8)
    return Frame(pixels=pixels, mm_per_px=0.1, origin=(0.0, 0.0), source_scale=(1.0, 1.0), sha256="a" * 64)


@pytest.fixture
def roi() -> Roi:
    return Roi(60, 30, 100, 70)


@pytest.fixture
def prediction() -> Prediction:
    reading = ImageReading(
        scores={"ki67": 0.25, "lnm": 0.1, "malignancy": 1.0},
        refit_scores=np.zeros(200),
        score_map=HEATMAP / 0.8,
        offset=0.0,
        area=(50.0, 20.0, 110.0, 80.0),
        applicability=Applicability("ok"),
        input_sha256="b" * 64,
        seconds=0.1,
    )
    contributions = {"image": float(HEATMAP.mean()) - 0.1, "age": -0.3, "size_mm": 0.7}
    logit = 0.1 + sum(contributions.values())
    probability = float(1 / (1 + np.exp(-logit)))
    return Prediction(
        probability=probability,
        interval=(0.5, 0.8),
        certainty=0.9,
        logit=logit,
        intercept=0.1,
        contributions=contributions,
        rule=CallRule(0.5, (0.4, 0.6)),
        views=(ViewEstimate(reading, HEATMAP, -0.1, contributions["image"], logit, probability),),
        imputed=("age",),
        node_metastasis=0.4,
        malignancy=0.7,
        bundle="test-bundle",
        bundle_sha256="c" * 64,
        seconds=0.2,
    )
