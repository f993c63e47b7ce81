"""What is collected for a document equals the estimate that it was collected from."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.documents import render as documents
from core.documents.collect_case import LARGEST, collect_case, collect_meeting, draw_evidence
from core.documents.render import render_patient_document
from core.figures.theme import LOWERS, NEUTRAL, RAISES
from core.imaging import Frame, Roi
from core.inference import Case
from core.inference.explain import spread_offset
from models.bundle import read_bundle

CLINICAL = {"size_mm": 24.0}


@pytest.fixture
def content(bundle_dir: Path, frame, roi, prediction):
    return collect_case(Case(frame, roi, CLINICAL), prediction, read_bundle(bundle_dir), patient="P-1")


def test_the_content_holds_the_estimate_and_what_stands_in_for_the_unknown(content, prediction):
    assert content.prediction is prediction
    assert content.inputs == CLINICAL
    assert content.file_sha256 == "a" * 64
    assert content.origin.cutoff.is_high(20.0)
    assert not content.origin.cutoff.is_high(19.9)
    assert content.stamp.created_utc == ""


def test_the_heat_maps_cells_keep_their_place_and_value(content, prediction):
    values = spread_offset(prediction)
    assert np.allclose(sorted(cell.log_odds for cell in content.heatmap.cells), sorted(values.ravel()))
    hottest = max(content.heatmap.cells, key=lambda cell: cell.log_odds)
    assert hottest.x > 0.5
    assert hottest.y > 0.5


def test_alternative_texts_are_given_for_every_figure(content):
    assert set(content.alts) == {"scale", "icons", "waterfall", "nomogram"}
    assert all(content.alts.values())
    assert content.image.alt
    assert content.heatmap.picture.alt
    assert all("n = " in picture.alt for picture in content.evidence)


def test_large_frames_are_made_small_and_keep_their_shape(bundle_dir, prediction):
    frame = Frame(np.full((1500, 2000), 90, np.uint8), None, (0.0, 0.0), (1.0, 1.0), "a" * 64)
    picture = collect_case(Case(frame, Roi(60, 30, 100, 70)), prediction, read_bundle(bundle_dir)).image
    size = Image.open(io.BytesIO(picture.data)).size
    assert size == (picture.width, picture.height) == (LARGEST, round(LARGEST * 0.75))


def test_the_same_case_gives_the_same_document(bundle_dir, frame, roi, prediction):
    bundle, case = read_bundle(bundle_dir), Case(frame, roi, CLINICAL)
    first, second = (render_patient_document(collect_case(case, prediction, bundle)) for _ in range(2))
    assert first == second


def test_a_meeting_shows_the_bundles_evidence_once(content, bundle_dir):
    meeting = collect_meeting("Board", (content, content))
    assert meeting.evidence == draw_evidence(read_bundle(bundle_dir))
    assert all(patient.evidence == () for patient in meeting.patients)


def test_documents_use_the_figures_colours():
    drawings = (Path(documents.__file__).parent / "templates" / "drawings.typ").read_text(encoding="utf-8")
    assert all(f'rgb("{colour}")' in drawings for colour in (LOWERS, RAISES, NEUTRAL))
