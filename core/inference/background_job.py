"""Work in a thread of its own, counted step by step, that can be stopped."""

import time
from abc import ABC, abstractmethod
from threading import Event, Thread

from core.errors import AppError, WorkError, hide_faults


class BackgroundJob(ABC):
    """Base of what goes on in the background while its page shows how far it is.

    Parameters
    ----------
    fault : str
        What is said where the program fails.
    total : int
        Steps.
    stop : Event, optional
        What readers look at to leave the network's queue; set when the job is stopped.
    """

    def __init__(self, fault: str, *, total: int = 0, stop: Event | None = None) -> None:
        self._fault, self._stop = fault, stop or Event()
        self.done, self.total = 0, total
        self.failure: AppError | None = None

    def start(self) -> None:
        """Begin, or go on after a stop."""
        self._stop.clear()
        self.failure = None
        self._started, self._first = time.monotonic(), self.done
        self._thread = Thread(target=self._run, name=type(self).__name__, daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether the thread is at work."""
        return self._thread.is_alive()

    @property
    def rate(self) -> float:
        """Steps a second since the last start."""
        return (self.done - self._first) / max(time.monotonic() - self._started, 1e-9)

    @property
    def seconds_left(self) -> float | None:
        """Time to the end at the present rate; None as long as there is none."""
        return (self.total - self.done) / self.rate if self.rate else None

    def close(self) -> None:
        """Stop after the step at hand."""
        self._stop.set()

    def wait(self, seconds: float) -> None:
        """Wait for the end, at most so many seconds."""
        self._thread.join(seconds)

    @abstractmethod
    def _work(self) -> None:
        """Do all steps."""

    def _run(self) -> None:
        try:
            with hide_faults(self._fault):
                self._work()
        except AppError as error:
            self.failure = None if self._stop.is_set() else error

    def _count(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        if done == self._first:  # still preparing: that is no time of a step
            self._started = time.monotonic()
        if self._stop.is_set():
            raise WorkError("The work was stopped.")
