"""A cohort's way to the worker: it waits for places, and takes what waits back when it is stopped."""

from collections.abc import Sequence
from threading import Event
from typing import TypeVar

from core.errors import BusyError
from core.imaging import Frame, Roi
from core.inference.lesion import Lesion
from core.inference.prediction import ImageReading
from core.inference.queue.place import GIVEN_UP, LOOK_SECONDS, Turn
from core.inference.queue.worker import PLACES, Worker
from models.bundle import Bundle

PASSES_AHEAD = 8
T = TypeVar("T")


class BulkReader:
    """A cohort's way to the worker: single cases go before each pass of its images, other cohorts in turn with it.

    Parameters
    ----------
    worker : Worker
        The worker that all sessions share.
    owner : str
        Whose cohort it is; the network goes round the owners.
    stop : Event, optional
        Once it is set, what waits is taken out of the queue.
    """

    def __init__(self, worker: Worker, *, owner: str = "", stop: Event | None = None) -> None:
        self._worker, self._owner, self._stop = worker, owner, stop or Event()

    @property
    def bundle(self) -> Bundle:
        """The bundle that answers."""
        return self._worker.bundle

    @property
    def at_once(self) -> int:
        """How many images `read_images` is best given: a pass that runs, and others that wait."""
        return min(PASSES_AHEAD * self._worker.predictor.engine.images_at_once, PLACES // 2)

    def read_images(self, cases: Sequence[tuple[Frame, Roi]]) -> list[ImageReading]:
        """Run the network on lesions whenever no case waits, for as long as it takes."""
        turns: list[Turn[ImageReading]] = []
        try:
            for frame, roi in cases:
                turns.append(
                    self._worker.begin_reading(frame, roi, lane="bulk", owner=self._owner, waits_while=self._goes_on)
                )
            return [self._wait(turn) for turn in turns]
        finally:
            for turn in turns:
                turn.cancel()

    def find_lesions(self, frame: Frame) -> tuple[Lesion, ...]:
        """Outline the lesions of a frame whenever no case waits; errors as in `read_images`."""
        turn = self._worker.begin_finding(frame, lane="bulk", owner=self._owner, waits_while=self._goes_on)
        try:
            return self._wait(turn)
        finally:
            turn.cancel()

    def _goes_on(self) -> bool:
        return not self._stop.is_set()

    def _wait(self, turn: Turn[T]) -> T:
        while not turn.look(LOOK_SECONDS):
            if not self._goes_on():
                raise BusyError(GIVEN_UP)
        return turn.result()
