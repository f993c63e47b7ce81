"""`python -m tests.load.cohort`: single cases while the same worker scores a cohort, and the memory that it takes."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Annotated

import pandas as pd
import typer

from core.benchmark.pages import draw_images
from core.cohort.scoring.local import LocalScorer
from core.cohort.scoring.score import ScoredCohort, score_manifest
from core.imaging import Roi, read_frame
from core.inference import Case
from core.inference.queue.cohort_reader import BulkReader
from core.inference.queue.worker import Worker
from core.simulation import write_cohort
from tests.load.server import read_resident_mb

SEED = 20260507
PATIENTS = 64
IDLE_PAUSE = 0.5
BOX = Roi(180.0, 160.0, 480.0, 340.0)
BUNDLE = Path("models/ki67-demo")


@dataclass
class Course:
    """What a run met.

    Parameters
    ----------
    idle, busy : list of float
        Seconds from a PNG file to its explained estimate, before and during the scoring of the cohort.
    memory : list of (int, float)
        Rows that were done, and resident memory of this process in MB.
    cohort : ScoredCohort or None
        What the scoring gave.
    seconds : float
        Length of the scoring.
    """

    idle: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    memory: list[tuple[int, float]] = field(default_factory=list)
    cohort: ScoredCohort | None = None
    seconds: float = 0.0


def run_course(folder: Path, rows: int, cases: int, pause: float, tell: Callable[[str], None]) -> Course:
    """Time cases at an idle worker, then others during a cohort."""
    course, worker = Course(), Worker(BUNDLE)
    manifest = _write_manifest(folder, rows)
    images = draw_images(2 * cases + 2)
    done = 0

    def count(now: int, total: int) -> None:
        nonlocal done
        done = now
        if now % max(1, rows // 20) == 0:
            course.memory.append((now, read_resident_mb("self")))
            tell(f"{now} of {total} rows, {course.memory[-1][1]:.0f} MB")

    def score() -> None:
        course.cohort = score_manifest(
            manifest, LocalScorer(BulkReader(worker)), folder / "scores.part", progress=count
        )

    try:
        for image in images[: cases + 2]:
            course.idle.append(_time_case(worker, image))
            time.sleep(min(pause, IDLE_PAUSE))
        del course.idle[:2]
        began = time.monotonic()
        thread = threading.Thread(target=score)
        thread.start()
        for image in images[cases + 2 :]:
            while thread.is_alive() and not done:
                time.sleep(0.01)
            time.sleep(pause)
            if not thread.is_alive():
                break
            course.busy.append(_time_case(worker, image))
        thread.join()
        course.seconds = time.monotonic() - began
    finally:
        worker.close()
    return course


def _time_case(worker: Worker, image: bytes) -> float:
    began = time.monotonic()
    frame = read_frame(image)
    worker.predict(Case.of(frame, BOX), [worker.read_image(frame, BOX)])
    return time.monotonic() - began


def _write_manifest(folder: Path, rows: int) -> Path:
    """Write a manifest whose rows go round the images of a small simulated cohort."""
    drawn = pd.read_csv(write_cohort(folder, PATIENTS, SEED))
    table = drawn.iloc[[i % len(drawn) for i in range(rows)]].assign(patient_id=[f"P{i:06d}" for i in range(rows)])
    table.to_csv(folder / "many.csv", index=False)
    return folder / "many.csv"


def main(
    rows: Annotated[int, typer.Option(help="Rows of the cohort.", min=1)] = 10_000,
    cases: Annotated[int, typer.Option(help="Cases, before and during the scoring.", min=2)] = 100,
    pause: Annotated[float, typer.Option(help="Seconds between two cases during the scoring.", min=0)] = 1.0,
) -> None:
    """Score a cohort, ask for cases meanwhile, and print what they waited."""
    with TemporaryDirectory() as folder:
        course = run_course(Path(folder), rows, cases, pause, lambda text: typer.echo(text, err=True))
    typer.echo("| case, from PNG file to explained estimate | n | p50, ms | p95, ms |\n| --- | ---: | ---: | ---: |")
    for name, waits in (("worker idle", course.idle), (f"cohort of {rows:,} being scored", course.busy)):
        typer.echo(f"| {name} | {len(waits)} | {1000 * median(waits):.0f} | {1000 * quantiles(waits, n=20)[-1]:.0f} |")
    typer.echo(f"\nRatio of the medians: {median(course.busy) / median(course.idle):.2f}.")
    (first, before), (last, after) = course.memory[0], course.memory[-1]
    typer.echo(f"Memory of the process: {before:.0f} MB after {first:,} rows, {after:.0f} MB after {last:,}.")
    typer.echo(f"{rows / course.seconds:.1f} images a second, cases beside them.")


if __name__ == "__main__":
    typer.run(main)
