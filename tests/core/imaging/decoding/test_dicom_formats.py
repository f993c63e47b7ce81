"""Every syntax, colour model and depth: the displayed pixels against what was written, and against DCMTK and GDCM."""

import itertools
from io import BytesIO
from pathlib import Path

import numpy as np
import pillow_jxl  # noqa: F401 - registers the format
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import HTJ2KLossless

from core.errors import ImageError
from core.imaging import read_frame
from tests.core.imaging.decoding.dicom_files import (
    CODECS,
    COLOUR,
    GREY,
    KINDS,
    compress_by_dcmtk,
    make_defects,
    make_files,
)
from tests.core.imaging.decoding.viewers import (
    SHIPPED,
    read_shipped,
    show,
    show_by_dcmtk,
    show_by_gdcm,
    to_luma,
)
from tests.core.imaging.samples import make_dataset, make_jpeg_cine, save

MADE = make_files()
LOSSLESS = {name: pair for name, pair in MADE.items() if pair[1] is not None}
UNLIKE = {"SC_rgb_jpeg.dcm": "RGB by its header, YBR by its JPEG stream: the viewers differ among themselves"}
UNREAD_BY_DCMTK = {"GDCMJ2K_TextGBR.dcm", "SC_rgb_gdcm_KY.dcm", "examples_jpeg2k.dcm"}  # JPEG 2000
UNWRITTEN_BY_DCMTK = {("JPEG-LS near-lossless", "signed 16 bit, window"), ("JPEG-LS near-lossless", "palette 16")}
UNLIKE_GDCM = {
    "SC_rgb_rle_16bit.dcm",
    "SC_rgb_rle_16bit_2frame.dcm",
    "SC_rgb_rle_32bit.dcm",
    "SC_rgb_rle_32bit_2frame.dcm",
}

pytestmark = pytest.mark.filterwarnings("ignore")
needs_dcmtk = pytest.mark.needs("dcmtk")
needs_gdcm = pytest.mark.needs("gdcm")


@pytest.mark.parametrize(("data", "expected"), LOSSLESS.values(), ids=LOSSLESS)
def test_lossless_files_show_what_was_written(data, expected):
    np.testing.assert_allclose(show(data).astype(int), expected, atol=1)


def test_deep_values_without_a_window_are_stretched_from_the_darkest_to_the_brightest():
    shown = show(MADE["12 bit"][0])
    assert (shown.min(), shown.max()) == (0, 255)
    assert np.corrcoef(shown.ravel(), GREY.ravel())[0, 1] > 0.999


def test_ybr_loops_arrive_as_rgb_once():
    frames = [COLOUR, COLOUR[::-1].copy()]
    data = make_jpeg_cine(frames, quality=95)
    for index, frame in enumerate(frames):
        luma = np.asarray(Image.fromarray(show(data, index)).convert("L")).astype(int)
        assert np.abs(luma - np.asarray(Image.fromarray(frame).convert("L"))).mean() < 3


@pytest.mark.parametrize(("pixels", "photometric"), [(GREY, "MONOCHROME2"), (COLOUR, "RGB"), (COLOUR, "YBR_FULL")])
@pytest.mark.parametrize("number", [110, 111, 112])
def test_jpeg_xl_is_read(pixels, photometric, number):
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "JXL", lossless=True)
    coded = encapsulate([stream.getvalue()] * 2)
    ds = make_dataset(pixels, PhotometricInterpretation=photometric, PixelData=coded, NumberOfFrames=2)
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    ds.file_meta.TransferSyntaxUID = HTJ2KLossless  # pydicom writes no syntax that it does not know
    data = save(ds).replace(HTJ2KLossless.encode(), f"1.2.840.10008.1.2.4.{number}".encode())
    np.testing.assert_array_equal(show(data, 1), pixels)


