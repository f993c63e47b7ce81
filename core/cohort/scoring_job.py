"""The scoring of an uploaded package in the background: progress, stop, go on."""

import shutil
import time
import weakref
from pathlib import Path
from tempfile import mkdtemp
from threading import Event, Thread

from core.cohort.bulk import LocalScorer, Reader
from core.cohort.package import unpack_package
from core.cohort.score import ScoredCohort, score_manifest
from core.errors import AppError

FAULT = "The scoring ended by a fault of the program. Start it again; rows that are done are kept."


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

    Raises
    ------
    TableError
        If the package can't be unpacked.
    """

    def __init__(self, package: bytes, reader: Reader) -> None:
        self._folder = Path(mkdtemp(prefix="sonoki-"))
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self.manifest = unpack_package(package, self._folder)
        self._reader = reader
        self.done = self.total = 0
        self.scored: ScoredCohort | None = None
        self.failure: AppError | None = None
        self.start()

    def start(self) -> None:
        """Begin, or go on after a stop."""
        self._stop = Event()
        self.failure = None
        self._started, self._first = time.monotonic(), self.done
        self._thread = Thread(target=self._run, name="scoring", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the image at hand; what is done is kept."""
        self._stop.set()
        self._thread.join()

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
            journal = self._folder / "scores.part"
            self.scored = score_manifest(self.manifest, scorer, journal, progress=self._count, confined=True)
        except _StopError:
            return
        except AppError as error:
            self.failure = error
        except Exception:  # noqa: BLE001 - the thread's last door; the message may hold a patient's values
            self.failure = AppError(FAULT)

    def _count(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        if self._stop.is_set():
            raise _StopError
