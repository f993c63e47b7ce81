"""A clinic's morning: visitors who each do one thing every few seconds, and what their waits were."""

import asyncio
import itertools
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from core.benchmark.pages import AGE, UPLOADER
from core.benchmark.visitor import View, Visitor

PAGE = "Case"
ESTIMATE = "probability of a high Ki-67"
ACTIONS = ("first view", "upload", "predict", "move a value")
QUEUE = "before this one in the queue"


@dataclass
class Tally:
    """What the visitors met.

    Parameters
    ----------
    seconds : dict of str to list of float
        Waits by action.
    sizes : dict of str to list of int
        Bytes that the server sent, by action.
    errors : list of str
        What went wrong: red boxes, time-outs, broken connections, missing results.
    queued : int
        Actions during which the page showed a place in the queue.
    """

    seconds: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in ACTIONS})
    sizes: dict[str, list[int]] = field(default_factory=lambda: {name: [] for name in ACTIONS})
    errors: list[str] = field(default_factory=list)
    queued: int = 0

    @property
    def n(self) -> int:
        """Number of actions that were answered."""
        return sum(map(len, self.seconds.values()))

    def add(self, other: "Tally") -> None:
        """Add what others met."""
        for name, waits in other.seconds.items():
            self.seconds[name] += waits
        self.errors += other.errors
        self.queued += other.queued

    def quantile(self, percent: int, action: str | None = None) -> float:
        """Give a percentile of the waits of an action, or of all actions, in seconds."""
        waits = self.seconds[action] if action else [wait for waits in self.seconds.values() for wait in waits]
        return statistics.quantiles(waits, n=100, method="inclusive")[percent - 1] if len(waits) > 1 else max(waits)


async def visit(
    address: str, sessions: int, *, every: float, seconds: float, patience: float, images: list[bytes]
) -> Tally:
    """Let visitors use the app at the same time; they arrive over one visit's length, and count once all are there.

    Parameters
    ----------
    address : str
        Of the app.
    sessions : int
        Visitors.
    every : float
        Seconds between the starts of a visitor's actions.
    seconds : float
        How long they go on once all are there.
    patience : float
        Longest wait for an answer; then it counts as a time-out.
    images : list of bytes
        Files that they upload in turn.

    Returns
    -------
    Tally
        Waits and errors.
    """
    tally, files = Tally(), itertools.cycle(images)
    arrival = every * len(ACTIONS)
    begin = time.monotonic() + arrival
    starts = [arrival * i / sessions for i in range(sessions)]
    visits = (_come_and_go(address, files, tally, start, every, (begin, begin + seconds), patience) for start in starts)
    await asyncio.gather(*visits)
    return tally


async def _come_and_go(
    address: str,
    files: Iterator[bytes],
    tally: Tally,
    start: float,
    every: float,
    counted: tuple[float, float],
    patience: float,
) -> None:
    """Go through the four actions again and again, each time in a new session."""
    await asyncio.sleep(start)
    due, ages = time.monotonic(), itertools.cycle(range(30, 80))
    while due < counted[1]:
        visitor = Visitor(address, patience)
        steps: tuple[Callable[[], Awaitable[View]], ...] = (
            partial(visitor.open, PAGE),
            partial(visitor.upload, UPLOADER, next(files)),
            partial(visitor.press, "Estimate"),
            partial(visitor.move, "number_input", AGE, float(next(ages))),
        )
        for name, step in zip(ACTIONS, steps, strict=True):
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due = max(due + every, time.monotonic())
            counts = time.monotonic() >= counted[0]
            if time.monotonic() >= counted[1] or not await _act(name, step, tally if counts else Tally()):
                break
        await visitor.close()


async def _act(name: str, step: Callable[[], Awaitable[View]], tally: Tally) -> bool:
    """Time one action; give whether the visitor can go on."""
    began = time.monotonic()
    try:
        view = await step()
    except Exception as error:  # noqa: BLE001 - whatever a visitor meets is counted
        tally.errors.append(f"{name}: {type(error).__name__}: {error}"[:200])
        return False
    tally.seconds[name].append(time.monotonic() - began)
    tally.sizes[name].append(view.size)
    tally.queued += any(QUEUE in text for text in view.texts)
    tally.errors += [f"{name}: {text}" for text in view.errors]
    if name in ACTIONS[2:] and not any(ESTIMATE in text for text in view.texts):
        tally.errors.append(f"{name}: no estimate came")
    return not view.errors
