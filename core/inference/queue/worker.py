"""One thread that owns the networks: it loads the bundle in the background and does one piece of work after another.

A network called from many threads at once collapses under load; here callers queue, and only so many of them: owners
share the places and are served in turn. Cases come before a cohort's images, so a case waits for one pass of these at
most. A thread that dies or hangs is replaced: whoever waited gets a sentence, and the next case works.
"""

import atexit
import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from threading import Condition, Thread
from typing import TypeVar

from core.errors import AppError, BusyError, WorkError
from core.imaging import Frame, Roi
from core.inference.lesion import Lesion
from core.inference.lesion_finder import get_finder
from core.inference.prediction import Case, ImageReading, Prediction
from core.inference.predictor import Predictor
from core.inference.queue.lane import FairLane
from core.inference.queue.latest_results import Recent
from core.inference.queue.memory import give_back_memory
from core.inference.queue.place import GIVEN_UP, LOOK_SECONDS, Lane, Turn
from models.bundle import Bundle

PLACES = 64
KEPT = 512
WAIT_SECONDS = 60.0
PASS_SECONDS = 60.0
CLOSE_SECONDS = 10.0
BUSY = "{waiting} images wait for the model already, and it accepts no more. Try again in a minute."
FAILED = "The model stopped on this image. Try again; if it happens again, tell the operator."
STOPPED = "The model stopped and was restarted. Try again; if it happens again, tell whoever runs SonoKi."
CLOSED = "The program is being shut down. Try again when it is back."
T = TypeVar("T")
_LOG = logging.getLogger(__name__)