SENTENCES = {
    "pixels cut off": "damaged or incomplete",
    "header cut off": "holds no image",
    "transfer syntax unknown": "transfer syntax that is not known here",
    "syntax of MPEG-4": "video is damaged",
    "syntax of HEVC": "video is damaged",
    "JPEG without a stream": "damaged or incomplete",
    "no pixels": "damaged or incomplete",
    "no rows": "holds no image",
    "no photometric interpretation": "damaged or incomplete",
    "no bits stored": "damaged or incomplete",
    "no samples per pixel": "damaged or incomplete",
    "more rows than pixels": "damaged or incomplete",
    "2001 frames": "holds 2001 frames; at most 2000",
    "60000 x 60000 pixels": "60000 x 60000 pixels; at most",
    "more bits stored than allocated": "damaged or incomplete",
    "frames that are no number": "damaged or incomplete",
    "palette without a table": "numbers of a table",
    "region of M-mode alone": "names no B-mode region",
    "region of colour flow alone": "only colour Doppler",
    "regions that say nothing, and a trace": "only traces",
    "four samples": "stores its colours in a way",
    "encapsulated PDF": "an encapsulated document",
    "CT": "is a CT image",
    "mammogram": "is a mammogram",
    "intravascular ultrasound": "is an intravascular ultrasound",
}
DEFECTS = make_defects()


@pytest.mark.parametrize(("name", "sentence"), SENTENCES.items())
def test_a_defect_is_refused_in_a_sentence(name, sentence):
    with pytest.raises(ImageError, match=sentence):
        read_frame(DEFECTS[name])


@pytest.mark.parametrize("name", sorted(set(DEFECTS) - set(SENTENCES)))
def test_a_defect_beside_the_pixels_leaves_the_image(name):
    np.testing.assert_array_equal(read_frame(DEFECTS[name]).pixels, GREY)


def test_a_region_that_is_ignored_is_told():
    for name in ("region off the pixels", "region without its corner", "region that says nothing"):
        assert any("scale is not known" in note for note in read_frame(DEFECTS[name]).notes)


def check_alike(ours: np.ndarray, theirs: np.ndarray | None) -> None:
    assert theirs is not None
    assert np.abs(to_luma(ours) - to_luma(theirs)).max() <= 1


def shipped_file(name: str, tmp_path: Path) -> tuple[Path, np.ndarray]:
    path = tmp_path / "file.dcm"
    path.write_bytes(read_shipped(name))
    return path, show(path.read_bytes())


@needs_dcmtk
@pytest.mark.parametrize("name", [name for name in SHIPPED if name not in {*UNLIKE, *UNREAD_BY_DCMTK}])
def test_shipped_files_look_as_in_dcmtk(name, tmp_path):
    path, ours = shipped_file(name, tmp_path)
    check_alike(ours, show_by_dcmtk(path))


@needs_gdcm
@pytest.mark.parametrize("name", [name for name in SHIPPED if name not in {*UNLIKE, *UNLIKE_GDCM}])
def test_shipped_files_look_as_in_gdcm(name, tmp_path):
    path, ours = shipped_file(name, tmp_path)
    check_alike(ours, show_by_gdcm(path))


@needs_dcmtk
@needs_gdcm
@pytest.mark.parametrize("name", [name for name in MADE if name != "HTJ2K"])
def test_made_files_look_as_in_dcmtk_or_gdcm(name, tmp_path):
    path = tmp_path / "file.dcm"
    path.write_bytes(MADE[name][0])
    theirs = show_by_dcmtk(path)
    check_alike(show(MADE[name][0]), show_by_gdcm(path) if theirs is None else theirs)


@needs_dcmtk
@pytest.mark.parametrize(
    ("codec", "kind"), [pair for pair in itertools.product(CODECS, KINDS) if pair not in UNWRITTEN_BY_DCMTK]
)
def test_files_that_dcmtk_compressed_look_as_it_shows_them(codec, kind, tmp_path):
    data = compress_by_dcmtk(codec, MADE[kind][0], tmp_path)
    assert data is not None
    check_alike(show(data), show_by_dcmtk(tmp_path / "compressed.dcm"))


def test_a_data_set_coded_otherwise_than_its_syntax_says_is_read():
    frame = read_frame(read_shipped("SC_rgb_jpeg.dcm"))
    assert frame.pixels.shape == (256, 256)
