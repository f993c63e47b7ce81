"""Two views side by side are told, offered from left to right, and read one by one."""

import numpy as np
import pytest

from core.errors import ImageError
from core.imaging import inspect_image, read_frame
from core.imaging.findings.views import find_views
from tests.core.imaging.samples import encode, make_dicom, make_jpeg_cine, make_region, make_speckle

LEFT = make_speckle(300, 240, 1)
RIGHT = (make_speckle(300, 240, 2) * 0.6).astype(np.uint8)


def make_pair(gap: int, margin: int = 0) -> np.ndarray:
    pair = np.hstack([LEFT, np.zeros((300, gap), np.uint8), RIGHT])
    return np.pad(pair, margin)


@pytest.mark.parametrize("gap", [0, 1, 3, 12, 40])
@pytest.mark.parametrize("margin", [0, 30])
def test_both_views_are_found_exactly_and_read_one_by_one(gap, margin):
    data = encode(make_pair(gap, margin))
    views = inspect_image(data).views
    assert [view.box.x0 for view in views] == pytest.approx([margin, margin + 240 + gap], abs=4)
    assert [view.box.x1 for view in views] == pytest.approx([margin + 240, margin + 480 + gap], abs=4)
    assert all(view.mm_per_px is None for view in views)
    for region, area in enumerate((LEFT, RIGHT)):
        pixels = read_frame(data, region=region).pixels
        assert np.abs(np.subtract(pixels.shape, area.shape)).max() <= 4
        assert pixels.mean() == pytest.approx(area.mean(), abs=3)


def test_a_view_that_is_not_there_cannot_be_asked_for():
    with pytest.raises(ImageError, match="Region 3 was asked for, but the image has 2"):
        read_frame(encode(make_pair(12)), region=2)
    with pytest.raises(ImageError, match="Region 2 was asked for, but the image has none"):
        read_frame(encode(LEFT), region=1)


@pytest.mark.parametrize("seed", range(6))
def test_a_single_view_is_not_split(seed):
    image = make_speckle(300, 360, seed)
    assert find_views(image) == ()
    rows, cols = np.mgrid[:300, :360]
    image[(rows > 60) & (np.abs(cols - 170) < 15 + rows // 8)] = 0  # a shadow
    image[40:90, 250:320] = 0  # a cyst
    assert find_views(image) == ()


def test_dicom_files_without_regions_show_their_views_and_those_with_regions_their_regions():
    pair = make_pair(12)
    assert len(inspect_image(make_dicom(pair)).views) == 2
    named = make_dicom(pair, SequenceOfUltrasoundRegions=[make_region((0, 0, 239, 299))])
    assert (len(inspect_image(named).views), len(inspect_image(named).regions)) == (0, 1)


def test_a_loop_keeps_its_views_on_every_frame():
    pair = np.dstack([make_pair(0)] * 3)
    data = make_jpeg_cine([pair, pair[::-1].copy()], quality=95)
    widths = {read_frame(data, index=index, region=1).width for index in (0, 1, None)}
    assert widths == {240}
