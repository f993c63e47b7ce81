"""Loops stored as video: any frame is the right one, within the limits of all other files."""

import numpy as np
import pytest
from pydicom.uid import HEVCM10P51, HEVCMP51, MPEG2MPHL, MPEG2MPML, MPEG4HP41, MPEG4HP41BD, MPEG4HP41F

from core.errors import ImageError
from core.imaging import deidentify, inspect_image, read_frame
from core.imaging.decoding.dicom.opening import open_dicom
from tests.core.imaging.decoding.videos import encode_video, make_frames, make_video_file, read_number
from tests.core.imaging.decoding.viewers import LIMITS, show
from tests.core.imaging.samples import make_region

FRAMES = make_frames(60)
KINDS = {
    "MPEG-2 in a program stream": (MPEG2MPML, "mpeg2video", "vob", "yuv420p", 1),
    "MPEG-2 in a transport stream": (MPEG2MPHL, "mpeg2video", "mpegts", "yuv420p", 1),
    "MPEG-2 alone": (MPEG2MPML, "mpeg2video", "mpeg2video", "yuv420p", 1),
    "H.264 in MP4": (MPEG4HP41, "libx264", "mp4", "yuv420p", 1),
    "H.264 in a transport stream": (MPEG4HP41BD, "libx264", "mpegts", "yuv420p", 1),
    "H.264 alone, in fragments": (MPEG4HP41F, "libx264", "h264", "yuv420p", 4),
    "HEVC": (HEVCMP51, "libx265", "mpegts", "yuv420p", 1),
    "HEVC, 10 bit": (HEVCM10P51, "libx265", "mp4", "yuv420p10le", 1),
}


def make(name: str, **tags: object) -> bytes:
    syntax, codec, container, pixels, fragments = KINDS[name]
    options = {"x265-params": "log-level=none:pools=none:frame-threads=1"} if codec == "libx265" else {"b": "4000000"}
    stream = encode_video(codec, container, FRAMES, pixels, g="12", bf="2", **options)
    return make_video_file(syntax, stream, len(FRAMES), fragments, **tags)


@pytest.mark.parametrize("name", KINDS)
def test_first_middle_and_last_frame_are_the_right_ones(name):
    data = make(name)
    assert inspect_image(data).frame_count == len(FRAMES)
    source = open_dicom(data, LIMITS)
    for number, shown in zip((0, 29, 59), source.iter_frames([0, 29, 59]), strict=True):
        assert read_number(shown) == number
        assert np.abs(shown[40:, :, 0].astype(int) - FRAMES[number][40:]).mean() < 8


def test_a_frame_of_a_loop_has_region_scale_and_number():
    region = make_region((0, 40, 319, 239), (0.1, 0.1))
    frame = read_frame(make("H.264 in MP4", SequenceOfUltrasoundRegions=[region]), index=31)
    assert (frame.frame_index, frame.frame_count, frame.pixels.shape) == (31, 60, (200, 320))
    assert frame.mm_per_px == pytest.approx(0.1)
    assert frame.colour is None
    assert read_frame(make("H.264 in MP4", SequenceOfUltrasoundRegions=[region])).frame_count == 60


def test_black_and_white_keep_their_levels():
    bars = [np.repeat(np.repeat(np.array([[0, 128, 255, 64]], np.uint8), 240, axis=0), 80, axis=1)] * 3
    for codec, container in (("libx264", "mp4"), ("mpeg2video", "mpegts")):
        shown = show(make_video_file(MPEG4HP41, encode_video(codec, container, bars), 3), 1)
        np.testing.assert_allclose(shown[120, 40::80], np.repeat([[0], [128], [255], [64]], 3, axis=1), atol=3)


def test_what_is_no_video_or_another_one_is_refused_in_a_sentence():
    other = encode_video("libx264", "mp4", [FRAMES[0][:200, :300]])
    short = make_video_file(MPEG4HP41, b"#EXTM3U\nfile:///etc/passwd\n", 3)
    for data, sentence in (
        (short, "video is damaged"),
        (make_video_file(MPEG4HP41, other, 1), "header states 320 x 240"),
        (make("H.264 in MP4")[:4000], "damaged"),
    ):
        with pytest.raises(ImageError, match=sentence):
            read_frame(data)
    with pytest.raises(ImageError, match="Frame 61 was asked for"):
        read_frame(make("H.264 in MP4"), index=60)


def test_a_copy_that_names_nobody_keeps_every_frame():
    data = make_video_file(MPEG4HP41, encode_video("libx264", "mp4", FRAMES[:4]), 4)
    copy = open_dicom(deidentify(data, bytes(32)).data, LIMITS)
    assert (copy.count, copy.header.LossyImageCompression) == (4, "01")
