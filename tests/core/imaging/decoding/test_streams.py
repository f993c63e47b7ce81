"""Compressed and subsampled frames that say otherwise than the header: the right picture, or a sentence."""

from io import BytesIO

import numpy as np
import pydicom
import pytest
from PIL import Image, ImageFilter
from pydicom.encaps import encapsulate
from pydicom.uid import (
    JPEG2000,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLSLossless,
    RLELossless,
)

from core.errors import ImageError
from core.imaging import inspect_image, read_frame
from core.imaging.decoding.dicom.opening import open_dicom
from tests.core.imaging.decoding.dicom_files import COLOUR, GREY, HALF, TWELVE, compressed, in_syntax
from tests.core.imaging.decoding.viewers import LIMITS, show
from tests.core.imaging.samples import encode, make_dataset, save

GREY_RGB = np.dstack([GREY] * 3)


def wrap(stream, pixels, syntax, has_bot=True, **tags):
    ds = make_dataset(pixels, **tags)
    ds.PixelData = encapsulate([stream], has_bot=has_bot)
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    ds.file_meta.TransferSyntaxUID = syntax
    return save(ds)


def without_markers(jpeg):
    """A JPEG without JFIF and Adobe segments."""
    kept, at = [jpeg[:2]], 2
    while jpeg[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
        kept += [jpeg[at:end]] * (jpeg[at + 1] not in {0xE0, 0xEE})
        at = end
    return b"".join(kept) + jpeg[at:]


@pytest.mark.parametrize("stated", ["RGB", "YBR_FULL_422"])
def test_colours_of_an_unmarked_jpeg_are_told_by_their_values(stated):
    jpeg = without_markers(encode(GREY_RGB, "JPEG", quality=97, subsampling=0))
    data = wrap(jpeg, GREY_RGB, JPEGBaseline8Bit, PhotometricInterpretation=stated)
    np.testing.assert_allclose(show(data).astype(int), GREY_RGB, atol=8)
    assert bool(inspect_image(data).notes) == (stated == "RGB")
    marked = wrap(encode(GREY_RGB, "JPEG"), GREY_RGB, JPEGBaseline8Bit, PhotometricInterpretation="RGB")
    assert not inspect_image(marked).notes


@pytest.mark.parametrize("has_bot", [True, False])
@pytest.mark.parametrize("stated", ["RGB", "YBR_RCT", "YBR_FULL"])
def test_a_jpeg_2000_that_turns_its_colours_gives_rgb_whatever_is_stated(stated, has_bot):
    stream = encode(COLOUR, "JPEG2000", no_jp2=True, mct=1, irreversible=False)
    np.testing.assert_array_equal(
        show(wrap(stream, COLOUR, JPEG2000Lossless, has_bot, PhotometricInterpretation=stated)), COLOUR
    )


@pytest.mark.parametrize("irreversible", [True, False])
def test_a_jpeg_2000_that_loses_values_is_called_lossy(irreversible):
    stream = encode(GREY, "JPEG2000", no_jp2=True, irreversible=irreversible)
    source = open_dicom(wrap(stream, GREY, JPEG2000, StudyInstanceUID="1.2.3", SeriesInstanceUID="1.2.3.4"), LIMITS)
    assert source.is_lossy == irreversible


@pytest.mark.parametrize("names", [("WindowCenter", "WindowWidth"), ("RescaleIntercept", "RescaleSlope")])
@pytest.mark.parametrize("values", [("128", "256"), ("none", "none"), ("nan", "inf")])
def test_numbers_of_another_type_are_read_whole_or_ignored(names, values):
    ds = make_dataset(GREY)
    for name, value in zip(names, values, strict=True):
        ds[name] = pydicom.DataElement(pydicom.tag.Tag(name), "LO", value)
    meant = make_dataset(GREY)
    if values[0].isdigit():
        for name, value in zip(names, values, strict=True):
            setattr(meant, name, value)
    np.testing.assert_array_equal(show(save(ds)), show(save(meant)))


def test_values_in_the_upper_bits_of_compressed_words_are_refused():
    data = compressed(RLELossless, TWELVE << 4)
    ds = pydicom.dcmread(BytesIO(data))
    ds.BitsStored, ds.HighBit = 12, 15
    with pytest.raises(ImageError, match="upper bits of compressed words"):
        read_frame(save(ds))
    ds.HighBit = 11
    assert open_dicom(save(ds), LIMITS).count == 1


def test_samples_of_more_bits_than_the_header_keeps_are_refused():
    stream = encode(TWELVE, "JPEG2000", no_jp2=True)
    with pytest.raises(ImageError, match="have 16 bits, but its header keeps 8"):
        read_frame(wrap(stream, GREY, JPEG2000Lossless))


@pytest.mark.parametrize("stated", [None, 1, 2])
def test_every_frame_of_a_subsampled_loop_is_read(stated):
    frames = [HALF, HALF[::-1].copy()]
    packed = [pack_422(np.asarray(Image.fromarray(frame).convert("YCbCr"))) for frame in frames]
    ds = make_dataset(np.stack(frames), frames=2, PhotometricInterpretation="YBR_FULL_422")
    ds.PixelData, ds.NumberOfFrames = b"".join(packed), stated
    if stated is None:
        del ds.NumberOfFrames
    data = save(ds)
    assert inspect_image(data).frame_count == 2
    assert read_frame(data).frame_count == 2
    for index, frame in enumerate(frames):
        np.testing.assert_allclose(show(data, index).astype(int), frame, atol=3)


def pack_422(ybr):
    cells = np.stack([ybr[:, ::2, 0], ybr[:, 1::2, 0], ybr[:, ::2, 1], ybr[:, ::2, 2]], axis=-1)
    return cells.tobytes()


@pytest.mark.filterwarnings("ignore:Expected")
@pytest.mark.parametrize("pixels", [GREY, COLOUR], ids=["grey", "colour"])
def test_a_data_set_is_read_in_the_coding_that_it_has(pixels):
    explicit, implicit = b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2\0\0\0"
    data = in_syntax(ExplicitVRLittleEndian, pixels)
    np.testing.assert_array_equal(show(data.replace(explicit, implicit, 1)), pixels)


def test_a_video_starts_behind_its_offset_table():
    stream = encode(GREY, "JPEG")
    source = open_dicom(wrap(stream, GREY, JPEGBaseline8Bit), LIMITS)
    assert source.read_stream().rstrip(b"\0") == stream.rstrip(b"\0")
    assert pydicom.dcmread(BytesIO(source.data)).PixelData[4:8] == b"\x04\0\0\0"


def mark(jpeg, numbers=b"\1\2\3", adobe=None):
    """A JPEG whose components have other numbers, with Adobe's transform or without any marker."""
    jpeg = without_markers(jpeg)
    frame, scan = jpeg.index(b"\xff\xc0"), jpeg.index(b"\xff\xda")
    marked = bytearray(jpeg)
    for i, number in enumerate(numbers):
        marked[frame + 10 + 3 * i] = marked[scan + 5 + 2 * i] = number
    segment = b"" if adobe is None else b"\xff\xee\x00\x0eAdobe\x00\x64\0\0\0\0" + bytes([adobe])
    return bytes(marked[:2] + segment + marked[2:])


MARKS = {"RGB": [(b"RGB", None), (b"rgb", None), (b"RGB", 0), (b"\1\2\3", 0)], "YBR": [(b"\1\2\3", 1), (b"RGB", 1)]}


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEGExtended12Bit])
@pytest.mark.parametrize("stated", ["RGB", "YBR_FULL_422", "YBR_ICT"])
@pytest.mark.parametrize(("held", "numbers", "adobe"), [(held, *one) for held, all_ in MARKS.items() for one in all_])
def test_a_jpeg_has_the_colours_that_its_marks_say(held, numbers, adobe, stated, syntax):
    smooth = np.asarray(Image.fromarray(COLOUR).filter(ImageFilter.GaussianBlur(3)))
    jpeg = encode(smooth, "JPEG", quality=97, subsampling=0, keep_rgb=held == "RGB")
    data = wrap(mark(jpeg, numbers, adobe), smooth, syntax, PhotometricInterpretation=stated)
    np.testing.assert_allclose(show(data).astype(int), smooth, atol=8)
    assert not inspect_image(data).notes


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEG2000Lossless, JPEGLSLossless, RLELossless])
def test_planes_that_a_header_states_are_not_those_of_a_stream(syntax):
    if syntax == JPEGBaseline8Bit:
        jpeg = encode(COLOUR, "JPEG", quality=97, subsampling=0)
        data = wrap(jpeg, COLOUR, syntax, PhotometricInterpretation="YBR_FULL_422")
    else:
        data = compressed(syntax, COLOUR)
    stated = pydicom.dcmread(BytesIO(data))
    stated.PlanarConfiguration = 1
    np.testing.assert_array_equal(show(save(stated)), show(data))
    assert np.abs(show(data).astype(int) - COLOUR).mean() < 8


