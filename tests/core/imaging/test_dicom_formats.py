"""Every syntax, colour model and depth: the displayed pixels against what was written, and against DCMTK and GDCM."""

import shutil
import subprocess
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pydicom.data
import pytest
from PIL import Image
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from core.errors import ImageError
from core.imaging import read_frame
from core.imaging.dicom import open_dicom
from core.imaging.limits import Limits
from tests.core.imaging.samples import (
    encode,
    make_dataset,
    make_dicom,
    make_htj2k,
    make_jpeg_cine,
    make_speckle,
    save,
)

LIMITS = Limits(300_000_000, 40_000_000, 16_384, 2_000, 500)
GREY = make_speckle(60, 80)
COLOUR = np.dstack([GREY, GREY[::-1], GREY[:, ::-1]])
ROUND_TRIP = np.asarray(Image.open(BytesIO(encode(COLOUR, "JPEG", quality=90, subsampling=0))))

pytestmark = pytest.mark.filterwarnings("ignore")


def show(data: bytes, index: int = 0) -> np.ndarray:
    """The whole frame as it is displayed, before the B-mode area is cut out."""
    return next(open_dicom(data, LIMITS).iter_frames([index]))


def big_endian() -> bytes:
    ds = make_dataset(GREY.astype(">u2"), bits=8, WindowCenter=128, WindowWidth=256)
    ds.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    return save(ds)


def in_syntax(syntax: str, pixels: np.ndarray, **tags: object) -> bytes:
    ds = make_dataset(pixels, **tags)
    ds.file_meta.TransferSyntaxUID = syntax
    stream = BytesIO()
    if syntax == ImplicitVRLittleEndian:
        ds.save_as(stream, enforce_file_format=True, implicit_vr=True)
    else:
        ds.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def compressed(syntax: str, pixels: np.ndarray, **tags: object) -> bytes:
    ds = make_dataset(pixels, **tags)
    ds.compress(syntax, generate_instance_uid=False)
    return save(ds)


def without_preamble() -> bytes:
    stream = BytesIO()
    ds = make_dataset(GREY)
    del ds.file_meta
    ds.save_as(stream, implicit_vr=True, little_endian=True)
    return stream.getvalue()


def palette(bits: int, pixels: np.ndarray) -> bytes:
    """Indices into a reversed grey ramp."""
    entries = 2 ** (8 * pixels.dtype.itemsize)
    ramp = np.linspace(2**bits - 1, 0, entries).round().astype("<u2" if bits == 16 else "u1")
    tags = {}
    for channel in ("Red", "Green", "Blue"):
        tags[f"{channel}PaletteColorLookupTableDescriptor"] = [entries % 65_536, 0, bits]
        tags[f"{channel}PaletteColorLookupTableData"] = ramp.tobytes()
    return make_dicom(pixels, PhotometricInterpretation="PALETTE COLOR", **tags)


def voi_table() -> bytes:
    item = pydicom.Dataset()
    item.LUTDescriptor, item.LUTData = [256, 0, 8], list(range(255, -1, -1))
    ds = make_dataset(GREY)
    ds.VOILUTSequence = [item]
    ds.VOILUTSequence[0]["LUTData"].VR = "US"
    ds.VOILUTSequence[0]["LUTDescriptor"].VR = "US"
    return save(ds)


def without_optional_tags() -> bytes:
    ds = make_dataset(GREY)
    for name in ("Modality", "Manufacturer", "ManufacturerModelName", "HighBit"):
        delattr(ds, name)
    return save(ds)


TWELVE = np.round(GREY.astype(np.uint16) * (4095 / 255)).astype("<u2")
SIGNED = (TWELVE.astype(np.int32) - 2048).astype("<i2")
WINDOW_12 = {"WindowCenter": 2048, "WindowWidth": 4096}

