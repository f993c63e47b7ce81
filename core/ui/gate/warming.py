"""What the first visitor would wait for is made while nobody visits: network, modules, simulated cohort, register."""

import string
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from threading import Condition

LONGEST_SECONDS = 10.0
# In the order in which visitors come to them.
MODULES = (
    "core.ui.case.answer",
    "core.ui.cohort.current",
    "statsmodels.stats.proportion",
    "core.documents.collect_board",
    "core.register.store",
    "core.documents.collect_results",
)


def list_steps() -> list[Callable[[], object]]:
    """List what is made, one after another."""
    from core.inference.queue.memory import give_back_memory  # noqa: PLC0415 - the server starts without them
    from core.ui.resources import get_simulated, get_worker  # noqa: PLC0415

    modules = (partial(import_module, name) for name in MODULES)
    return [get_worker, *modules, _load_letters, get_simulated, give_back_memory, _start_reading, _sweep]


def _load_letters() -> None:
    """Read the outlines of the letters that figures are labelled with."""
    from core.figures.drawing.fonts import measure  # noqa: PLC0415

    for bold in (False, True):
        measure(string.ascii_letters + string.digits + string.punctuation, 1, bold=bold)


def _sweep() -> None:
    """Delete what killed servers left."""
    from core.cohort.scoring.scratch import sweep_scratch  # noqa: PLC0415

    sweep_scratch()


def _start_reading() -> None:
    from core.ui.monitoring.source import start_reading  # noqa: PLC0415

    start_reading()


class Warming:
    """The making beside the visitors: it waits while a page runs, since both would share one interpreter."""

    def __init__(self) -> None:
        self._state = Condition()
        self._pages = 0
        self._is_making = False
        self._is_over = False

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Let the making begin nothing more for as long as the block, a run of a page, takes."""
        with self._state:
            self._pages += 1
        try:
            yield
        finally:
            with self._state:
                self._pages -= 1
                self._state.notify_all()

    def wait(self) -> None:
        """Wait for what is being made: two threads that import at once may find each other's modules half loaded."""
        with self._state:
            self._state.wait_for(lambda: not self._is_making, LONGEST_SECONDS)

    def make(self, steps: list[Callable[[], object]]) -> None:
        """Make each thing; one that fails fails again, and is said, where it is needed."""
        for step in steps:
            with self._state:
                self._state.wait_for(lambda: self._is_over or not self._pages)
                if self._is_over:
                    return
                self._is_making = True
            with suppress(Exception):
                step()
            with self._state:
                self._is_making = False
                self._state.notify_all()

    def stop(self) -> None:
        """Make nothing more: the server ends."""
        with self._state:
            self._is_over = True
            self._state.notify_all()


WARMING = Warming()
