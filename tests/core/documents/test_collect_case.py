"""What is collected for a document equals the estimate that it was collected from."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.documents.collect_case import LARGEST, collect_case, collect_meeting, draw_evidence
from core.documents.render import render_patient_document
from core.imaging import Frame, Roi
from core.inference import Case, View
from models.bundle import read_bundle
from tests.pdf import read_pages

CLINICAL = {"size_mm": 24.0}


@pytest.fixture
def content(bundle_dir: Path, frame, roi, prediction):
    return collect_case(Case.of(frame, roi, CLINICAL), prediction, read_bundle(bundle_dir), patient="P-1")


def test_the_content_holds_the_estimate_and_what_stands_in_for_the_unknown(content, prediction):
    assert content.prediction is prediction
    assert content.inputs == CLINICAL
    assert content.file_sha256 == "a" * 64
    assert content.origin.cutoff.is_high(20.0)
    assert not content.origin.cutoff.is_high(19.9)
    assert content.stamp.created_utc == ""


def test_alternative_texts_are_given_for_every_figure(content):
    assert set(content.figures) == {"scale", "icons", "waterfall", "nomogram", "heatmap", "strip"}
    assert all(drawing.alt for drawing in content.figures.values())
    assert content.image.alt
    assert all("n = " in picture.alt for picture in content.evidence)


def test_large_frames_are_made_small_and_keep_their_shape(bundle_dir, prediction):
    frame = Frame(np.full((1500, 2000), 90, np.uint8), None, (0.0, 0.0), (1.0, 1.0), "a" * 64)
    picture = collect_case(Case.of(frame, Roi(60, 30, 100, 70)), prediction, read_bundle(bundle_dir)).image
    size = Image.open(io.BytesIO(picture.data)).size
    assert size == (picture.width, picture.height) == (LARGEST, round(LARGEST * 0.75))


def test_the_same_case_gives_the_same_document(bundle_dir, frame, roi, prediction):
    bundle, case = read_bundle(bundle_dir), Case.of(frame, roi, CLINICAL)
    first, second = (render_patient_document(collect_case(case, prediction, bundle)) for _ in range(2))
    assert first == second


def test_a_meeting_shows_the_bundles_evidence_once(content, bundle_dir):
    meeting = collect_meeting("Board", (content, content))
    assert meeting.evidence == draw_evidence(read_bundle(bundle_dir))
    assert all(patient.evidence == () for patient in meeting.patients)


@pytest.mark.parametrize("form", ["pdf", "html"])
def test_a_document_of_two_views_shows_both(bundle_dir, frame, roi, prediction, form):
    half = replace(prediction.views[0], contribution=prediction.views[0].contribution / 2)
    both = replace(prediction, views=(half, replace(half, logit=half.logit + 0.4, probability=0.56)))
    case = Case((View(frame, roi, "transverse"), View(frame, roi, "longitudinal")), CLINICAL)
    content = collect_case(case, both, read_bundle(bundle_dir))
    assert [view.name for view in content.further_views] == ["View 2, longitudinal"]
    document = render_patient_document(content, form=form)
    words = " ".join(" ".join(read_pages(document)).split()) if form == "pdf" else document.decode()
    for part in ("View 1, transverse", "View 2, longitudinal", "differ by 0.40 log-odds", "2 views"):
        assert part in words