MADE = {
    "grey": (make_dicom(GREY), GREY),
    "implicit": (in_syntax(ImplicitVRLittleEndian, GREY), GREY),
    "big endian": (big_endian(), GREY),
    "deflated": (in_syntax(DeflatedExplicitVRLittleEndian, GREY), GREY),
    "no preamble": (without_preamble(), GREY),
    "no optional tags": (without_optional_tags(), GREY),
    "MONOCHROME1": (make_dicom(GREY, PhotometricInterpretation="MONOCHROME1"), 255 - GREY),
    "12 bit": (make_dicom(TWELVE, bits=12), None),
    "12 bit, window": (make_dicom(TWELVE, bits=12, **WINDOW_12), GREY),
    "12 bit, two windows": (make_dicom(TWELVE, bits=12, WindowCenter=[2048, 9], WindowWidth=[4096, 5]), GREY),
    "signed, window": (make_dicom(SIGNED, bits=12, WindowCenter=0, WindowWidth=4096), GREY),
    "rescaled": (
        make_dicom(TWELVE, bits=12, RescaleSlope=2, RescaleIntercept=-4096, WindowCenter=0, WindowWidth=8192),
        GREY,
    ),
    "exact window": (make_dicom(GREY, WindowCenter=127.5, WindowWidth=255, VOILUTFunction="LINEAR_EXACT"), GREY),
    "VOI table": (voi_table(), 255 - GREY),
    "RGB": (make_dicom(COLOUR), COLOUR),
    "RGB planar 1": (
        in_syntax("1.2.840.10008.1.2.1", COLOUR.transpose(2, 0, 1).copy().reshape(60, 80, 3), PlanarConfiguration=1),
        COLOUR,
    ),
    "palette 8": (palette(8, GREY), np.dstack([255 - GREY] * 3)),
    "palette 16": (palette(16, GREY), np.dstack([255 - GREY] * 3)),
    "palette of 65536": (palette(16, GREY.astype("<u2") * 257), np.dstack([255 - GREY] * 3)),
    "RLE": (compressed(RLELossless, COLOUR), COLOUR),
    "JPEG 2000": (compressed(JPEG2000Lossless, COLOUR, PhotometricInterpretation="RGB"), COLOUR),
    "JPEG 2000, 12 bit": (compressed(JPEG2000Lossless, TWELVE, bits=12, **WINDOW_12), GREY),
    "HTJ2K": (make_htj2k(), make_speckle(24, 32)),
}


@pytest.mark.parametrize(
    ("data", "expected"),
    [pair for pair in MADE.values() if pair[1] is not None],
    ids=[name for name, pair in MADE.items() if pair[1] is not None],
)
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


def test_a_syntax_nobody_decodes_ends_in_a_sentence():
    ds = make_dataset(GREY)
    ds.file_meta.TransferSyntaxUID = "1.2.3.4.5"
    stream = BytesIO()
    ds.save_as(stream, implicit_vr=False, little_endian=True)
    with pytest.raises(ImageError, match="can't be decoded"):
        read_frame(stream.getvalue())


needs_dcmtk = pytest.mark.skipif(not shutil.which("dcmj2pnm"), reason="DCMTK (apt-get install dcmtk) is not installed")
needs_gdcm = pytest.mark.skipif(not shutil.which("gdcmconv"), reason="GDCM (libgdcm-tools) is not installed")


def grey(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).convert("L")).astype(int)


def show_by_dcmtk(path: Path) -> np.ndarray:
    """The first frame as DCMTK displays it: by its window or table, else 8 bits as they are, deeper ones stretched."""
    target = path.with_suffix(".pnm")
    deep = pydicom.dcmread(path, stop_before_pixels=True, force=True).BitsStored > 8
    for tool in ("dcmj2pnm", "dcml2pnm"):
        for window in ("+Wi 1", "+Wl 1", "+Wm" if deep else "-W", "-W"):
            subprocess.run([tool, *window.split(), "--write-raw-pnm", path, target], capture_output=True, check=False)
            if target.exists() and target.stat().st_size:
                return np.asarray(Image.open(target))
    pytest.skip("DCMTK can't read this transfer syntax")


