"""Write a simulated cohort to a folder: the table, which is also a training manifest, and the images."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image

from core.errors import UsageError, WorkError
from core.simulation.cohort import PATIENTS, SEED, Cohort, simulate_cohort
from core.simulation.dicom import encode_dicom
from core.simulation.frame import SimulatedFrame, render_frame
from core.simulation.parameters import LATENTS
from core.spreadsheet import render_csv

Progress = Callable[[int, int], None]
PNG_LEVEL = 3


@dataclass(frozen=True)
class FrameJob:
    """What is needed to render and write one patient's images, in any process."""

    index: int
    seed: int
    out: Path
    row: dict[str, str]
    latents: dict[str, float]
    size_mm: float
    size_ap_mm: float
    dicom: bool


def write_cohort(
    out: Path,
    n_patients: int = PATIENTS,
    seed: int = SEED,
    *,
    dicom: bool = False,
    processes: int = 1,
    progress: Progress | None = None,
) -> Path:
    """Simulate a cohort and write it.

    The folder gets cohort.csv, frames/*.png, masks/*.png and, if asked, dicom/*.dcm. cohort.csv has a row per patient:
    the data dictionary, `split`, `receptor`, `lnm`, and `image`, `mask` (paths relative to the table) and `box` as
    "x0,y0,x1,y1" in pixels of the frame. Missing values are empty. The bytes depend on seed, number of patients
    alone, not on the number of processes.

    Parameters
    ----------
    out : Path
        Folder; made if it is not there.
    n_patients : int
        Patients.
    seed : int
        Seed.
    dicom : bool
        Also write each frame as ultrasound DICOM.
    processes : int
        Processes that render.
    progress : callable, optional
        Called with the frames done and their total after each frame.

    Returns
    -------
    Path
        The table.

    Raises
    ------
    UsageError
        If the number of patients, the seed or the number of processes can't be.
    WorkError
        If the folder can't be written.
    """
    if processes < 1:
        raise UsageError(f"{processes} processes can't render; give 1 or more.")
    cohort = simulate_cohort(n_patients, seed)
    table = cohort.table.copy()
    try:
        for folder in ("frames", "masks", *(["dicom"] if dicom else [])):
            (out / folder).mkdir(parents=True, exist_ok=True)
        boxes = []
        for box in _run_jobs(list(_plan_jobs(cohort, out, seed, dicom)), processes):
            boxes.append(box)
            if progress:
                progress(len(boxes), len(table))
        table["image"] = "frames/" + table["patient_id"] + ".png"
        table["mask"] = "masks/" + table["patient_id"] + ".png"
        table["box"] = boxes
        if dicom:
            table["dicom"] = "dicom/" + table["patient_id"] + ".dcm"
        (out / "cohort.csv").write_bytes(render_csv(table))
    except OSError as error:
        raise WorkError(
            f"The cohort can't be written ({error.strerror}); choose a folder with room and rights."
        ) from error
    return out / "cohort.csv"


def render_patient(cohort: Cohort, index: int, seed: int) -> SimulatedFrame:
    """Render the frame of one patient of a cohort, the same as `write_cohort` writes.

    Parameters
    ----------
    cohort : Cohort
        Simulated cohort.
    index : int
        Row of the patient.
    seed : int
        Seed of the cohort.

    Returns
    -------
    SimulatedFrame
        The frame.
    """
    return _render(_make_job(cohort, index, Path(), seed, dicom=False))


def _plan_jobs(cohort: Cohort, out: Path, seed: int, dicom: bool) -> Iterator[FrameJob]:
    for index in range(len(cohort.table)):
        yield _make_job(cohort, index, out, seed, dicom=dicom)


def _make_job(cohort: Cohort, index: int, out: Path, seed: int, *, dicom: bool) -> FrameJob:
    row, latents = cohort.table.iloc[index], cohort.latents.iloc[index]
    words = ("patient_id", "centre", "background", "exam_date", "age", "laterality")
    return FrameJob(
        index,
        seed,
        out,
        {name: str(row[name]) for name in words},
        {name: float(latents[name]) for name in LATENTS},
        float(row["size_mm"]),
        float(row["size_ap_mm"]),
        dicom,
    )


def _run_jobs(jobs: list[FrameJob], processes: int) -> Iterator[str]:
    if processes == 1:
        yield from map(_write_frame, jobs)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_write_frame, jobs, chunksize=4)


def _render(job: FrameJob) -> SimulatedFrame:
    rng = np.random.default_rng(np.random.SeedSequence(job.seed, spawn_key=(job.index,)))
    return render_frame(
        rng,
        job.row["centre"],
        job.latents,
        size_mm=job.size_mm,
        size_ap_mm=job.size_ap_mm,
        background=job.row["background"],
    )


def _write_frame(job: FrameJob) -> str:
    """Render and write one patient's images; return the lesion's box as the table has it."""
    frame, name = _render(job), job.row["patient_id"]
    Image.fromarray(frame.pixels).save(job.out / "frames" / f"{name}.png", compress_level=PNG_LEVEL)
    Image.fromarray(frame.mask).save(job.out / "masks" / f"{name}.png", compress_level=PNG_LEVEL)
    if job.dicom:
        (job.out / "dicom" / f"{name}.dcm").write_bytes(encode_dicom(frame, job.row, job.seed))
    return ",".join(str(edge) for edge in frame.box)
