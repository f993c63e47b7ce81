"""Planted identifiers must not leave the decoder: frames, lists, errors, logs and exported copies are searched."""

import logging
from io import BytesIO

import numpy as np
import pydicom
import pytest
from PIL import Image, ImageDraw

from core.errors import ImageError
from core.imaging import deidentify, inspect_image, prepare_input, read_frame
from core.imaging.frame import Roi
from tests.core.imaging.samples import PATIENT, PATIENT_ID, make_dataset, make_region, make_screen, make_speckle, save

AREA = make_speckle(200, 260)
KEY = bytes(range(32))
BOX = (60, 60, 319, 259)
PLANTED = ("Planted", PATIENT_ID, "19620229", "Patricia", "Secret ward", "WELLINGTON")


def planted_file(**changes: object) -> bytes:
    """A file with names in every kind of tag, and one burned in above the B-mode area."""
    screen = Image.fromarray(make_screen(AREA, (60, 60), (400, 300)))
    ImageDraw.Draw(screen).text((60, 20), "WELLINGTON ARTHUR 19620229", fill=(255, 255, 255))
    region = make_region(BOX, RegionFlags=2)
    region.add_new(0x00081030, "LO", f"Study of {PATIENT}")
    ds = make_dataset(np.asarray(screen), SequenceOfUltrasoundRegions=[region], **changes)
    ds.private_block(0x0011, "Planted maker", create=True).add_new(1, "LO", PATIENT)
    ds.ImageComments, ds.OperatorsName, ds.StationName = f"Secret ward, {PATIENT}", PATIENT, "Planted 3"
    ds.StudyInstanceUID = "1.2.3.19620229"
    ds.add_new(0x60000010, "US", 8)
    ds.add_new(0x60000022, "LO", PATIENT)
    inner = pydicom.Dataset()
    inner.PatientName, inner.PatientID = PATIENT, PATIENT_ID
    ds.RequestAttributesSequence = [inner]
    return save(ds)


def find_planted(*things: object) -> set[str]:
    text = "".join(thing.decode("latin-1") if isinstance(thing, bytes) else repr(thing) for thing in things)
    return {word for word in PLANTED if word.lower() in text.lower()}


def test_the_search_finds_what_is_planted():
    assert find_planted(planted_file()) >= {"Planted", PATIENT_ID, "Patricia", "Secret ward"}


def test_frames_lists_and_logs_hold_no_identifier(caplog, capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.DEBUG)
    data = planted_file()
    info, frame = inspect_image(data), read_frame(data)
    np.testing.assert_array_equal(frame.pixels, AREA)
    png = BytesIO()
    Image.fromarray(prepare_input(frame, Roi(50, 50, 150, 120), size=64, context=1.5)).save(png, "PNG")
    assert find_planted(info, vars(frame), png.getvalue(), caplog.text, *capfd.readouterr()) == set()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("change", [{"Modality": PATIENT[:7].upper()}, {"Columns": 60_000}, {"Rows": 60_000}])
def test_refusals_hold_no_identifier(change):
    with pytest.raises(ImageError) as refusal:
        read_frame(planted_file(**change))
    assert find_planted(str(refusal.value), refusal.value.__context__) == set()


def test_the_exported_copy_holds_no_identifier_and_nearly_all_of_the_area():
    copy = deidentify(planted_file(), KEY).data
    assert find_planted(copy) == set()
    ds = pydicom.dcmread(BytesIO(copy))
    pixels = ds.pixel_array
    area = pixels[60:260, 60:320]
    hidden = (area == 0).all(axis=2)  # what lies close to the name
    assert hidden.mean() < 0.05
    np.testing.assert_array_equal(area[~hidden], np.dstack([AREA] * 3)[~hidden])
    pixels[60:260, 60:320] = 0
    assert not pixels.any()
    assert ds.PatientIdentityRemoved == "YES"
    assert not [element for element in ds.iterall() if element.tag.is_private or element.tag.group == 0x6000]
    frame = read_frame(copy)
    assert frame.mm_per_px == pytest.approx(0.1)
    assert frame.device == "Acme Echo 9"


def test_only_dicom_files_are_cleaned():
    with pytest.raises(ImageError, match="Only DICOM files hold a header to clean"):
        deidentify(b"\x89PNG\r\n\x1a\n" + bytes(100), KEY)
