"""The dark corners of a sector hold words; nothing outside the sector is kept, and no tissue is lost."""

from io import BytesIO

import numpy as np
import pydicom
import pytest
from PIL import Image, ImageDraw

from core.imaging import deidentify, read_frame
from core.imaging.findings.sector import find_corners
from tests.core.imaging.samples import encode, make_dicom, make_region, make_sector, make_speckle

PROBES = [(150, 35), (300, 30), (60, 60), (20, 42)]
PLACES = [(4, 4), (540, 4), (285, 18), (4, 440), (4, 470), (560, 476)]
WHOLE = make_region((0, 0, 639, 499))


def write_words(image: np.ndarray) -> np.ndarray:
    """Names in every dark corner and above the arc."""
    page = Image.fromarray(image)
    for place in PLACES:
        ImageDraw.Draw(page).text(place, "WELLINGTON", fill=255)
    return np.asarray(page)


@pytest.mark.parametrize(("radius", "angle"), PROBES)
def test_words_outside_a_sector_are_blackened_and_its_tissue_stays(radius, angle):
    image, tissue = make_sector(radius, angle)
    image = np.where(tissue, image, write_words(image))
    assert np.count_nonzero(image[~tissue]) > 500
    outside = find_corners(image)
    assert np.count_nonzero(image[~tissue & ~outside]) == 0
    assert (outside & tissue).sum() < 0.001 * tissue.sum()


def test_a_shadow_and_a_cyst_within_the_sector_are_kept():
    image, tissue = make_sector()
    image[150:, 300:340] = 0
    image[200:260, 200:280] = 3
    outside = find_corners(image)
    assert not outside[150:420, 300:340].any()
    assert (outside & tissue).sum() < 0.001 * tissue.sum()


@pytest.mark.parametrize("seed", range(3))
def test_a_linear_image_has_no_corners_even_where_its_depth_is_black(seed):
    image = make_speckle(300, 360, seed)
    assert find_corners(image) is None
    rows, cols = np.mgrid[:300, :360]
    image[(rows > 150) & (np.abs(cols - 180) > 420 - rows)] = 0
    image[280:] = 0
    assert find_corners(image) is None


def test_frames_and_exported_copies_hold_no_words_from_the_corners():
    image, tissue = make_sector()
    image = np.where(tissue, image, write_words(image))
    data = make_dicom(image, SequenceOfUltrasoundRegions=[WHOLE])
    for pixels in (
        read_frame(data).pixels,
        pydicom.dcmread(BytesIO(deidentify(data, bytes(32)).data)).pixel_array,
        read_frame(encode(np.dstack([image] * 3))).pixels,
    ):
        assert np.count_nonzero(pixels) <= np.count_nonzero(image[tissue])
        assert np.count_nonzero(pixels) > 0.98 * np.count_nonzero(image[tissue])
