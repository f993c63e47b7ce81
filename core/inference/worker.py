"""One thread that owns the network: it loads the bundle in the background and reads one image after another.

The network called from many threads at once collapses under load; here callers queue, and only so many of them.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, TypeVar

from core.errors import WorkError
from core.imaging import Frame, Roi
from core.inference.lesion import Lesion
from core.inference.prediction import Case, ImageReading, Prediction
from core.inference.predictor import Predictor

if TYPE_CHECKING:
    from core.inference.lesion_finder import LesionFinder

T = TypeVar("T")
PLACES = 16
WAIT_SECONDS = 60
BUSY = "The model is busy with other images at the moment. Try again in a minute."


class Worker:
    """A Predictor behind a queue of bounded length.

    Parameters
    ----------
    folder : Path
        The bundle's folder; loading starts at once, in the worker's thread.
    places : int
        Most callers that may wait at the same time.
    """

    def __init__(self, folder: Path, *, places: int = PLACES) -> None:
        self._places = BoundedSemaphore(places)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="predictor")
        self._loading: Future[Predictor] = self._thread.submit(_load, folder)

    @property
    def is_ready(self) -> bool:
        """Whether loading has ended, well or not."""
        return self._loading.done()

    def read_image(self, frame: Frame, roi: Roi) -> ImageReading:
        """Run the network once on the lesion, when it is this caller's turn.

        Parameters
        ----------
        frame : Frame
            B-mode area.
        roi : Roi
            Lesion box, pixels of the frame.

        Returns
        -------
        ImageReading
            Scores, score map and applicability.

        Raises
        ------
        WorkError
            If too many callers wait, or the turn does not come in a minute.
        """
        return self._queue(lambda: self._thread.submit(self._wait().read_image, frame, roi))

    def find_lesions(self, frame: Frame) -> tuple[Lesion, ...]:
        """Outline the lesions of a frame, when it is this caller's turn.

        Parameters
        ----------
        frame : Frame
            B-mode area.

        Returns
        -------
        tuple of Lesion
            Best first; empty where none is seen.

        Raises
        ------
        WorkError
            If too many callers wait, or the turn does not come in a minute.
        """
        return self._queue(lambda: self._thread.submit(_find_lesions, frame))

    def predict(self, case: Case, reading: ImageReading) -> Prediction:
        """Estimate from what the network has read; no network runs, so there is no queue.

        Parameters
        ----------
        case : Case
            Frame, box and known clinical values.
        reading : ImageReading
            What `read_image` gave for this frame and box.

        Returns
        -------
        Prediction
            Estimate, interval, contributions, heat map.
        """
        return self._wait().predict(case, reading)

    def close(self) -> None:
        """End the thread after the images it has been given."""
        self._thread.shutdown()

    def _wait(self) -> Predictor:
        return self._loading.result()

    def _queue(self, submit: Callable[[], Future[T]]) -> T:
        """Do some work in the thread, if there is a place in the queue."""
        if not self._places.acquire(blocking=False):
            raise WorkError(BUSY)
        try:
            task = submit()
            return task.result(WAIT_SECONDS)
        except TimeoutError:
            task.cancel()
            raise WorkError(BUSY) from None
        finally:
            self._places.release()


def _find_lesions(frame: Frame) -> tuple[Lesion, ...]:
    return _load_finder().find(frame)


@cache
def _load_finder() -> "LesionFinder":
    """Bring torch and the segmenter at the first frame."""
    from core.inference.lesion_finder import LesionFinder  # noqa: PLC0415 - heavy, and only here

    return LesionFinder.load()


def _load(folder: Path) -> Predictor:
    """Load the bundle and run the network once, so that the first caller does not wait for it."""
    predictor = Predictor.load(folder)
    predictor.engine.warm_up()
    return predictor
