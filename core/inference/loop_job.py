"""A loop being read in the background: progress, time left, stop."""

import time
from threading import Event, Thread

from core.errors import AppError
from core.imaging import Roi
from core.inference.loop import LoopReader, LoopReading, ReadFrames, read_loop_frames

FAULT = "The loop could not be read by a fault of the program. Start it again."


class _StopError(Exception):
    """Ends a run that was told to stop."""


class LoopJob:
    """One loop, read in a thread of its own.

    Parameters
    ----------
    read_frames : callable
        Decodes frames by their indices.
    reader : LoopReader
        Networks.
    start : tuple of (int, Roi)
        Frame and box that the user has looked at.
    count : int
        Frames of the loop.
    stop : Event, optional
        What the reader looks at to leave the network's queue; set when the job is stopped.
    """

    def __init__(
        self,
        read_frames: ReadFrames,
        reader: LoopReader,
        start: tuple[int, Roi],
        *,
        count: int,
        stop: Event | None = None,
    ) -> None:
        self._work = (read_frames, reader, start)
        self._stop = stop or Event()
        self.done, self.total = 0, count
        self.reading: LoopReading | None = None
        self.failure: AppError | None = None
        self._started = time.monotonic()
        self._thread = Thread(target=self._run, name="loop", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether frames are being read."""
        return self._thread.is_alive()

    @property
    def seconds_left(self) -> float | None:
        """Time to the end at the present rate; None as long as there is none."""
        return (self.total - self.done) * (time.monotonic() - self._started) / self.done if self.done else None

    def close(self) -> None:
        """Stop after the frames at hand."""
        self._stop.set()

    def wait(self, seconds: float) -> None:
        """Wait for the end, at most so many seconds."""
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            self.reading = read_loop_frames(*self._work, count=self.total, progress=self._count)
        except _StopError:
            return
        except AppError as error:
            self.failure = None if self._stop.is_set() else error
        except Exception:  # noqa: BLE001 - the thread's last door; the message may hold a patient's values
            self.failure = AppError(FAULT)

    def _count(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        if self._stop.is_set():
            raise _StopError
