"""The scoring of an uploaded package in the background: progress, stop, go on."""

from threading import Event, Lock

from core.cohort.scoring.local import LocalScorer, Reader
from core.cohort.scoring.package import unpack_package
from core.cohort.scoring.score import ScoredCohort, score_manifest
from core.cohort.scoring.scratch import ScratchFolder
from core.errors import WorkError
from core.inference.background_job import BackgroundJob
from models.bundle import Bundle

FAULT = "The scoring ended by a fault of the program."
KEPT = "Rows that are done are kept: go on with the rest later."


class ScoringJob(BackgroundJob):
    """One package being scored; its files lie in a temporary folder until the job is dropped.

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
        super().__init__(FAULT, stop=stop)
        self._folder = ScratchFolder()
        self.manifest = unpack_package(package, self._folder.path)
        self._reader = reader
        self._is_closed = self._has_ended = False
        self._ending = Lock()
        self.scored: ScoredCohort | None = None
        self.start()

    @property
    def bundle(self) -> Bundle:
        """The bundle that scores."""
        return self._reader.bundle

    def start(self) -> None:
        """Begin, or go on after a stop."""
        self._has_ended = False
        super().start()

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

    def _work(self) -> None:
        journal = self._folder.path / "scores.part"
        scorer = LocalScorer(self._reader)
        self.scored = score_manifest(self.manifest, scorer, journal, progress=self._count, confined=True)

    def _run(self) -> None:
        super()._run()
        if isinstance(self.failure, WorkError):
            self.failure = WorkError(f"{self.failure} {KEPT}")
        with self._ending:
            self._has_ended = True
            if self._is_closed:
                self._folder.remove()
