"""A hostile file costs its owner one short decode: scans are counted, refusals kept, one decode at a time."""

import io
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.encaps import encapsulate

from core.errors import BusyError, ImageError
from core.imaging import intake, read_frame
from core.imaging.admission import DECODES, KEPT, keep_refusal, recall_refusal
from core.turns import OWNER
from tests.core.imaging.samples import make_jpeg_cine, make_speckle


def write_progressive(scans: int) -> bytes:
    """Write a progressive JPEG and repeat its last scan."""
    buffer = io.BytesIO()
    noise = np.random.default_rng(3).integers(0, 256, (64, 64), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * (scans - data.count(b"\xff\xda") + 1) + b"\xff\xd9"


def test_a_jpeg_of_very_many_scans_is_refused_before_its_pixels_are_decoded() -> None:
    with pytest.raises(ImageError, match="written in 500 scans; at most 64"):
        read_frame(write_progressive(500))


def test_scans_are_counted_within_dicom_and_tiff_too() -> None:
    hostile = write_progressive(500)
    frame = np.dstack([make_speckle(64, 64)] * 3)
    loop = dcmread(io.BytesIO(make_jpeg_cine([frame, frame])))
    loop.PixelData = encapsulate([hostile, hostile], fragments_per_frame=3)
    buffer = io.BytesIO()
    loop.save_as(buffer)
    for data in (buffer.getvalue(), write_tiff(hostile)):
        with pytest.raises(ImageError, match="written in 500 scans; at most 64"):
            read_frame(data)


def write_tiff(stream: bytes) -> bytes:
    """Write a TIFF of one strip that holds a JPEG stream of 64 x 64 grey pixels."""
    tags = [(256, 64), (257, 64), (258, 8), (259, 7), (262, 1), (273, 8), (277, 1), (278, 64), (279, len(stream))]
    stream += b"\0" * (len(stream) % 2)
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    start = struct.pack("<2sHI", b"II", 42, 8 + len(stream))
    return start + stream + struct.pack("<H", len(tags)) + entries + bytes(4)


def test_a_tiff_of_many_strips_of_jpeg_is_read() -> None:
    buffer = io.BytesIO()
    Image.fromarray(make_speckle(2_000, 400)).save(buffer, "TIFF", compression="jpeg", strip_size=400 * 16)
    assert buffer.getvalue().count(b"\xff\xda") > 64
    assert read_frame(buffer.getvalue()).width > 0


def test_a_refused_file_costs_nothing_again(monkeypatch: pytest.MonkeyPatch) -> None:
    data = write_progressive(501)
    with pytest.raises(ImageError, match="501 scans"):
        read_frame(data)
    monkeypatch.setattr(intake, "get_pool", lambda **_: pytest.fail("the file was decoded again"))
    with pytest.raises(ImageError, match="501 scans"):
        read_frame(data)


def test_refusals_are_bounded() -> None:
    for i in range(KEPT + 1):
        keep_refusal(f"bounded {i}", "no")
    assert recall_refusal("bounded 0") is None
    assert recall_refusal(f"bounded {KEPT}") == "no"


def hold(owner: str, begun: threading.Event, go: threading.Event) -> None:
    OWNER.set(owner)
    with DECODES.take(5):
        begun.set()
        go.wait(30)


def test_an_owner_decodes_one_file_at_a_time_and_others_go_on() -> None:
    go, first, second, other = (threading.Event() for _ in range(4))
    with ThreadPoolExecutor(3) as threads:
        jobs = [threads.submit(copy_context().run, hold, "a", first, go)]
        assert first.wait(10)
        jobs += [
            threads.submit(copy_context().run, hold, owner, mark, go) for owner, mark in (("a", second), ("b", other))
        ]
        assert other.wait(10)
        time.sleep(0.1)
        assert not second.is_set()
        go.set()
        assert second.wait(10)
        for job in jobs:
            job.result(30)


def test_an_owner_who_waits_too_long_is_told_so() -> None:
    def wait_twice() -> None:
        OWNER.set("slow")
        with DECODES.take(1), DECODES.take(0.01):
            pass

    with pytest.raises(BusyError, match="still being read"):
        copy_context().run(wait_twice)
