"""Heat map, contributions, nomogram and probability are the same number; engines agree; bad bundles are refused."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import ModelError
from core.imaging import Frame, Roi
from core.inference import Applicability, Case, ImageReading, Prediction, Predictor, View
from models.bundle import HEADS, MANIFEST

CLINICAL = {"age": 47.0, "size_mm": 24.0, "menopausal": "pre", "palpable": "yes", "birads": "4C", "adler": "2"}


def make_frame(seed: int = 0) -> Frame:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(20, 200, (240, 320)).astype(np.uint8)
    pixels[80:150, 110:210] //= 3
    return Frame(pixels, None, (0.0, 0.0), (1.0, 1.0), "0" * 64)


ROI = Roi(110, 80, 210, 150)


@pytest.fixture(scope="module")
def predictor(bundle_dir: Path) -> Predictor:
    return Predictor.load(bundle_dir, engine="torch", precision="fp32")


@pytest.fixture(scope="module")
def prediction(predictor: Predictor) -> Prediction:
    return predictor.predict(Case.of(make_frame(), ROI, CLINICAL))


def test_mean_heatmap_and_offset_are_the_images_contribution(prediction: Prediction) -> None:
    (view,) = prediction.views
    assert view.heatmap.mean() + view.heatmap_offset == pytest.approx(prediction.contributions["image"], abs=1e-4)
    assert (view.logit, view.probability) == pytest.approx((prediction.logit, prediction.probability))


@pytest.fixture(scope="module")
def of_three(predictor: Predictor) -> Prediction:
    """Three views of one lesion."""
    views = tuple(View(make_frame(seed), ROI) for seed in range(3))
    return predictor.predict(Case(views, CLINICAL))


def test_the_shares_of_the_views_add_up_to_the_images_term(of_three: Prediction) -> None:
    shares = [(view.heatmap.mean() + view.heatmap_offset) / 3 for view in of_three.views]
    assert sum(shares) == pytest.approx(of_three.contributions["image"], abs=1e-6)
    assert [view.contribution for view in of_three.views] == pytest.approx(shares, abs=1e-6)
    assert np.mean([view.logit for view in of_three.views]) == pytest.approx(of_three.logit, abs=1e-9)


def test_the_joint_score_is_the_mean_as_score_takes_it(predictor: Predictor, of_three: Prediction) -> None:
    scores = [predictor.read_image(make_frame(seed), ROI).scores["ki67"] for seed in range(3)]
    assert of_three.score == pytest.approx(np.mean(scores), abs=1e-6)


def test_a_view_given_twice_changes_nothing(predictor: Predictor, prediction: Prediction) -> None:
    twice = predictor.predict(Case((View(make_frame(), ROI),) * 2, CLINICAL))
    assert twice.probability == pytest.approx(prediction.probability, abs=1e-9)
    assert twice.interval == pytest.approx(prediction.interval, abs=1e-6)


def test_views_that_differ_widen_the_interval_by_the_variance_of_their_mean(predictor: Predictor) -> None:
    reading = predictor.read_image(make_frame(), ROI)

    def shift(by: float) -> ImageReading:
        scores = dict(reading.scores) | {"ki67": reading.scores["ki67"] + by}
        return replace(reading, scores=scores, refit_scores=reading.refit_scores + by)

    case = Case((View(make_frame(), ROI),) * 2, CLINICAL)
    widths = []
    for by in (0.0, 0.5, 1.0, 2.0):
        low, high = predictor.predict(case, [shift(-by), shift(by)]).interval
        widths.append(math.log(high / (1 - high)) - math.log(low / (1 - low)))
    assert widths == sorted(widths)
    assert widths[0] < widths[-1]


def test_the_worst_view_decides_and_is_named(predictor: Predictor, of_three: Prediction) -> None:
    views = list(of_three.views)
    odd = Applicability("refused", ("No ultrasound.",))
    views[1] = replace(views[1], reading=replace(views[1].reading, applicability=odd))
    judged = replace(of_three, views=tuple(views)).applicability
    assert judged.status == "refused"
    assert "View 2: No ultrasound." in judged.reasons


def test_the_order_of_views_changes_no_hash_and_no_number(predictor: Predictor, of_three: Prediction) -> None:
    back = predictor.predict(Case(tuple(View(make_frame(seed), ROI) for seed in (2, 1, 0)), CLINICAL))
    assert back.input_sha256 == of_three.input_sha256
    assert back.probability == pytest.approx(of_three.probability, abs=1e-9)


def test_contributions_and_intercept_are_the_logit(prediction: Prediction) -> None:
    total = prediction.intercept + sum(prediction.contributions.values())
    assert total == pytest.approx(prediction.logit, abs=1e-9)
    assert 1 / (1 + math.exp(-total)) == pytest.approx(prediction.probability, abs=1e-9)


def test_a_value_that_is_not_known_is_named_and_adds_no_term_of_its_own(prediction: Prediction) -> None:
    assert prediction.imputed == ("aln_suspicious",)
    assert prediction.contributions["aln_suspicious"] == 0


def test_the_interval_holds_the_probability(prediction: Prediction) -> None:
    low, high = prediction.interval
    assert 0 < low < prediction.probability < high < 1
    assert 0.5 <= prediction.certainty <= 1


def test_the_interval_is_wider_where_less_is_known(predictor: Predictor) -> None:
    reading = predictor.read_image(make_frame(), ROI)
    whole, none = (predictor.predict(Case.of(make_frame(), ROI, known), [reading]).interval for known in (CLINICAL, {}))
    assert none[1] - none[0] > whole[1] - whole[0]


def test_a_higher_image_score_never_lowers_the_probability(predictor: Predictor) -> None:
    head = predictor.bundle.fusion_heads["m1"]
    logits = [head.intercept + sum(head.contribute(s, CLINICAL).values()) for s in np.linspace(-3, 3, 13)]
    assert logits == sorted(logits)


def test_a_clinical_value_moves_without_a_second_pass(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = predictor.read_image(make_frame(), ROI)
    monkeypatch.setattr(predictor.engine, "extract_maps", lambda images: pytest.fail("the network ran again"))
    older, younger = (predictor.predict(Case.of(make_frame(), ROI, {"age": a}), [reading]) for a in (70.0, 40.0))
    assert younger.contributions["image"] == older.contributions["image"]
    head = predictor.bundle.fusion_heads["m1"].given({"age"})
    assert younger.logit - older.logit == pytest.approx(-3 * head.coefs[0])


def test_bf16_agrees_with_fp32(bundle_dir: Path, prediction: Prediction) -> None:
    other = Predictor.load(bundle_dir, engine="torch", precision="bf16").predict(Case.of(make_frame(), ROI, CLINICAL))
    assert other.probability == pytest.approx(prediction.probability, abs=0.01)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_cuda_agrees_with_the_cpu(bundle_dir: Path, prediction: Prediction) -> None:
    other = Predictor.load(bundle_dir, engine="cuda").predict(Case.of(make_frame(), ROI, CLINICAL))
    assert other.probability == pytest.approx(prediction.probability, abs=0.01)


def test_the_hottest_place_keeps_its_position(predictor: Predictor) -> None:
    """A change in one corner of the input moves the score map most there."""
    frame, size = make_frame(), predictor.engine.rule.size
    pixels = frame.pixels.copy()
    x0, y0, x1, y1 = predictor.read_image(frame, ROI).area
    pixels[int(y0) : int(y0 + (y1 - y0) / 4), int(max(x0, 0)) : int(x0 + (x1 - x0) / 4)] = 255
    changed = Frame(pixels, None, frame.origin, frame.source_scale, frame.sha256)
    before, after = (predictor.read_image(f, ROI).score_map for f in (frame, changed))
    assert before.shape == (size // 32, size // 32)
    assert np.unravel_index(np.abs(after - before).argmax(), before.shape) == (0, 0)


@pytest.mark.parametrize("images", [np.zeros((1, 64, 64), np.uint8), np.zeros((1, 96, 96), np.float32)])
def test_the_engine_refuses_what_it_was_not_trained_on(predictor: Predictor, images: np.ndarray) -> None:
    with pytest.raises(ModelError, match="takes 8-bit images of 96 x 96 pixels"):
        predictor.engine.extract_maps(images)


def test_a_changed_bundle_is_refused(bundle_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    folder.mkdir()
    for path in bundle_dir.iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    heads = json.loads((folder / HEADS).read_text())
    heads["fusion"]["m1"]["intercept"] += 1
    (folder / HEADS).write_text(json.dumps(heads))
    with pytest.raises(ModelError, match="changed after training"):
        Predictor.load(folder)


def test_a_folder_without_a_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"{MANIFEST} is not in the folder"):
        Predictor.load(tmp_path)
