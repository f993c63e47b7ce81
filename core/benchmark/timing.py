"""Medians of many runs, interleaved, so that a noisy machine disturbs all parts alike."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Part = Callable[[], Any]


@dataclass(frozen=True)
class Timing:
    """One line of the benchmark.

    Parameters
    ----------
    name : str
        What was timed.
    milliseconds : float
        Median.
    rounds : int
        Number of runs behind it.
    """

    name: str
    milliseconds: float
    rounds: int


def time_parts(parts: Mapping[str, Part], rounds: int) -> list[Timing]:
    """Run every part once a round, after one run that does not count.

    Parameters
    ----------
    parts : mapping of str to callable
        What is timed, by its name.
    rounds : int
        Runs of each part.

    Returns
    -------
    list of Timing
        Medians in milliseconds.
    """
    seconds: dict[str, list[float]] = {name: [] for name in parts}
    for part in parts.values():
        part()
    for _ in range(rounds):
        for name, part in parts.items():
            started = time.perf_counter()
            part()
            seconds[name].append(time.perf_counter() - started)
    return [Timing(name, 1000 * statistics.median(values), rounds) for name, values in seconds.items()]
