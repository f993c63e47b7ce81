"""`python -m core benchmark`: how long the parts take, in one run; a file a subject."""

from dataclasses import dataclass
from pathlib import Path

from core.benchmark.case import list_case_parts
from core.benchmark.cohort_scoring import list_bulk_parts
from core.benchmark.decoding import list_decoding_parts, measure_decoding_memory
from core.benchmark.documents import list_document_parts
from core.benchmark.evaluation import list_evaluation_parts
from core.benchmark.explainers import list_explainer_parts
from core.benchmark.forward import list_forward_parts
from core.benchmark.machine import describe_machine, list_versions
from core.benchmark.pages import time_pages
from core.benchmark.register import time_register
from core.benchmark.startup import measure_memory, time_startup
from core.benchmark.timing import Timing, time_parts

ROUNDS = 15
STARTS = 3


@dataclass(frozen=True)
class Benchmark:
    """What one run found.

    Parameters
    ----------
    timings : tuple of Timing
        Medians.
    fastest : float
        Median of the fastest bare forward pass, milliseconds.
    compared : frozenset of str
        Names of the timings that one image's forward pass is the measure of.
    memory : float or None
        Resident megabytes of a process that serves.
    decoding_memory : dict of str to float
        Most resident megabytes of a decoder by what it reads; empty where the system does not tell them.
    machine, versions : dict
        What it ran on.
    """

    timings: tuple[Timing, ...]
    fastest: float
    compared: frozenset[str]
    memory: float | None
    decoding_memory: dict[str, float]
    machine: dict[str, str | int | list[str]]
    versions: dict[str, str]


def run_benchmark(bundle: Path, *, rounds: int = ROUNDS, starts: int = STARTS, database: str = "") -> Benchmark:
    """Time prediction against bare forward passes and other libraries, then the evaluation and the start-up.

    Parameters
    ----------
    bundle : Path
        Folder of the bundle.
    rounds : int
        Runs of each part.
    starts : int
        Starts of the app.
    database : str
        Address of an empty PostgreSQL database for the register; by default a SQLite file.

    Returns
    -------
    Benchmark
        Medians, the measure of the ratios, memory, machine and versions.
    """
    forwards = list_forward_parts(bundle)
    one_image = forwards | list_explainer_parts(bundle) | list_case_parts(bundle)
    timings = time_parts(one_image, rounds, settle=True)
    fastest = min(t.milliseconds for t in timings if t.name in forwards and t.milliseconds is not None)
    timings += time_parts(list_bulk_parts(bundle), rounds)
    timings += time_parts(list_decoding_parts(), rounds)
    timings += time_parts(list_evaluation_parts(bundle), rounds)
    timings += time_parts(list_document_parts(bundle), rounds)
    timings += time_register(rounds, database)
    return Benchmark(
        timings=(*timings, *time_startup(starts), *time_pages(rounds, starts)),
        fastest=fastest,
        compared=frozenset(one_image),
        memory=measure_memory(bundle),
        decoding_memory=measure_decoding_memory(),
        machine=describe_machine(),
        versions=list_versions(),
    )
