"""A lesion's measures, on ellipses drawn by the test."""

import math
from functools import partial

import numpy as np
import pytest

from core.errors import ImageError
from core.imaging import Roi
from core.inference.lesion import Lesion, LesionRule, choose_outline, outline_lesion_at, outline_lesions

WIDTH, HEIGHT = 400, 300


def draw(cx: float, cy: float, a: float, b: float, degrees: float = 0.0) -> np.ndarray:
    """A probability map of one ellipse of half axes a and b, soft at its edge, on half the frame's resolution."""
    yy, xx = (np.mgrid[: HEIGHT // 2, : WIDTH // 2] + 0.5) * 2
    angle = math.radians(degrees)
    u = (xx - cx) * math.cos(angle) + (yy - cy) * math.sin(angle)
    v = (yy - cy) * math.cos(angle) - (xx - cx) * math.sin(angle)
    distance = (np.hypot(u / a, v / b) - 1) * min(a, b)
    return (1 / (1 + np.exp(np.clip(distance, -30, 30)))).astype(np.float32)


def outline(probability: np.ndarray, mm_per_px: float | None = None) -> tuple[Lesion, ...]:
    return outline_lesions(probability, width=WIDTH, height=HEIGHT, rule=LesionRule(0.5, 0.6), mm_per_px=mm_per_px)


@pytest.mark.parametrize("degrees", [0, 30, 75, 90, 140])
@pytest.mark.parametrize(("a", "b"), [(60, 35), (40, 25), (50, 48)])
def test_an_ellipse_has_its_area_and_diameters(a, b, degrees):
    (lesion,) = outline(draw(190, 140, a, b, degrees))
    assert lesion.area_px == pytest.approx(math.pi * a * b, rel=0.02)
    assert lesion.diameters_px == pytest.approx((2 * a, 2 * b), rel=0.03)
    tilt = math.radians(degrees)
    half_width = math.hypot(a * math.cos(tilt), b * math.sin(tilt))
    half_height = math.hypot(a * math.sin(tilt), b * math.cos(tilt))
    assert lesion.transverse_px == pytest.approx(2 * half_width, abs=2)
    assert lesion.antero_posterior_px == pytest.approx(2 * half_height, abs=2)
    box = lesion.box
    assert ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2) == pytest.approx((190, 140), abs=1)


@pytest.mark.parametrize(
    ("degrees", "orientation"), [(0, "parallel"), (25, "parallel"), (65, "not_parallel"), (90, "not_parallel")]
)
def test_orientation_is_parallel_where_wider_than_tall(degrees, orientation):
    (lesion,) = outline(draw(200, 150, 60, 35, degrees))
    assert lesion.orientation == orientation


def test_a_round_lesion_is_not_parallel():
    square = np.array([[10.0, 10.0], [30.0, 10.0], [30.0, 30.0], [10.0, 30.0]])
    assert Lesion(square, 0.9).orientation == "not_parallel"


def test_millimetres_only_with_a_scale():
    probability = draw(200, 150, 60, 35)
    (unscaled,), (scaled,) = outline(probability), outline(probability, 0.1)
    assert unscaled.area_mm2 is None
    assert scaled.diameters_px.longest * 0.1 == pytest.approx(12, rel=0.03)
    assert scaled.area_mm2 == pytest.approx(math.pi * 6 * 3.5, rel=0.02)


def test_several_lesions_come_best_first():
    probability = np.maximum(draw(90, 80, 30, 20), draw(280, 180, 60, 40))
    first, second = outline(probability)
    assert first.area_px > second.area_px
    assert first.box.x0 > second.box.x1


def test_nothing_and_specks_are_no_lesions():
    assert outline(np.full((150, 200), 0.49, np.float32)) == ()
    probability = draw(280, 180, 60, 40)
    probability[10:13, 10:13] = 1
    assert len(outline(probability)) == 1


def test_an_unsure_patch_is_no_lesion():
    probability = draw(200, 150, 60, 40)
    assert len(outline(probability)) == 1
    assert outline(probability * 0.55) == ()


def test_a_hole_is_filled():
    probability = draw(200, 150, 80, 60)
    area = outline(probability)[0].area_px
    probability[70:80, 95:105] = 0.1
    assert outline(probability)[0].area_px == pytest.approx(area, rel=1e-3)


def test_a_lesion_at_the_edge_stays_within_the_frame():
    (lesion,) = outline(draw(395, 150, 60, 40))
    assert lesion.box.x1 == WIDTH
    assert lesion.contour.min() >= 0
    assert lesion.antero_posterior_px == pytest.approx(80, abs=3)


def test_confidence_is_the_mean_probability_within():
    probability = np.full((150, 200), 0.1, np.float32)
    probability[50:100, 50:120] = 0.8
    assert outline(probability)[0].confidence == pytest.approx(0.8)


@pytest.mark.parametrize("contour", [np.zeros((2, 2)), np.zeros((5, 3)), np.full((4, 2), np.nan)])
def test_no_outline_is_no_lesion(contour):
    with pytest.raises(ImageError, match="outline"):
        Lesion(contour, 0.5)


def test_the_outline_within_a_box_is_chosen():
    square = np.array([(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)])
    lesions = (Lesion(square, 0.9), Lesion(square + 50, 0.8))
    assert choose_outline(lesions, Roi(49, 50, 61, 60)) is lesions[1].contour
    assert choose_outline(lesions, Roi(20, 20, 40, 40)) is None
    assert choose_outline((), Roi(0, 0, 10, 10)) is None


def test_a_faint_patch_is_outlined_where_it_is_asked_for_and_plain_tissue_is_not():
    faint = 0.3 * draw(190, 140, 60, 35)
    assert outline(faint) == ()
    look = partial(outline_lesion_at, width=WIDTH, height=HEIGHT, rule=LesionRule(0.5, 0.6))
    (lesion,) = look(faint, at=(205.0, 150.0))
    assert (lesion.box.x0, lesion.box.y1) == pytest.approx((130, 175), abs=2)
    assert look(faint, at=(20.0, 20.0)) == ()
    assert look(np.full_like(faint, 0.9), at=(205.0, 150.0)) == ()