def show_by_gdcm(path: Path) -> np.ndarray:
    """The first frame as GDCM decompresses it, displayed by our own rules."""
    target = path.with_suffix(".raw.dcm")
    subprocess.run(["gdcmconv", "--raw", path, target], capture_output=True, check=False)
    if not target.exists():
        pytest.skip("GDCM can't read this file")
    return show(target.read_bytes())


FILES = Path(pydicom.data.__file__).parent / "test_files"
KINDS = ("examples_j", "examples_p", "examples_r", "examples_y", "SC_", "GDCM", "JPEGLS", "ExplVR_BigEnd.")
SHIPPED = sorted(path.name for path in FILES.glob("*.dcm") if path.name.startswith(KINDS))
UNLIKE_GDCM = {
    "SC_rgb_rle_16bit.dcm",
    "SC_rgb_rle_16bit_2frame.dcm",
    "SC_rgb_rle_32bit.dcm",
    "SC_rgb_rle_32bit_2frame.dcm",
}


def shipped_file(name: str, tmp_path: Path) -> tuple[Path, np.ndarray]:
    path = tmp_path / "file.dcm"
    path.write_bytes((FILES / name).read_bytes())
    try:
        return path, show(path.read_bytes())
    except ImageError as refusal:
        pytest.skip(f"refused: {refusal}")


@needs_dcmtk
@pytest.mark.parametrize("name", [name for name in SHIPPED if name != "SC_rgb_jpeg.dcm"])
def test_shipped_files_look_as_in_dcmtk(name, tmp_path):
    path, ours = shipped_file(name, tmp_path)
    assert np.abs(grey(ours) - grey(show_by_dcmtk(path))).max() <= 1


@needs_gdcm
@pytest.mark.parametrize("name", [name for name in SHIPPED if name != "SC_rgb_jpeg.dcm" and name not in UNLIKE_GDCM])
def test_shipped_files_look_as_in_gdcm(name, tmp_path):
    path, ours = shipped_file(name, tmp_path)
    assert np.abs(grey(ours) - grey(show_by_gdcm(path))).max() <= 1


@needs_dcmtk
@pytest.mark.parametrize("name", [name for name in MADE if name not in {"JPEG 2000", "JPEG 2000, 12 bit", "HTJ2K"}])
def test_made_files_look_as_in_dcmtk(name, tmp_path):
    path = tmp_path / "file.dcm"
    path.write_bytes(MADE[name][0])
    assert np.abs(grey(show(MADE[name][0])) - grey(show_by_dcmtk(path))).max() <= 1


DCMTK_CODECS = {
    "JPEG baseline": ["dcmcjpeg", "+eb"],
    "JPEG extended, 12 bit": ["dcmcjpeg", "+ee"],
    "JPEG lossless": ["dcmcjpeg", "+el"],
    "JPEG lossless, first order": ["dcmcjpeg", "+e1"],
    "JPEG-LS": ["dcmcjpls", "+el"],
    "JPEG-LS near-lossless": ["dcmcjpls", "+en"],
    "RLE": ["dcmcrle"],
}


@needs_dcmtk
@pytest.mark.parametrize("codec", DCMTK_CODECS)
@pytest.mark.parametrize("kind", ["grey", "RGB", "12 bit, window"])
def test_files_that_dcmtk_compressed_look_as_it_shows_them(codec, kind, tmp_path):
    source, path = tmp_path / "source.dcm", tmp_path / "file.dcm"
    source.write_bytes(MADE[kind][0])
    subprocess.run([*DCMTK_CODECS[codec], source, path], capture_output=True, check=False)
    if not path.exists():
        pytest.skip("DCMTK does not write this combination")
    assert np.abs(grey(show(path.read_bytes())) - grey(show_by_dcmtk(path))).max() <= 1
