"""Compressed and subsampled frames that say otherwise than the header: the right picture, or a sentence."""

from io import BytesIO

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000, ExplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit, RLELossless

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