class Worker:
    """A Predictor and a lesion finder behind a queue of bounded length.

    Parameters
    ----------
    folder : Path
        The bundle's folder; loading starts at once, in the worker's thread.
    places : int
        Most pieces of work of a lane that may wait or run at the same time; each owner has an equal share of them, and
        one place at least.
    """

    def __init__(self, folder: Path, *, places: int = PLACES) -> None:
        self._folder, self._most = folder, places
        self._lanes: dict[Lane, FairLane] = {"case": FairLane(), "bulk": FairLane()}
        self._running: tuple[Turn[object], ...] = ()
        self._since = 0.0
        self._recent = Recent(KEPT)
        self._state = Condition()
        self._is_closed = False
        self._start()
        atexit.register(self.close)

    @property
    def is_ready(self) -> bool:
        """Whether loading has ended, well or not."""
        return self._loading.done()

    @property
    def waiting(self) -> int:
        """How many pieces of work wait for their turn."""
        return sum(len(turns) for turns in self._lanes.values())

    @property
    def bundle(self) -> Bundle:
        """The bundle that answers, once it is loaded."""
        return self.predictor.bundle

    @property
    def predictor(self) -> Predictor:
        """The Predictor, once it is loaded; its networks run in the worker's thread alone."""
        return self._loading.result()

    def begin_reading(
        self,
        frame: Frame,
        roi: Roi,
        *,
        lane: Lane = "case",
        owner: str = "",
        waits_while: Callable[[], bool] | None = None,
    ) -> Turn[ImageReading]:
        """Queue the lesion for one pass of the backbone; a crop that was read lately is done at once."""
        predictor = self.predictor
        crop = predictor.cut(frame, roi)
        key = hashlib.sha256(crop.tobytes()).hexdigest()
        turn = Turn(
            self, "read", crop, key, lambda read: predictor.interpret(frame, roi, crop, read), lane=lane, owner=owner
        )
        return self._queue(turn, waits_while)

    def begin_finding(
        self,
        frame: Frame,
        at: tuple[float, float] | None = None,
        *,
        lane: Lane = "case",
        owner: str = "",
        waits_while: Callable[[], bool] | None = None,
    ) -> Turn[tuple[Lesion, ...]]:
        """Queue a frame for the segmenter, or a place of it; see `begin_reading`."""
        key = hashlib.sha256(f"{frame.width} {frame.mm_per_px} {at} ".encode() + frame.pixels.tobytes()).hexdigest()
        return self._queue(Turn(self, "find", (frame, at), key, tuple, lane=lane, owner=owner), waits_while)

    def read_image(self, frame: Frame, roi: Roi, *, lane: Lane = "case", owner: str = "") -> ImageReading:
        """Run the backbone once on the lesion, when it is this caller's turn."""
        if lane == "case":
            return self.begin_reading(frame, roi, owner=owner).wait(WAIT_SECONDS)
        return self.begin_reading(frame, roi, lane=lane, owner=owner, waits_while=lambda: True).wait(None)

    def find_lesions(self, frame: Frame, *, owner: str = "") -> tuple[Lesion, ...]:
        """Outline the lesions of a frame, best first, when it is this caller's turn; errors as in `read_image`."""
        return self.begin_finding(frame, owner=owner).wait(WAIT_SECONDS)

    def predict(self, case: Case, readings: Sequence[ImageReading]) -> Prediction:
        """Estimate from what the network has read; no network runs, so there is no queue."""
        return self.predictor.predict(case, readings)

    def count_ahead(self, turn: Turn[object]) -> int:
        """Count what comes before a turn: what runs, and what waits in front of it."""
        with self._state:
            before = len(self._lanes["case"]) if turn.lane == "bulk" else 0
            lane = self._lanes[turn.lane]
            return before + lane.count_ahead(turn) + bool(self._running) if turn in lane else 0

    def give_up(self, turn: Turn[object]) -> None:
        """Take a turn that still waits out of the queue: it costs no pass."""
        with self._state:
            if turn in self._lanes[turn.lane]:
                self._lanes[turn.lane].remove(turn)
                turn.settle(error=BusyError(GIVEN_UP))
                self._state.notify_all()

    def look_after(self) -> None:
        """Replace the thread if it died or hangs; every waiting caller does this from time to time."""
        with self._state:
            hangs = bool(self._running) and time.monotonic() - self._since > PASS_SECONDS
            if self._is_closed or (self._thread.is_alive() and not hangs):
                return
            _LOG.error("The model's thread %s and is replaced.", "hangs" if hangs else "died")
            for turn in self._running:
                turn.settle(error=WorkError(STOPPED))
            self._running = ()
            self._settle_waiting(BusyError(STOPPED))
            self._start()

    def close(self) -> None:
        """End the thread after the pass at hand; whoever waits gets a sentence."""
        atexit.unregister(self.close)
        with self._state:
            self._is_closed = True
            self._settle_waiting(BusyError(CLOSED))
            self._state.notify_all()
        self._thread.join(CLOSE_SECONDS)

    def _start(self) -> None:
        self._loading: Future[Predictor] = Future()
        self._thread = Thread(target=self._serve, args=(self._loading,), name="predictor", daemon=True)
        self._thread.start()

    def _queue(self, turn: Turn[T], waits_while: Callable[[], bool] | None = None) -> Turn[T]:
        known = self._recent.get(turn.task, turn.key)
        if known is not None:
            turn.settle(known)
            return turn
        self.look_after()
        with self._state:
            lane = self._lanes[turn.lane]
            while waits_while is not None and not (self._is_closed or self._has_place(turn)) and waits_while():
                self._state.wait(LOOK_SECONDS)
                self.look_after()
            if self._is_closed or not self._has_place(turn):
                raise BusyError(CLOSED if self._is_closed else BUSY.format(waiting=len(lane)))
            lane.append(turn)
            self._state.notify_all()
        return turn

    def _has_place(self, turn: Turn[object]) -> bool:
        """Whether a turn's owner has less than its share of the lane's places."""
        lane = self._lanes[turn.lane]
        runs = [other.owner for other in self._running if other.lane == turn.lane]
        share = max(1, self._most // len({turn.owner, *lane.owners, *runs}))
        return lane.count_of(turn.owner) + runs.count(turn.owner) < share

    def _serve(self, loading: "Future[Predictor]") -> None:
        """Load, then work until the worker is closed or another thread has taken over."""
        try:
            loading.set_result(_load(self._folder))
            get_finder()
            give_back_memory()
        except BaseException as error:  # noqa: BLE001 - whoever asks for the predictor or the finder gets it
            if not loading.done():
                loading.set_exception(error)
        while turns := self._take(loading):
            try:
                answers = self._do(turns)
            except AppError as error:
                self._finish(loading, turns, error=error)
            except BaseException:  # noqa: BLE001 - whatever it is, the callers get a sentence and the thread lives
                _LOG.exception("The network failed.")
                self._finish(loading, turns, error=WorkError(FAILED))
            else:
                self._finish(loading, turns, answers)

    def _take(self, loading: "Future[Predictor]") -> tuple[Turn[object], ...]:
        """Wait for work, and take what goes into one pass: equal tasks of one lane; nothing where this thread ends."""
        with self._state:
            self._state.wait_for(lambda: self._is_closed or self._loading is not loading or self.waiting)
            if self._is_closed or self._loading is not loading:
                return ()
            name: Lane = "case" if self._lanes["case"] else "bulk"
            lane = self._lanes[name]
            turns = [lane.pop()]
            most = self._count_at_once(turns[0])
            while len(turns) < most and (following := lane.peek()) and following.task == turns[0].task:
                turns.append(lane.pop())
            self._running, self._since = tuple(turns), time.monotonic()
            return self._running

    def _count_at_once(self, first: Turn[object]) -> int:
        if first.task == "find" or self._loading.exception() is not None:
            return 1
        engine = self.predictor.engine
        return engine.cases_at_once if first.lane == "case" else engine.images_at_once

    def _do(self, turns: Sequence[Turn[object]]) -> Sequence[object]:
        payloads = [turn.payload for turn in turns]
        if turns[0].task == "read":
            return self.predictor.read_crops(payloads)
        return [get_finder().find(frame, at) for frame, at in payloads]

    def _finish(
        self,
        loading: "Future[Predictor]",
        turns: Sequence[Turn[object]],
        answers: Sequence[object] = (),
        error: AppError | None = None,
    ) -> None:
        with self._state:
            if self._loading is loading:
                self._running = ()
            self._state.notify_all()
        if error is not None:
            for turn in turns:
                turn.settle(error=error)
        for turn, answer in zip(turns, answers, strict=False):
            if turn.lane == "case":
                self._recent.keep(turn.task, turn.key, answer)
            turn.settle(answer)

    def _settle_waiting(self, error: AppError) -> None:
        for lane in self._lanes.values():
            while lane:
                lane.pop().settle(error=error)


def _load(folder: Path) -> Predictor:
    """Load the bundle and run the network once, so that the first caller does not wait for it."""
    predictor = Predictor.load(folder)
    predictor.engine.warm_up()
    return predictor
