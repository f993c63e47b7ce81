"""The worker: one thread, a bounded queue, cases before bulk, results kept, a dead or hanging thread replaced."""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from core.errors import BusyError, ModelError, WorkError
from core.inference.queue import worker as module
from core.inference.queue.cohort_reader import BulkReader
from core.inference.queue.worker import Worker


class SlowPredictor:
    """Reads crops when it is let, and notes which thread did and what went together."""

    def __init__(self) -> None:
        self.go, self.started = threading.Event(), threading.Event()
        self.threads: set[str] = set()
        self.passes: list[list[int]] = []
        self.fails = False
        self.engine = SimpleNamespace(cases_at_once=1, images_at_once=2, warm_up=lambda: None)

    @property
    def order(self) -> list[int]:
        return [i for batch in self.passes for i in batch]

    def cut(self, frame: int, roi: object) -> np.ndarray:
        return np.array([frame])

    def read_crops(self, crops: list[np.ndarray]) -> list[int]:
        self.passes.append([int(crop[0]) for crop in crops])
        self.threads.add(threading.current_thread().name)
        self.started.set()
        assert self.go.wait(30)
        if self.fails:
            raise RuntimeError
        return self.passes[-1]

    def interpret(self, frame: int, roi: object, crop: np.ndarray, read: int) -> int:
        return read

    def predict(self, case: object, reading: object) -> tuple[object, object]:
        return case, reading


@pytest.fixture
def predictor(monkeypatch: pytest.MonkeyPatch) -> SlowPredictor:
    slow = SlowPredictor()
    monkeypatch.setattr(module.Predictor, "load", lambda folder: slow)
    return slow


def start_worker() -> tuple[Worker, threading.Thread]:
    """A worker and its thread."""
    before = set(threading.enumerate())
    worker = Worker(Path("bundle"))
    (thread,) = (new for new in set(threading.enumerate()) - before if new.name == "predictor")
    return worker, thread


@pytest.fixture
def worker(predictor: SlowPredictor) -> Iterator[Worker]:
    worker = Worker(Path("bundle"))
    yield worker
    predictor.go.set()
    worker.close()


def hold(worker: Worker, predictor: SlowPredictor, image: int = 99, **options: str):
    """Begin a pass and wait until it runs."""
    turn = worker.begin_reading(image, None, **options)
    assert predictor.started.wait(30)
    return turn


def test_all_images_are_read_by_one_thread(worker, predictor):
    predictor.go.set()
    with ThreadPoolExecutor(4) as callers:
        answers = list(callers.map(lambda i: worker.read_image(i, None), range(8)))
    assert answers == list(range(8))
    assert predictor.threads == {"predictor"}


def test_too_many_callers_are_sent_away_and_told_how_many_wait(predictor):
    worker = Worker(Path("bundle"), places=2)
    first, second = hold(worker, predictor), worker.begin_reading(2, None)
    with pytest.raises(WorkError, match="1 images wait for the model already, and it accepts no more"):
        worker.begin_reading(3, None)
    predictor.go.set()
    assert (first.wait(30), second.wait(30)) == (99, 2)
    assert worker.read_image(3, None) == 3
    worker.close()


def test_a_turn_that_does_not_come_is_an_error_and_costs_no_pass(worker, predictor):
    hold(worker, predictor)
    with pytest.raises(WorkError, match="did not come to this image in 0 seconds"):
        worker.begin_reading(1, None).wait(0.01)
    predictor.go.set()
    assert worker.read_image(2, None) == 2
    assert predictor.order == [99, 2]


def test_a_damaged_bundle_is_an_error_at_every_call(tmp_path):
    worker = Worker(tmp_path)
    for _ in range(2):
        with pytest.raises(ModelError, match=r"manifest\.json is not in the folder"):
            worker.read_image(None, None)
    assert worker.is_ready
    worker.close()


def test_an_estimate_does_not_queue(worker, predictor):
    hold(worker, predictor)
    assert worker.predict("case", "reading") == ("case", "reading")


def test_a_case_goes_before_the_images_of_a_cohort(worker, predictor):
    hold(worker, predictor, 0, lane="bulk")
    turns = [worker.begin_reading(i, None, lane="bulk") for i in (1, 2, 3)]
    case = worker.begin_reading(7, None)
    assert [turn.ahead for turn in (case, *turns)] == [1, 2, 3, 4]
    predictor.go.set()
    assert [turn.wait(30) for turn in (*turns, case)] == [1, 2, 3, 7]
    assert predictor.passes == [[0], [7], [1, 2], [3]]
    assert worker.waiting == 0


def test_waiting_cases_share_a_pass_where_the_engine_gains_by_it(worker, predictor):
    predictor.engine.cases_at_once = 8
    hold(worker, predictor)
    turns = [worker.begin_reading(i, None) for i in range(10)]
    predictor.go.set()
    assert [turn.wait(30) for turn in turns] == list(range(10))
    assert predictor.passes == [[99], list(range(8)), [8, 9]]


def test_a_full_bulk_lane_leaves_the_cases_their_places(predictor):
    worker = Worker(Path("bundle"), places=1)
    hold(worker, predictor, lane="bulk")
    with pytest.raises(WorkError, match="wait for the model already"):
        worker.begin_reading(2, None, lane="bulk")
    case = worker.begin_reading(3, None)
    predictor.go.set()
    assert case.wait(30) == 3
    worker.close()


def test_a_crop_that_was_read_costs_no_second_pass(worker, predictor, monkeypatch):
    predictor.go.set()
    assert [worker.read_image(5, None) for _ in range(3)] == [5, 5, 5]
    assert predictor.order == [5]
    for i in range(100, 100 + module.KEPT):
        worker.read_image(i, None)
    for i in (5, 99 + module.KEPT):
        worker.read_image(i, None)
    assert (predictor.order.count(5), predictor.order.count(99 + module.KEPT)) == (2, 1)


