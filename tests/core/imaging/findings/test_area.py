"""The B-mode area: exact on screens, whole on images that are cropped already."""

import numpy as np
import pytest
from PIL import Image

from core.imaging.findings.area import find_bmode_area
from core.imaging.frame import Roi
from tests.core.imaging.samples import make_screen, make_speckle


def grey(image: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(image).convert("L"))


@pytest.mark.parametrize("corner", [(60, 40), (200, 90), (330, 120)])
@pytest.mark.parametrize("size", [(640, 480), (1024, 768)])
def test_menus_bars_and_rulers_are_dropped_exactly(corner, size):
    area = make_speckle(300, 280, seed=corner[0])
    found = find_bmode_area(grey(make_screen(area, corner, size, words="WELLINGTON ARTHUR 12 MHz Gn 60")))
    assert found == Roi(corner[0], corner[1], corner[0] + 280, corner[1] + 300)


@pytest.mark.parametrize("seed", range(5))
def test_a_cropped_image_is_kept_whole(seed):
    area = make_speckle(350, 270, seed)
    area[250:] = area[250:] // 8
    assert find_bmode_area(area) == Roi(0, 0, 270, 350)


def test_a_black_cyst_does_not_split_the_area():
    area = make_speckle(300, 280)
    area[100:200, 60:220] = 0
    assert find_bmode_area(grey(make_screen(area, (60, 40), (640, 480)))) == Roi(60, 40, 340, 340)


@pytest.mark.parametrize("level", [0, 90])
def test_an_even_image_has_no_area(level):
    assert find_bmode_area(np.full((200, 300), level, np.uint8)) is None


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (1, 500), (500, 2), (17, 16)])
def test_tiny_images_are_no_fault(shape):
    found = find_bmode_area(make_speckle(*shape))
    assert found is None or (found.x1 <= shape[1] and found.y1 <= shape[0])
