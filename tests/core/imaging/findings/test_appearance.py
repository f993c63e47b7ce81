"""Images that are no breast ultrasound are told by their appearance."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import ImageError, ModelError
from core.imaging import read_frame
from core.imaging.decoding.raster import to_grey
from core.imaging.findings.appearance import STATISTICS, fit_appearance, measure_appearance
from core.imaging.findings.appearance_rules import AppearanceRules
from core.imaging.findings.quality import judge_appearance
from core.simulation import render_patient, simulate_cohort
from core.training.appearance import degrade, extend_looks, fit_ultrasound_test
from core.training.not_ultrasound import make_others
from models.bundle import HEADS
from tests.core.imaging.samples import encode, make_speckle

SHIPPED = Path(__file__).resolve().parents[4] / "models" / "ki67-demo" / HEADS
RULES = AppearanceRules.from_json(json.loads(SHIPPED.read_text(encoding="utf-8"))["appearance"])


def judge(pixels: np.ndarray) -> str:
    return judge_appearance(read_frame(encode(pixels)), RULES).status


def make_tissue(seed: int, gain: float = 1.0) -> np.ndarray:
    return np.clip(make_speckle(90, 110, seed) * gain, 0, 255).astype(np.uint8)


def test_statistics_of_a_known_image():
    ramp = np.tile(np.arange(100, dtype=np.uint8)[:, None], (1, 80))
    measured = measure_appearance(ramp)
    assert tuple(measured) == STATISTICS
    assert measured["mean"] == pytest.approx(49.5)
    assert measured["flat_share"] == 1
    assert measured["grain"] == 0
    assert measured["deep_darkening"] == pytest.approx(-50)


def test_speckle_reaches_farther_across_the_beam_than_along_it():
    measured = measure_appearance(make_tissue(1))
    assert measured["anisotropy"] > 0.05
    assert measured["lateral_reach"] > measured["axial_reach"]


def test_a_reference_knows_its_own_and_tells_others():
    rng = np.random.default_rng(3)
    own = [measure_appearance(make_tissue(seed, rng.uniform(0.7, 1.1))) for seed in range(60)]
    reference = fit_appearance(own)
    beyond = [reference.distance(statistics) > reference.caution for statistics in own]
    assert np.mean(beyond) < 0.05
    assert reference.distance(measure_appearance(make_tissue(99, 0.9))) < reference.refusal
    flat = np.tile(np.arange(110, dtype=np.uint8), (90, 1))
    assert reference.distance(measure_appearance(flat)) > reference.refusal


def test_a_reference_needs_fifty_images():
    with pytest.raises(ImageError, match="at least 50 images; 3 came"):
        fit_appearance([measure_appearance(make_tissue(seed)) for seed in range(3)])


def test_simulated_frames_are_not_refused():
    cohort = simulate_cohort(660, seed=11)
    verdicts = [judge(np.asarray(render_patient(cohort, row, 11).pixels)) for row in range(5, 660, 82)]
    assert "refused" not in verdicts


@pytest.mark.parametrize("kind", ["photo", "slice", "page", "chart", "noise"])
def test_images_of_other_things_are_refused(kind):
    verdicts = [judge(image) for image in make_others()[kind]]
    assert verdicts.count("refused") >= 0.9 * len(verdicts)


def test_what_says_that_it_is_ultrasound_is_cautioned_at_most():
    page = read_frame(encode(make_others()["page"][0]))
    assert judge_appearance(page, RULES).status == "refused"
    assert judge_appearance(replace(page, is_ultrasound=True), RULES).status == "caution"


def test_rules_survive_json():
    assert AppearanceRules.from_json(json.loads(json.dumps(RULES.to_json()))) == RULES
    with pytest.raises(ModelError, match="train it anew"):
        AppearanceRules.from_json({**RULES.to_json(), "statistics": ["mean"]})


def test_a_bundle_adds_its_own_images_and_never_calls_fewer_of_them_ultrasound():
    backbone = AppearanceRules({"backbone": RULES.references["backbone"]}, replace(RULES.ultrasound, limit=-5.0))
    own = [measure_appearance(make_tissue(seed)) for seed in range(60)]
    extended = extend_looks(backbone, own)
    assert set(extended.references) == {"backbone", "training"}
    scores = [extended.ultrasound.score(statistics) for statistics in own]
    assert np.mean(np.array(scores) <= extended.ultrasound.limit) >= 0.98
    assert extend_looks(backbone, own[:49]) == backbone


def test_the_ultrasound_test_tells_what_it_was_fitted_on():
    speckle = [measure_appearance(make_tissue(seed)) for seed in range(60)]
    others = [measure_appearance(to_grey(image)) for image in make_others()["photo"]]
    test = fit_ultrasound_test(speckle, others)
    assert max(map(test.score, speckle[:59])) <= test.limit + 1
    assert np.mean([test.score(statistics) > test.limit for statistics in others]) > 0.9


def test_a_degraded_frame_is_another_image_of_the_same_tissue():
    rng, tissue = np.random.default_rng(2), make_tissue(4)
    changed = [degrade(tissue, rng) for _ in range(12)]
    assert all(image.dtype == np.uint8 and image.ndim == 2 for image in changed)
    assert not any(np.array_equal(image, tissue) for image in changed)
