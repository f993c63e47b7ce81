import errno
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from core.cohort.scoring.job import ScoringJob
from core.cohort.scoring.local import ATTEMPTS, LocalScorer
from core.cohort.scoring.package import unpack_package
from core.cohort.scoring.score import score_manifest
from core.errors import BusyError, TableError, WorkError
from core.inference.predictor import Predictor
from core.simulation import write_cohort

N = 8


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cohort(tmp_path_factory.mktemp("package"), N, 3)


@pytest.fixture(scope="module")
def predictor(bundle_dir: Path) -> Predictor:
    return Predictor.load(bundle_dir, engine="torch", precision="fp32")


def pack(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def package(cohort: Path) -> bytes:
    images = {f"frames/{path.name}": path.read_bytes() for path in (cohort.parent / "frames").iterdir()}
    return pack({"cohort.csv": cohort.read_bytes()} | images)


def test_a_package_gives_what_its_manifest_gives(
    package: bytes, cohort: Path, predictor: Predictor, tmp_path: Path
) -> None:
    job = ScoringJob(package, predictor)
    job.wait(120)
    alone = score_manifest(cohort, LocalScorer(predictor), tmp_path / "part", progress=lambda done, total: None)
    assert job.scored is not None
    assert job.scored.table.to_csv() == alone.table.to_csv()
    assert (job.done, job.total, job.failure) == (N, N, None)


def test_a_stopped_job_goes_on(package: bytes, predictor: Predictor) -> None:
    class Held:
        """Lets one image through, then waits."""

        bundle, at_once, find_lesions = predictor.bundle, 2, predictor.find_lesions
        reached, go = Event(), Event()

        def read_images(self, cases: list):
            self.reached.set()
            self.go.wait(60)
            return predictor.read_images(cases)

    held, stop = Held(), Event()
    job = ScoringJob(package, held, stop=stop)
    held.reached.wait(60)
    stop.set()
    held.go.set()
    job.stop()
    assert not job.is_running
    assert 0 < job.done < N
    assert job.scored is None
    job.start()
    job.wait(120)
    assert job.scored is not None
    assert job.scored.images == N


class Failing:
    """Fails so many times, then reads."""

    at_once = 4

    def __init__(self, predictor: Predictor, error: Exception, times: int) -> None:
        self.bundle, self._predictor, self._error, self.times = predictor.bundle, predictor, error, times

    def find_lesions(self, frame):
        return self._predictor.find_lesions(frame)

    def read_images(self, cases: list):
        if self.times:
            self.times -= 1
            raise self._error
        return self._predictor.read_images(cases)


@pytest.mark.parametrize("error", [BusyError("Others are before it."), WorkError("The model stopped.")])
def test_a_busy_or_failing_model_is_no_verdict_on_an_image(package: bytes, predictor: Predictor, error) -> None:
    job = ScoringJob(package, Failing(predictor, error, ATTEMPTS))
    job.wait(60)
    assert job.scored is None
    assert str(job.failure) == f"{error} Rows that are done are kept: go on with the rest later."
    job.start()
    job.wait(120)
    assert job.scored is not None
    assert (job.scored.images, job.scored.refused, job.failure) == (N, (), None)


def test_a_failure_that_passes_ends_nothing(package: bytes, predictor: Predictor) -> None:
    job = ScoringJob(package, Failing(predictor, WorkError("The model stopped."), ATTEMPTS - 1))
    job.wait(120)
    assert job.scored is not None
    assert (job.scored.images, job.scored.refused) == (N, ())


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_a_computer_short_of_files_is_no_verdict_on_an_image(
    package: bytes, predictor: Predictor, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fail(row: object, *, bulk: bool) -> None:
        raise OSError(number, "none left")

    with monkeypatch.context() as patch:
        patch.setattr("core.cohort.scoring.local.decode_row", fail)
        job = ScoringJob(package, predictor)
        job.wait(60)
    assert isinstance(job.failure, BusyError | WorkError)
    job.start()
    job.wait(120)
    assert job.scored is not None
    assert job.scored.images == N


def test_a_closed_job_leaves_nothing_on_the_disk(package: bytes, predictor: Predictor) -> None:
    job = ScoringJob(package, predictor)
    folder = job.manifest.parent
    assert folder.stat().st_mode & 0o777 == 0o700
    job.close()
    job.wait(60)
    assert not job.is_running
    assert not folder.exists()


def test_a_job_that_is_dropped_leaves_nothing_on_the_disk(package: bytes, predictor: Predictor) -> None:
    job = ScoringJob(package, predictor)
    job.wait(120)
    folder = job.manifest.parent
    del job
    assert not folder.exists()


def test_an_upload_reads_no_file_of_the_server(cohort: Path, predictor: Predictor) -> None:
    inside = next((cohort.parent / "frames").iterdir())
    lines = ["patient_id,image", f"A,frames/{inside.name}", f"B,{inside}", "C,../x.png", f"D,{5000 * 'd'}"]
    job = ScoringJob(
        pack({"cohort.csv": "\n".join(lines).encode(), f"frames/{inside.name}": inside.read_bytes()}), predictor
    )
    job.wait(120)
    assert job.scored is not None
    assert job.scored.table["patient_id"].tolist() == ["A"]
    assert [row for row, _ in job.scored.refused] == [3, 4, 5]
    assert all("image file is not there" in reason for _, reason in job.scored.refused)


def test_what_can_not_be_scored_ends_in_a_sentence_with_rows(predictor: Predictor) -> None:
    job = ScoringJob(pack({"m.csv": b"patient_id,image\nP1,gone.png\n"}), predictor)
    job.wait(60)
    assert isinstance(job.failure, TableError)
    assert job.failure.rows == ((2, "The image file is not there; paths are relative to the manifest's folder."),)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: b"no archive", "not a zip archive"),
        (lambda: pack({"a.csv": b"x"})[:-9], "damaged"),
        (lambda: pack({"a.png": b"x"}), "holds 0 tables"),
        (lambda: pack({"a.csv": b"x", "b/c.csv": b"x"}), "holds 2 tables"),
        (lambda: pack({"../a.csv": b"x"}), "leads out of its folder"),
        (lambda: pack({"/etc/a.csv": b"x"}), "leads out of its folder"),
        (lambda: pack({"a.csv": b"x", "b" * 300: b"x"}), "can't be unpacked"),
        (lambda: pack({"a.csv": b"x", "b": b"x", "b/c.png": b"x"}), "can't be unpacked"),
    ],
)
def test_bad_packages_are_refused(make: Callable[[], bytes], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(TableError, match=sentence):
        unpack_package(make(), tmp_path)
    assert not any(tmp_path.parent.glob("a.csv"))


def test_a_bomb_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.csv", "w") as out:
        for _ in range(400):
            out.write(bytes(1 << 20))
    with pytest.raises(TableError, match="unpacks to more than 300 MB"):
        unpack_package(buffer.getvalue(), tmp_path)
    assert not list(tmp_path.iterdir())
