"""The worker: one image at a time, a bounded queue, cases before bulk, errors of loading at every call."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.errors import ModelError, WorkError
from core.inference import worker as module
from core.inference.worker import Worker


class SlowPredictor:
    """Reads an image when it is let, and notes which thread did."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.started = threading.Event()
        self.threads: set[str] = set()
        self.order: list[object] = []

    def read_image(self, frame: object, roi: object) -> object:
        self.order.append(frame)
        self.threads.add(threading.current_thread().name)
        self.started.set()
        assert self.go.wait(30)
        return frame

    def predict(self, case: object, reading: object) -> tuple[object, object]:
        return case, reading


@pytest.fixture
def predictor(monkeypatch):
    slow = SlowPredictor()
    monkeypatch.setattr(module, "_load", lambda folder: slow)
    return slow


def test_all_images_are_read_by_one_thread(predictor):
    worker = Worker(Path("bundle"))
    predictor.go.set()
    with ThreadPoolExecutor(4) as callers:
        answers = list(callers.map(lambda i: worker.read_image(i, None), range(8)))
    worker.close()
    assert answers == list(range(8))
    assert len(predictor.threads) == 1


def test_too_many_callers_are_sent_away(predictor):
    worker = Worker(Path("bundle"), places=1)
    with ThreadPoolExecutor(1) as caller:
        first = caller.submit(worker.read_image, "first", None)
        assert predictor.started.wait(30)
        with pytest.raises(WorkError, match="busy with other images"):
            worker.read_image("second", None)
        predictor.go.set()
        assert first.result() == "first"
    assert worker.read_image("third", None) == "third"
    worker.close()


def test_a_turn_that_does_not_come_is_an_error(predictor, monkeypatch):
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.05)
    worker = Worker(Path("bundle"))
    with pytest.raises(WorkError, match="busy with other images"):
        worker.read_image("image", None)
    predictor.go.set()
    worker.close()


def test_a_damaged_bundle_is_an_error_at_every_call(tmp_path):
    worker = Worker(tmp_path)
    for _ in range(2):
        with pytest.raises(ModelError, match=r"manifest\.json is not in the folder"):
            worker.read_image(None, None)
    worker.close()
    assert worker.is_ready


def test_an_estimate_does_not_queue(predictor):
    worker = Worker(Path("bundle"), places=1)
    with ThreadPoolExecutor(1) as caller:
        first = caller.submit(worker.read_image, "first", None)
        assert predictor.started.wait(30)
        assert worker.predict("case", "reading") == ("case", "reading")
        predictor.go.set()
        first.result()
    worker.close()


def wait_for(worker, waiting):
    deadline = time.monotonic() + 30
    while worker.waiting != waiting:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_a_case_goes_before_the_images_of_a_cohort(predictor):
    worker = Worker(Path("bundle"))
    with ThreadPoolExecutor(5) as callers:
        callers.submit(worker.read_image, 0, None, lane="bulk")
        assert predictor.started.wait(30)
        for i in (1, 2, 3):
            callers.submit(worker.read_image, i, None, lane="bulk")
            wait_for(worker, i)
        callers.submit(worker.read_image, "case", None)
        wait_for(worker, 4)
        predictor.go.set()
    worker.close()
    assert predictor.order == [0, "case", 1, 2, 3]
    assert worker.waiting == 0


def test_a_full_bulk_lane_leaves_the_cases_their_places(predictor):
    worker = Worker(Path("bundle"), places=1)
    with ThreadPoolExecutor(2) as callers:
        callers.submit(worker.read_image, "bulk", None, lane="bulk")
        assert predictor.started.wait(30)
        with pytest.raises(WorkError, match="busy with other images"):
            worker.read_image("second", None, lane="bulk")
        case = callers.submit(worker.read_image, "case", None)
        wait_for(worker, 1)
        predictor.go.set()
        assert case.result() == "case"
    worker.close()


@pytest.mark.parametrize("failure", [RuntimeError, MemoryError, SystemExit])
def test_a_failing_network_gives_a_sentence_and_the_next_case_works(predictor, monkeypatch, failure):
    def fail(frame: object, roi: object) -> None:
        raise failure

    predictor.go.set()
    worker = Worker(Path("bundle"))
    with monkeypatch.context() as patch:
        patch.setattr(predictor, "read_image", fail)
        with pytest.raises(WorkError, match="stopped on this image"):
            worker.read_image("first", None)
    assert worker.read_image("second", None) == "second"
    worker.close()
