"""Frames of compressed loops: counted by their streams, whatever their fragments and offset tables say."""

from io import BytesIO

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.uid import JPEGBaseline8Bit, JPEGExtended12Bit, RLELossless

from core.imaging import inspect_image
from tests.core.imaging.decoding.dicom_files import COLOUR, GREY, compressed
from tests.core.imaging.decoding.viewers import show
from tests.core.imaging.samples import encode, make_dataset, save

FRAMES = [np.roll(COLOUR, 9 * shift, axis=1) for shift in range(4)]
STREAMS = [encode(frame, "JPEG", quality=95) for frame in FRAMES]
SHOWN = [np.asarray(Image.open(BytesIO(stream))) for stream in STREAMS]
TABLES = {
    "right": lambda offsets: offsets,
    "absent": lambda offsets: [],
    "all zero": lambda offsets: [0] * len(offsets),
    "shifted": lambda offsets: [offset + 8 for offset in offsets],
    "too short": lambda offsets: offsets[:2],
    "too long": lambda offsets: [*offsets, offsets[-1] + 10],
    "reversed": lambda offsets: offsets[::-1],
}


def make_loop(fragments: int, change_table, stated: int | None = 4) -> bytes:
    ds = make_dataset(np.stack(FRAMES), frames=4, PhotometricInterpretation="YBR_FULL_422")
    coded = encapsulate(STREAMS, fragments_per_frame=fragments)
    length = int.from_bytes(coded[4:8], "little")
    offsets = np.frombuffer(coded[8 : 8 + length], "<u4").tolist()
    table = np.array(change_table(offsets), "<u4").tobytes()
    ds.PixelData = coded[:4] + len(table).to_bytes(4, "little") + table + coded[8 + length :]
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    ds.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    ds.NumberOfFrames = stated
    return save(ds)


def assert_shows_all(data: bytes) -> None:
    assert inspect_image(data).frame_count == len(SHOWN)
    for index, expected in enumerate(SHOWN):
        np.testing.assert_array_equal(show(data, index), expected)


@pytest.mark.parametrize("fragments", [1, 3])
@pytest.mark.parametrize("name", TABLES)
def test_a_wrong_offset_table_is_written_anew(name, fragments):
    assert_shows_all(make_loop(fragments, TABLES[name]))


@pytest.mark.parametrize("fragments", [1, 3])
@pytest.mark.parametrize("stated", [None, 0, 1, 2, 9])
@pytest.mark.parametrize("name", ["right", "absent"])
def test_streams_are_counted(name, stated, fragments):
    data = make_loop(fragments, TABLES[name], stated)
    assert_shows_all(data)
    assert any("holds 4" in note for note in inspect_image(data).notes)


@pytest.mark.parametrize("change", [lambda o: o * 0, lambda o: o + 8, lambda o: o[:2], lambda o: o])
@pytest.mark.parametrize("which", ["ExtendedOffsetTable", "ExtendedOffsetTableLengths"])
def test_a_wrong_extended_table_is_left_out(which, change):
    ds = make_dataset(np.stack(FRAMES), frames=4, PhotometricInterpretation="YBR_FULL_422")
    ds.PixelData, ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths = encapsulate_extended(STREAMS)
    setattr(ds, which, change(np.frombuffer(ds[which].value, "<u8")).tobytes())
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    ds.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    assert_shows_all(save(ds))


def test_frames_of_rle_are_counted():
    ds = pydicom.dcmread(BytesIO(compressed(RLELossless, np.stack(FRAMES), frames=4)))
    ds.NumberOfFrames = 1
    assert inspect_image(save(ds)).frame_count == 4
    np.testing.assert_array_equal(show(save(ds), 3), FRAMES[3])


def test_a_scan_that_states_no_spectrum_is_read_as_the_whole():
    stream = encode(GREY, "JPEG", quality=95)
    end = stream.index(b"\xff\xda") + 2 + 8
    ds = make_dataset(GREY, PixelData=encapsulate([stream[: end - 3] + bytes(3) + stream[end:]]))
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    for syntax in (JPEGBaseline8Bit, JPEGExtended12Bit):
        ds.file_meta.TransferSyntaxUID = syntax
        np.testing.assert_allclose(show(save(ds)), np.asarray(Image.open(BytesIO(stream))), atol=1)
