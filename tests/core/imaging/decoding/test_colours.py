"""Colours that a file states wrongly: told by its values and said in a note, never shown scrambled."""

import itertools
from io import BytesIO

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from core.imaging import inspect_image, read_frame
from tests.core.imaging.decoding.dicom_files import COLOUR, GREY, compressed
from tests.core.imaging.decoding.viewers import show
from tests.core.imaging.samples import make_dicom, save

RGB = np.dstack([GREY] * 3)
YBR = np.asarray(Image.fromarray(RGB).convert("YCbCr"))
HELD = {"RGB": RGB, "YBR_FULL": YBR}


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("held_planar", [0, 1])
@pytest.mark.parametrize("held", HELD)
@pytest.mark.parametrize("stated", ["RGB", "YBR_FULL", "YBR_FULL_422"])
def test_native_colours_are_told_by_their_values(stated, held, held_planar, planar, frames):
    pixels = HELD[held]
    stored = np.ascontiguousarray(pixels.transpose(2, 0, 1)).reshape(pixels.shape) if held_planar else pixels
    loop = np.stack([stored] * frames) if frames > 1 else stored
    data = make_dicom(loop, frames=frames, PhotometricInterpretation=stated, PlanarConfiguration=planar)
    np.testing.assert_allclose(show(data, frames - 1), RGB, atol=1)
    is_right = (stated, planar) == (held, held_planar)
    assert ("as their values tell" in " ".join(inspect_image(data).notes)) != is_right


@pytest.mark.parametrize(
    ("syntax", "held"),
    [*itertools.product([JPEG2000Lossless, JPEGLSLossless, RLELossless], HELD), (JPEG2000Lossless, "YBR_RCT")],
)
@pytest.mark.parametrize("stated", ["RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT"])
def test_compressed_colours_are_told_by_their_coding_or_values(syntax, held, stated):
    ds = pydicom.dcmread(BytesIO(compressed(syntax, HELD.get(held, RGB), PhotometricInterpretation=held)))
    ds.PhotometricInterpretation = stated
    np.testing.assert_allclose(show(save(ds)), RGB, atol=1)


def test_a_frame_of_colours_is_shown_as_stated():
    data = make_dicom(COLOUR)
    np.testing.assert_array_equal(show(data), COLOUR)
    assert not inspect_image(data).notes
    assert read_frame(make_dicom(RGB)).colour is None
