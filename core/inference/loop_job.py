"""A loop being read in the background."""

from threading import Event

from core.imaging import Roi
from core.inference.background_job import BackgroundJob
from core.inference.loop import LoopReader, LoopReading, ReadFrames, read_loop_frames

FAULT = "The loop could not be read by a fault of the program. Start it again."


class LoopJob(BackgroundJob):
    """One loop, read from the start on.

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
        super().__init__(FAULT, total=count, stop=stop)
        self._loop = (read_frames, reader, start)
        self.reading: LoopReading | None = None
        self.start()

    def _work(self) -> None:
        self.reading = read_loop_frames(*self._loop, count=self.total, progress=self._count)
