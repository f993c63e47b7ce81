"""Medians of many runs, interleaved, so that a noisy machine disturbs all parts alike."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Part = Callable[[], object]  # what is timed, by its name; None where its library is not installed


@dataclass(frozen=True)
class Timing:
    """One line of the benchmark.

    Parameters
    ----------
    name : str
        What was timed.
    milliseconds : float or None
        Median; None where the library is not installed.
    rounds : int
        Number of runs behind it.
    kilobytes : float or None
        Median of what the server sent meanwhile; None where it sends nothing.
    p95_milliseconds : float or None
        95th percentile, of what a visitor waits for.
    """

    name: str
    milliseconds: float | None
    rounds: int
    kilobytes: float | None = None
    p95_milliseconds: float | None = None


def time_parts(parts: Mapping[str, Part | None], rounds: int, *, settle: bool = False) -> list[Timing]:
    """Run every part once a round, after one run that does not count; medians in milliseconds.

    A part whose library is not installed is None. With `settle` each timed run follows an untimed one of the same part:
    the threads of several libraries go on spinning for a while after a pass, and would slow down whichever part comes
    next.
    """
    present = {name: part for name, part in parts.items() if part is not None}
    seconds: dict[str, list[float]] = {name: [] for name in present}
    for part in present.values():
        part()
    for _ in range(rounds):
        for name, part in present.items():
            if settle:
                part()
            seconds[name].append(_time(part))
    return [_summarise(name, seconds.get(name, [])) for name in parts]


def _time(part: Part) -> float:
    started = time.perf_counter()
    part()
    return time.perf_counter() - started


def _summarise(name: str, seconds: list[float]) -> Timing:
    return Timing(name, 1000 * statistics.median(seconds) if seconds else None, len(seconds))
