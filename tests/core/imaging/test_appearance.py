"""Images that are no breast ultrasound are told by their appearance."""

import numpy as np
import pytest

from core.errors import ImageError
from core.imaging import read_frame
from core.imaging.appearance import STATISTICS, fit_appearance, measure_appearance
from core.imaging.quality import judge_appearance
from core.imaging.reference import BREAST_ULTRASOUND
from core.simulation import render_patient, simulate_cohort
from tests.core.imaging.others import make_others
from tests.core.imaging.samples import encode, make_speckle


def judge(pixels: np.ndarray) -> str:
    return judge_appearance(read_frame(encode(pixels)), BREAST_ULTRASOUND).status


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


@pytest.mark.parametrize(
    ("kind", "refused", "passed"),
    [("page", 1.0, 0.0), ("chart", 1.0, 0.0), ("noise", 1.0, 0.0), ("photo", 0.6, 0.15), ("slice", 0.7, 0.25)],
)
def test_other_images_keep_the_measured_rates(kind, refused, passed):
    verdicts = [judge(image) for image in make_others()[kind]]
    assert verdicts.count("refused") / len(verdicts) >= refused
    assert verdicts.count("ok") / len(verdicts) <= passed