def test_a_cohorts_images_are_not_kept(worker, predictor):
    predictor.go.set()
    assert BulkReader(worker).read_images([(i, None) for i in range(4)]) == [0, 1, 2, 3]
    assert worker.read_image(0, None) == 0
    assert predictor.order.count(0) == 2


def test_another_owner_finds_a_place_and_is_served_next(predictor):
    worker = Worker(Path("bundle"), places=4)
    hold(worker, predictor, owner="many")
    waiting = [worker.begin_reading(i, None, owner="many") for i in (1, 2, 3)]
    with pytest.raises(BusyError):
        worker.begin_reading(4, None, owner="many")
    other = worker.begin_reading(9, None, owner="one")
    assert [turn.ahead for turn in (*waiting, other)] == [1, 3, 4, 2]
    predictor.go.set()
    assert [turn.wait(30) for turn in (*waiting, other)] == [1, 2, 3, 9]
    assert predictor.order == [99, 1, 9, 2, 3]
    worker.close()


def test_cohorts_wait_for_places_however_many_there_are(predictor):
    worker = Worker(Path("bundle"), places=3)
    hold(worker, predictor)
    with ThreadPoolExecutor(12) as threads:
        jobs = [
            threads.submit(BulkReader(worker, owner=str(j)).read_images, [(10 * j + i, None) for i in range(8)])
            for j in range(12)
        ]
        predictor.go.set()
        assert [job.result(60) for job in jobs] == [[10 * j + i for i in range(8)] for j in range(12)]
    worker.close()


def test_a_stopped_cohort_takes_back_what_waits(worker, predictor):
    stop = threading.Event()
    hold(worker, predictor)
    with ThreadPoolExecutor(1) as threads:
        job = threads.submit(BulkReader(worker, stop=stop).read_images, [(i, None) for i in range(4)])
        while worker.waiting < 4:
            assert not job.done()
        stop.set()
        with pytest.raises(BusyError, match="taken out of the queue"):
            job.result(30)
    assert worker.waiting == 0


def test_a_closing_worker_is_no_verdict_on_an_image(worker, predictor):
    hold(worker, predictor)
    with ThreadPoolExecutor(1) as threads:
        job = threads.submit(BulkReader(worker).read_images, [(i, None) for i in range(4)])
        while worker.waiting < 4:
            assert not job.done()
        predictor.go.set()
        worker.close()
        with pytest.raises(BusyError, match="shut down"):
            job.result(30)


def test_who_leaves_costs_no_pass(worker, predictor):
    hold(worker, predictor)
    left, stays = worker.begin_reading(1, None), worker.begin_reading(2, None)
    left.cancel()
    assert stays.ahead == 1
    predictor.go.set()
    assert stays.wait(30) == 2
    assert predictor.order == [99, 2]
    with pytest.raises(WorkError, match="taken out of the queue"):
        left.wait(1)


@pytest.mark.parametrize("failure", [RuntimeError, MemoryError, SystemExit])
def test_a_failing_network_gives_a_sentence_and_the_next_case_works(worker, predictor, monkeypatch, failure):
    def fail(crops: object) -> None:
        raise failure

    predictor.go.set()
    with monkeypatch.context() as patch:
        patch.setattr(predictor, "read_crops", fail)
        with pytest.raises(WorkError, match="stopped on this image"):
            worker.read_image(1, None)
    assert worker.read_image(2, None) == 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_worker_killed_mid_run_gives_all_who_wait_a_sentence_and_the_next_case_works(predictor, monkeypatch):
    """Kill the thread itself as it writes down that a pass failed, outside what guards a pass."""
    worker, dead = start_worker()
    running = hold(worker, predictor)
    waiting = [worker.begin_reading(i, None) for i in range(3)]

    def die(*_: object, **__: object) -> None:
        raise SystemExit

    predictor.fails = True
    with monkeypatch.context() as patch:
        patch.setattr(logging.getLogger(module.__name__), "exception", die)
        predictor.go.set()
        dead.join(30)
    assert not dead.is_alive()
    predictor.fails = False
    for turn in (running, *waiting):
        with pytest.raises(WorkError, match="stopped and was restarted"):
            turn.wait(30)
    assert worker.read_image(8, None) == 8
    worker.close()


def test_a_hanging_network_is_left_behind(worker, predictor, monkeypatch):
    monkeypatch.setattr(module, "PASS_SECONDS", 0.05)
    stuck, waiting = hold(worker, predictor), worker.begin_reading(1, None)
    fresh = SlowPredictor()
    fresh.go.set()
    monkeypatch.setattr(module.Predictor, "load", lambda folder: fresh)
    for turn in (stuck, waiting):
        with pytest.raises(WorkError, match="stopped and was restarted"):
            turn.wait(30)
    assert worker.read_image(2, None) == 2
    predictor.go.set()
    assert worker.read_image(3, None) == 3
    assert (predictor.order, fresh.order) == ([99], [2, 3])


def test_closing_lets_the_pass_end_and_gives_who_waits_a_sentence(predictor):
    worker, thread = start_worker()
    running, waiting = hold(worker, predictor), worker.begin_reading(1, None)
    closing = threading.Thread(target=worker.close)
    closing.start()
    with pytest.raises(WorkError, match="being shut down"):
        waiting.wait(30)
    predictor.go.set()
    closing.join(30)
    assert running.wait(1) == 99
    assert not thread.is_alive()
    with pytest.raises(WorkError, match="being shut down"):
        worker.begin_reading(2, None)
