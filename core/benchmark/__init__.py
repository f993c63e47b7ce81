"""`python -m core benchmark`: how long the parts take, in one run; a file a subject."""

from pathlib import Path

from core.benchmark.case import list_case_parts
from core.benchmark.evaluation import list_evaluation_parts
from core.benchmark.timing import Timing, time_parts

ROUNDS = 15


def run_benchmark(bundle: Path, *, rounds: int = ROUNDS) -> list[Timing]:
    """Time prediction, its parts and the evaluation.

    Parameters
    ----------
    bundle : Path
        Folder of the bundle.
    rounds : int
        Runs of each part.

    Returns
    -------
    list of Timing
        Medians in milliseconds.
    """
    return time_parts(list_case_parts(bundle) | list_evaluation_parts(bundle), rounds)
