"""One thread that owns the network: it loads the bundle in the background and reads one image after another.

The network called from many threads at once collapses under load; here callers queue, and only so many of them.
Cases come before a cohort's images, so a case waits for one of these at most.
"""

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from core.errors import AppError, WorkError
from core.imaging import Frame, Roi
from core.inference.lesion import Lesion
from core.inference.prediction import Case, ImageReading, Prediction
from core.inference.predictor import Predictor
from models.bundle import Bundle

if TYPE_CHECKING:
    from core.inference.lesion_finder import LesionFinder

T = TypeVar("T")
Lane = Literal["case", "bulk"]
PLACES = 16
WAIT_SECONDS = 60
BUSY = "The model is busy with other images at the moment. Try again in a minute."
FAILED = "The model stopped on this image. Try again; if it happens again, tell the operator."
_LOG = logging.getLogger(__name__)


class Worker:
    """A Predictor behind a queue of bounded length.

    Parameters
    ----------
    folder : Path
        The bundle's folder; loading starts at once, in the worker's thread.
    places : int
        Most callers of a lane that may wait at the same time.
    """

    def __init__(self, folder: Path, *, places: int = PLACES) -> None:
        self._places: dict[Lane, BoundedSemaphore] = {
            "case": BoundedSemaphore(places),
            "bulk": BoundedSemaphore(places),
        }
        self._lanes: dict[Lane, deque[_Job]] = {"case": deque(), "bulk": deque()}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="predictor")
        self._loading: Future[Predictor] = self._thread.submit(_load, folder)

    @property
    def is_ready(self) -> bool:
        """Whether loading has ended, well or not."""
        return self._loading.done()

    @property
    def waiting(self) -> int:
        """How many pieces of work wait for their turn."""
        return sum(len(jobs) for jobs in self._lanes.values())

    @property
    def bundle(self) -> Bundle:
        """The bundle that answers, once it is loaded."""
        return self._wait().bundle

    def read_image(self, frame: Frame, roi: Roi, *, lane: Lane = "case") -> ImageReading:
        """Run the network once on the lesion, when it is this caller's turn.

        Parameters
        ----------
        frame : Frame
            B-mode area.
        roi : Roi
            Lesion box, pixels of the frame.
        lane : {"case", "bulk"}
            "bulk" for the images of a cohort: every waiting case goes first.

        Returns
        -------
        ImageReading
            Scores, score map and applicability.

        Raises
        ------
        WorkError
            If too many callers wait, the turn does not come in a minute, or the network fails.
        """
        return self._queue(lambda: self._wait().read_image(frame, roi), lane)

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
            If too many callers wait, the turn does not come in a minute, or the network fails.
        """
        return self._queue(lambda: _find_lesions(frame), "case")

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

    def _queue(self, work: Callable[[], T], lane: Lane) -> T:
        """Do some work in the thread, if there is a place in the lane."""
        if not self._places[lane].acquire(blocking=False):
            raise WorkError(BUSY)
        answer: Future[T] = Future()
        try:
            self._lanes[lane].append((work, answer))
            self._thread.submit(self._do_next)
            return answer.result(WAIT_SECONDS)
        except TimeoutError:
            answer.cancel()
            raise WorkError(BUSY) from None
        finally:
            self._places[lane].release()

    def _do_next(self) -> None:
        """Do what waits longest among the cases, then among the bulk; each call has one piece of work to find."""
        work, answer = (self._lanes["case"] or self._lanes["bulk"]).popleft()
        if not answer.set_running_or_notify_cancel():
            return
        try:
            answer.set_result(work())
        except AppError as error:
            answer.set_exception(error)
        except BaseException:  # noqa: BLE001 - whatever it is, the caller gets a sentence and the thread lives
            _LOG.exception("The network failed.")
            answer.set_exception(WorkError(FAILED))


_Job = tuple[Callable[[], Any], Future[Any]]


class BulkReader:
    """A cohort's way to the worker: single cases go before each of its images.

    Parameters
    ----------
    worker : Worker
        The worker that all sessions share.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    @property
    def bundle(self) -> Bundle:
        """The bundle that answers."""
        return self._worker.bundle

    def read_image(self, frame: Frame, roi: Roi) -> ImageReading:
        """Run the network once on the lesion, when no case waits; see `Worker.read_image`."""
        return self._worker.read_image(frame, roi, lane="bulk")


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
