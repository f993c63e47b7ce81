"""Boxes, frames and the one crop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ImageError
from core.imaging import Frame, Roi, default_roi, prepare_input
from tests.core.imaging.samples import make_speckle


def make_frame(pixels: np.ndarray, **changes: object) -> Frame:
    return Frame(pixels, changes.pop("mm_per_px", None), (0.0, 0.0), (1.0, 1.0), "0" * 64, **changes)


@pytest.mark.parametrize("edges", [(5, 5, 5, 9), (9, 5, 5, 9), (0, 9, 5, 2), (0, 0, np.nan, 1), (0, 0, np.inf, 1)])
def test_an_impossible_box_cannot_be_made(edges):
    with pytest.raises(ImageError, match="lesion box"):
        Roi(*edges)


@pytest.mark.parametrize("pixels", [np.zeros((4, 4)), np.zeros((4, 4, 3), np.uint8), np.zeros((0, 4), np.uint8)])
def test_a_frame_holds_grey_bytes_only(pixels):
    with pytest.raises(ImageError, match="grey pixels of 8 bits"):
        make_frame(pixels)


@pytest.mark.parametrize("scale", [0, -0.1, np.inf, np.nan])
def test_a_scale_is_positive_or_unknown(scale):
    with pytest.raises(ImageError, match="scale must be a positive number"):
        make_frame(np.zeros((4, 4), np.uint8), mm_per_px=scale)


box_edges = st.tuples(st.floats(0, 400), st.floats(0, 400), st.floats(0.5, 300), st.floats(0.5, 300))


@settings(deadline=None)
@given(box_edges, st.floats(0, 90), st.floats(0.2, 5))
def test_boxes_survive_the_way_to_the_frame_and_back(edges, origin, scale):
    frame = Frame(np.zeros((9, 9), np.uint8), None, (origin, origin / 2), (scale, 1.0), "0" * 64)
    box = Roi(edges[0], edges[1], edges[0] + edges[2], edges[1] + edges[3])
    back = frame.to_source(frame.to_frame(box))
    np.testing.assert_allclose([back.x0, back.y0, back.x1, back.y1], [box.x0, box.y0, box.x1, box.y1], atol=1e-9)


def test_a_crop_at_scale_one_is_the_frame_itself():
    frame = make_frame(make_speckle(200, 240))
    np.testing.assert_array_equal(
        prepare_input(frame, Roi(80, 60, 144, 124), size=96, context=1.5), frame.pixels[44:140, 64:160]
    )


def test_the_longer_side_sets_the_square():
    frame = make_frame(make_speckle(300, 300))
    wide = prepare_input(frame, Roi(100, 140, 200, 160), size=100, context=1.0)
    np.testing.assert_array_equal(wide, frame.pixels[100:200, 100:200])


def test_beyond_the_frame_is_black():
    frame = make_frame(np.full((100, 100), 200, np.uint8))
    crop = prepare_input(frame, Roi(-40, -40, 40, 40), size=80, context=1.0)
    assert not crop[:39, :].any()
    assert not crop[:, :39].any()
    assert (crop[41:, 41:] == 200).all()


def test_shrinking_averages_over_the_source():
    checks = (np.indices((400, 400)).sum(axis=0) % 2 * 200).astype(np.uint8)
    crop = prepare_input(make_frame(checks), Roi(50, 50, 350, 350), size=30, context=1.0)
    assert np.abs(crop.astype(int) - 100).max() <= 2


def test_a_shift_of_half_a_pixel_is_seen():
    ramp = np.tile(np.arange(0, 240, 4, dtype=np.uint8), (60, 1))
    first = prepare_input(make_frame(ramp), Roi(10, 10, 50, 50), size=40, context=1.0).astype(float)
    second = prepare_input(make_frame(ramp), Roi(10.5, 10, 50.5, 50), size=40, context=1.0).astype(float)
    assert np.mean(second - first) == pytest.approx(2, abs=0.1)


def test_a_box_outside_the_image_is_refused():
    with pytest.raises(ImageError, match="outside the image"):
        prepare_input(make_frame(make_speckle()), Roi(500, 10, 600, 40), size=32, context=1.2)


def test_a_box_larger_than_the_image_is_refused_before_memory_is_taken():
    with pytest.raises(ImageError, match=r"The lesion box \(1000000000 x 20 pixels\) is larger than the image"):
        prepare_input(make_frame(make_speckle()), Roi(0, 10, 1e9, 30), size=32, context=1.2)


def test_the_default_box_lies_within_the_frame():
    frame = make_frame(make_speckle(90, 70))
    box = default_roi(frame)
    assert box.x0 > 0
    assert box.y0 > 0
    assert box.x1 < 70
    assert box.y1 < 90


def test_the_default_box_finds_a_dark_lesion():
    pixels = make_speckle(300, 360)
    rows, cols = np.mgrid[:300, :360]
    lesion = ((cols - 240) / 50) ** 2 + ((rows - 110) / 35) ** 2 < 1
    pixels[lesion] = pixels[lesion] // 4
    box = default_roi(make_frame(pixels))
    inside = np.zeros_like(lesion)
    inside[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)] = True
    assert (inside & lesion).sum() / (inside | lesion).sum() > 0.5