@pytest.mark.parametrize("adobe", [None, 0, 1])
@pytest.mark.parametrize("held", ["RGB", "YBR_FULL_422"])
def test_values_tell_the_colours_of_a_jpeg_whose_marks_contradict_them(held, adobe):
    jpeg = mark(encode(GREY_RGB, "JPEG", quality=97, subsampling=0, keep_rgb=held == "RGB"), adobe=adobe)
    for stated in ("RGB", "YBR_FULL_422"):
        data = wrap(jpeg, GREY_RGB, JPEGBaseline8Bit, PhotometricInterpretation=stated)
        np.testing.assert_allclose(show(data).astype(int), GREY_RGB, atol=8)
        said = stated if adobe is None else ("RGB", "YBR_FULL_422")[adobe]
        assert bool(inspect_image(data).notes) == (held not in {stated, said})


def test_every_frame_of_a_marked_loop_has_its_colours():
    frames = [mark(encode(COLOUR[::step], "JPEG", quality=97, subsampling=0), b"RGB", 1) for step in (1, -1)]
    ds = make_dataset(np.stack([COLOUR, COLOUR]), frames=2, PhotometricInterpretation="YBR_FULL_422")
    ds.PixelData = encapsulate(frames, fragments_per_frame=2)
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    ds.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    first, second = open_dicom(save(ds), LIMITS).iter_frames([0, 1])
    for shown in (first, second[::-1]):
        assert np.abs(shown.astype(int) - COLOUR).mean() < 8
