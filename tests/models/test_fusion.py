import math

import numpy as np
import pytest

from models.cam import compute_heatmap, compute_score_map
from models.fusion import FusionHead, ImageHead, Term

AGE = Term("age", "linear", 50.0, 10.0, {}, 20.0, 80.0)
SIZE = Term("size_mm", "log", math.log(20), math.log(2), {}, 5.0, 80.0)
NODES = Term("aln_suspicious", "levels", 0.25, 1.0, {"negative": 0.0, "suspicious": 1.0}, 0.0, 1.0)

COV = np.array([[1.0, 0.1, 0.3, 0.2], [0.1, 1.0, 0.0, 0.0], [0.3, 0.0, 0.5, 0.1], [0.2, 0.0, 0.1, 0.2]])


def make_head() -> FusionHead:
    return FusionHead(
        -0.5, 1.5, (AGE, SIZE, NODES), np.array([-0.2, 0.7, 0.9]), np.zeros((200, 5)), np.zeros(4), COV, 0.2
    )


@pytest.mark.parametrize(
    ("term", "value", "z"),
    [(AGE, 60, 1.0), (SIZE, 40, 1.0), (SIZE, 10.0, -1.0), (NODES, "suspicious", 0.75), (NODES, None, 0.0)],
)
def test_a_term_codes_its_value(term: Term, value: str | float | None, z: float) -> None:
    assert term.code(value) == pytest.approx(z)


def test_contributions_are_coefficient_times_term() -> None:
    contributions = make_head().contribute(2.0, {"age": 40, "size_mm": 40})
    assert contributions == pytest.approx({"image": 3.0, "age": 0.2, "size_mm": 0.7, "aln_suspicious": 0.0})


def test_parts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit each other"):
        FusionHead(0.0, 1.0, (AGE,), np.zeros(2), np.zeros((200, 4)), np.zeros(2), np.eye(2), 0.2)


def test_the_mean_of_the_heatmap_and_the_offset_are_the_images_term() -> None:
    rng = np.random.default_rng(0)
    maps = rng.random((2048, 6, 6)).astype(np.float32)
    head = ImageHead(rng.normal(size=2048), 0.3)
    heatmap = compute_heatmap(compute_score_map(maps, head.weights), 1.5)
    score = float(head.score(maps.mean(axis=(1, 2), dtype=np.float64)))
    assert heatmap.mean() + 1.5 * head.bias == pytest.approx(1.5 * score, abs=1e-9)


def test_weak_evidence_stays_weak() -> None:
    """Half the features give half the map: nothing is stretched to its own maximum."""
    rng = np.random.default_rng(1)
    maps, weights = rng.random((2048, 3, 3)).astype(np.float32), rng.normal(size=2048)
    assert compute_score_map(maps / 2, weights) == pytest.approx(compute_score_map(maps, weights) / 2, rel=1e-5)


def test_a_head_for_unknown_fields_gives_the_mean_over_what_they_may_be() -> None:
    """Against a Monte Carlo mean of the full head over the conditional normal distribution."""
    head, score, age = make_head(), 0.8, 40.0
    given = head.given({"age"})
    logit = given.intercept + sum(given.contribute(score, {"age": age}).values())
    known = np.array([score, AGE.code(age)])
    slope = COV[2:, :2] @ np.linalg.inv(COV[:2, :2])
    rest = np.random.default_rng(0).multivariate_normal(slope @ known, COV[2:, 2:] - slope @ COV[:2, 2:], 200_000)
    full = head.intercept + head.image_coef * score + head.coefs[0] * known[1] + rest @ head.coefs[1:]
    assert 1 / (1 + np.exp(-logit)) == pytest.approx(np.mean(1 / (1 + np.exp(-full))), abs=0.004)
    assert list(given.coefs[1:]) == [0, 0]
    assert head.given({"age", "size_mm", "aln_suspicious"}) is head


def test_the_less_is_known_the_wider_are_the_refits() -> None:
    rng = np.random.default_rng(1)
    bootstrap = np.array([-0.5, 1.5, -0.2, 0.7, 0.9]) + rng.normal(0, 0.1, (300, 5))
    head = FusionHead(-0.5, 1.5, (AGE, SIZE, NODES), np.array([-0.2, 0.7, 0.9]), bootstrap, np.zeros(4), COV, 0.2)
    values = {"age": 50.0, "size_mm": 20.0, "aln_suspicious": "negative"}
    spreads = [
        head.refit_logits(0.0, np.zeros(300), {name: values[name] for name in list(values)[:count]}).std()
        for count in (3, 2, 1, 0)
    ]
    assert spreads == sorted(spreads)
    assert spreads[-1] > 2 * spreads[0]
