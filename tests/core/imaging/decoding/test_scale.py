"""Millimetres and shape of a pixel, where regions, spacings and functional groups say something of them."""

import numpy as np
import pydicom
import pytest

from core.imaging import read_frame
from core.imaging.decoding.dicom.opening import open_dicom
from tests.core.imaging.decoding.viewers import LIMITS, show
from tests.core.imaging.samples import make_dataset, make_dicom, make_region, make_speckle, save

GREY = make_speckle(120, 160)
SPACING = [0.3, 0.3]


def make_item(**values):
    item = pydicom.Dataset()
    for name, value in values.items():
        setattr(item, name, value)
    return item


def make_group(spacing):
    return make_item(PixelMeasuresSequence=[make_item(PixelSpacing=spacing)])


def test_each_frame_of_a_volume_has_its_own_window_and_rescaling():
    def window(centre, width):
        return make_item(FrameVOILUTSequence=[make_item(WindowCenter=centre, WindowWidth=width)])

    rescaled = make_item(PixelValueTransformationSequence=[make_item(RescaleSlope=-1, RescaleIntercept=255)])
    ds = make_dataset(np.stack([GREY, GREY]), frames=2)
    ds.PerFrameFunctionalGroupsSequence = [window(64, 128), window(128, 256)]
    source = open_dicom(save(ds), LIMITS)
    first, second, again = (next(source.iter_frames([index])) for index in (0, 1, 0))
    np.testing.assert_array_equal(first, show(make_dicom(GREY, WindowCenter=64, WindowWidth=128)))
    np.testing.assert_array_equal(again, first)
    np.testing.assert_allclose(second.astype(int), GREY, atol=1)
    ds.SharedFunctionalGroupsSequence = [rescaled]
    np.testing.assert_allclose(show(save(ds), 1).astype(int), 255 - GREY.astype(int), atol=1)


def test_a_frame_without_a_window_does_not_take_that_of_an_earlier_one():
    ds = make_dataset(np.stack([GREY, GREY]), frames=2)
    named = make_item(FrameVOILUTSequence=[make_item(WindowCenter=64, WindowWidth=128)])
    ds.PerFrameFunctionalGroupsSequence = [named, pydicom.Dataset()]
    source = open_dicom(save(ds), LIMITS)
    *_, second = source.iter_frames([0, 1])
    np.testing.assert_array_equal(second, np.dstack([GREY] * 3) if second.ndim == 3 else GREY)


def test_each_frame_of_a_volume_has_its_own_scale():
    groups = [make_group([0.1, 0.1]), make_group([0.3, 0.2])]
    data = save(make_dataset(np.stack([GREY, GREY]), frames=2, PerFrameFunctionalGroupsSequence=groups))
    assert [read_frame(data, index=index).mm_per_px for index in (0, 1)] == pytest.approx([0.1, 0.2])


@pytest.mark.parametrize(
    "regions",
    [
        [],
        [make_region((0, 0, 159, 119), PhysicalUnitsXDirection=0, PhysicalUnitsYDirection=0)],
        [make_region((0, 0, 159, 119), (0.0, 0.0))],
        [pydicom.Dataset()],
    ],
    ids=["none", "no units", "no size", "empty"],
)
def test_pixel_spacing_counts_where_no_region_gives_a_scale(regions):
    frame = read_frame(make_dicom(GREY, PixelSpacing=SPACING, SequenceOfUltrasoundRegions=regions))
    assert frame.mm_per_px == pytest.approx(0.3)
    assert any("pixel spacing" in note for note in frame.notes)


def test_pixel_spacing_does_not_count_where_the_image_was_resized():
    outside = [make_region((0, 0, 799, 599))]
    frame = read_frame(make_dicom(GREY, PixelSpacing=SPACING, SequenceOfUltrasoundRegions=outside))
    assert frame.mm_per_px is None
    assert "the scale is not known" in " ".join(frame.notes)


@pytest.mark.parametrize("spacing", [0.1, [0.1, 0.1, 0.1], [0, 0.1], [-0.1, 0.1], None])
def test_a_spacing_that_is_none_leaves_the_image(spacing):
    assert read_frame(make_dicom(GREY, PixelSpacing=spacing)).mm_per_px is None


@pytest.mark.parametrize(
    ("ratio", "scale"), [([2, 1], (1, 2)), ([1, 2], (2, 1)), ([1, 1], (1, 1)), ([0, 1], (1, 1)), (3, (1, 1))]
)
def test_pixels_of_another_shape_are_made_square_without_a_scale(ratio, scale):
    frame = read_frame(make_dicom(GREY, PixelAspectRatio=ratio))
    assert frame.source_scale == pytest.approx(scale, abs=0.05)
    assert frame.mm_per_px is None
    assert any("not square" in note for note in frame.notes) == (max(scale) > 1)
    regions = [make_region((0, 0, 159, 119))]
    scaled = read_frame(make_dicom(GREY, PixelAspectRatio=ratio, SequenceOfUltrasoundRegions=regions))
    assert scaled.source_scale == (1.0, 1.0)


@pytest.mark.parametrize(
    "tag", [0x00082218, 0x00186011, 0x52009229, 0x52009230, 0x0018A001, 0x00283000, 0x00283010, 0x00082228]
)
def test_a_sequence_of_another_type_leaves_the_image(tag):
    ds = make_dataset(GREY)
    ds.add_new(tag, "LO", "breast")
    frame = read_frame(save(ds))
    assert (frame.side, frame.mm_per_px) == ("", None)
