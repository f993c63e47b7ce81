"""A hostile file costs its owner one short decode: scans are counted, refusals kept, one decode at a time."""

import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import numpy as np
import pytest
from PIL import Image

from core.errors import BusyError, ImageError
from core.imaging import intake, read_frame
from core.imaging.turns import KEPT, OWNER, keep_refusal, recall_refusal, take_turn


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
    with take_turn(5):
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
        with take_turn(1), take_turn(0.01):
            pass

    with pytest.raises(BusyError, match="still being read"):
        copy_context().run(wait_twice)
