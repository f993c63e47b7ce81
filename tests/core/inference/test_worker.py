"""The worker: one image at a time, a bounded queue, errors of loading at every call."""

import threading
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

    def read_image(self, frame: object, roi: object) -> object:
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
