"""The scoring of an uploaded package in the background: progress, stop, go on."""

import time
from threading import Event, Lock, Thread

from core.cohort.scoring.local import LocalScorer, Reader
from core.cohort.scoring.package import unpack_package
from core.cohort.scoring.score import ScoredCohort, score_manifest
from core.cohort.scoring.scratch import ScratchFolder
from core.errors import AppError, WorkError

FAULT = "The scoring ended by a fault of the program. Start it again; rows that are done are kept."
KEPT = "Rows that are done are kept: go on with the rest later."


class _StopError(Exception):
    """Ends a run that was told to stop."""


class ScoringJob:
    """One package being scored in a thread of its own; its files lie in a temporary folder until the job is dropped.

    Parameters
    ----------
    package : bytes
        Zip archive with a manifest and its images.
    reader : Reader
        Bundle and network.
    stop : Event, optional
        What the reader looks at to leave the network's queue; set when the job is stopped.

    Raises
    ------
    TableError
        If the package can't be unpacked.
    """

    def __init__(self, package: bytes, reader: Reader, *, stop: Event | None = None) -> None:
        self._folder = ScratchFolder()
        self.manifest = unpack_package(package, self._folder.path)
        self._reader, self._stop = reader, stop or Event()
        self._is_closed = self._has_ended = False
        self._ending = Lock()
        self.done = self.total = 0
        self.scored: ScoredCohort | None = None
        self.failure: AppError | None = None
        self.start()

    def start(self) -> None:
        """Begin, or go on after a stop."""
        self._stop.clear()
        self.failure, self._has_ended = None, False
        self._started, self._first = time.monotonic(), self.done
        self._thread = Thread(target=self._run, name="scoring", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the image at hand; what is done is kept."""
        self._stop.set()
        self._thread.join()

    def close(self) -> None:
        """Stop for good and delete the files; a thread that runs ends after the image at hand and deletes them then."""
        self._stop.set()
        with self._ending:
            self._is_closed = True
            if self._has_ended:
                self._folder.remove()

    @property
    def is_running(self) -> bool:
        """Whether images are being read."""
        return self._thread.is_alive()

    @property
    def rate(self) -> float:
        """Images a second since the last start."""
        return (self.done - self._first) / max(time.monotonic() - self._started, 1e-9)

    @property
    def seconds_left(self) -> float | None:
        """Time to the end at the present rate; None as long as there is none."""
        return (self.total - self.done) / self.rate if self.rate else None

    def wait(self, seconds: float) -> None:
        """Wait for the end, at most so many seconds."""
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            scorer = LocalScorer(self._reader)
            journal = self._folder.path / "scores.part"
            self.scored = score_manifest(self.manifest, scorer, journal, progress=self._count, confined=True)
        except _StopError:
            return
        except AppError as error:
            self.failure = None if self._stop.is_set() else _explain(error)
        except Exception:  # noqa: BLE001 - the thread's last door; the message may hold a patient's values
            self.failure = AppError(FAULT)
        finally:
            with self._ending:
                self._has_ended = True
                if self._is_closed:
                    self._folder.remove()

    def _count(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        if self._stop.is_set():
            raise _StopError


def _explain(error: AppError) -> AppError:
    """Say of work that failed that it can be gone on with."""
    return WorkError(f"{error} {KEPT}") if isinstance(error, WorkError) else error
