"""A place in the worker's queue: where it stands, what came of it, and a way to give it up."""

import time
from collections.abc import Callable
from threading import Event
from typing import Any, Generic, Literal, Protocol, TypeVar

from core.errors import AppError, BusyError

T_co = TypeVar("T_co", covariant=True)
Lane = Literal["case", "bulk"]
Task = Literal["read", "find"]
LOOK_SECONDS = 0.5
LATE = "The model did not come to this image in {seconds:.0f} seconds, because others were before it. Try again."
GIVEN_UP = "This image was taken out of the queue. Try again."


class Queue(Protocol):
    """What a place needs of the queue that it stands in."""

    def count_ahead(self, turn: "Turn[object]") -> int:
        """Count what comes before a turn."""

    def look_after(self) -> None:
        """Replace the thread if it died or hangs."""

    def give_up(self, turn: "Turn[object]") -> None:
        """Take a turn that still waits out of the queue."""


class Turn(Generic[T_co]):
    """One piece of work for the network, waiting, running or done.

    Parameters
    ----------
    queue : Queue
        Where it stands.
    task : {"read", "find"}
        Which network: the backbone reads a crop, the segmenter looks for lesions in a frame.
    payload : object
        What the network takes.
    key : str
        Hash of the payload.
    finish : callable
        Makes the result of what the network gave; it runs in the caller's thread.
    lane : {"case", "bulk"}
        Cases go before a cohort's images.
    owner : str
        Whose work it is; the network goes round the owners.
    """

    def __init__(
        self,
        queue: Queue,
        task: Task,
        payload: Any,
        key: str,
        finish: Callable[[Any], T_co],
        *,
        lane: Lane,
        owner: str,
    ) -> None:
        self._queue = queue
        self.task, self.payload, self.key, self.lane, self.owner = task, payload, key, lane, owner
        self._finish = finish
        self._ended = Event()
        self._answer: object = None
        self._error: AppError | None = None

    @property
    def ahead(self) -> int:
        """How many pieces of work come before this one; 0 once it runs."""
        return self._queue.count_ahead(self)

    def look(self, seconds: float) -> bool:
        """Wait for the end, at most so many seconds; give whether it has come."""
        if not self._ended.wait(seconds):
            self._queue.look_after()
        return self._ended.is_set()

    def wait(self, seconds: float | None) -> T_co:
        """Wait for the result."""
        end = None if seconds is None else time.monotonic() + seconds
        while not self.look(LOOK_SECONDS if end is None else min(LOOK_SECONDS, max(0.0, end - time.monotonic()))):
            if seconds is not None and end is not None and time.monotonic() >= end:
                self.cancel()
                raise BusyError(LATE.format(seconds=seconds))
        return self.result()

    def result(self) -> T_co:
        """Give the result of a turn that is done, or raise its error."""
        if self._error is not None:
            raise self._error
        return self._finish(self._answer)

    def cancel(self) -> None:
        """Give the place up; work that runs already is not stopped."""
        self._queue.give_up(self)

    def settle(self, answer: object = None, error: AppError | None = None) -> None:
        """Keep what the network gave, or what went wrong; the worker calls this once, later calls change nothing."""
        if not self._ended.is_set():
            self._answer, self._error, self.payload = answer, error, None
            self._ended.set()
