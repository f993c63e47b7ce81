"""Files that leave the pages say where they come from and name nobody."""

import datetime
import json

import numpy as np
import pytest

from core import __version__
from core.imaging import Frame, Roi
from core.inference import Case
from core.inference.predictor import Predictor
from core.ui.export import describe_provenance, render_case_json
from models.bundle import read_bundle


@pytest.fixture(scope="module")
def frame() -> Frame:
    pixels = np.random.default_rng(1).integers(0, 255, (200, 300), dtype=np.uint8)
    return Frame(pixels=pixels, mm_per_px=0.08, origin=(0.0, 0.0), source_scale=(1.0, 1.0), sha256="d" * 64)


def test_provenance_names_bundle_version_time_and_use(bundle_dir):
    bundle = read_bundle(bundle_dir)
    provenance = describe_provenance(bundle)
    assert provenance["bundle_sha256"] == bundle.sha256
    assert provenance["app_version"] == __version__
    made = datetime.datetime.fromisoformat(provenance["created_utc"])
    assert made.utcoffset() == datetime.timedelta(0)
    assert "Research use only" in provenance["intended_use"]
    assert "simulated" in provenance["intended_use"]


def test_the_json_holds_the_estimate_its_inputs_and_its_origin(bundle_dir, frame):
    predictor, roi, clinical = Predictor.load(bundle_dir, engine="torch"), Roi(80, 40, 180, 140), {"age": 51.0}
    case = Case.of(frame, roi, clinical)
    prediction = predictor.predict(case)
    text = render_case_json(case, prediction, predictor.bundle, simulated=False)
    record = json.loads(text)
    assert record["intercept"] + sum(record["contributions"].values()) == pytest.approx(record["logit"])
    assert np.mean(record["heatmap"]) + record["heatmap_offset"] == pytest.approx(record["contributions"]["image"])
    assert record["case"]["clinical"] == {"age": 51.0}
    assert record["case"]["roi"] == [80, 40, 180, 140]
    assert record["case"]["file_sha256"] == "d" * 64
    assert record["bundle"] == {"name": "test-bundle", "sha256": predictor.bundle.sha256}
    assert record["simulated"] is True
