"""Places for work that is dear: one for each owner at a time, in fair order."""

import math
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Condition

from core.errors import BusyError

OWNER: ContextVar[str] = ContextVar("work_owner", default="")


class Turns:
    """Places that the owners of work share: after each turn, its owner stands back behind all who wait.

    Parameters
    ----------
    own, others : str
        Sentences for who waits too long: for work of their own, for others'.
    places : float
        How much may run at the same time.
    """

    def __init__(self, own: str, others: str = "", places: float = math.inf) -> None:
        self._sentences, self._places = (others or own, own), places
        self._busy: list[str] = []
        self._waiting: deque[tuple[object, str]] = deque()
        self._state = Condition()

    @contextmanager
    def take(self, seconds: float) -> Iterator[None]:
        """Run when a place is free and the present owner has none; without an owner, as on the command line, all may.

        Whoever waits for longer than the given seconds is refused.
        """
        owner, mine = OWNER.get(), object()
        with self._state:
            self._waiting.append((mine, owner))
            try:
                if not self._state.wait_for(lambda: self._is_next(mine), seconds):
                    raise BusyError(self._sentences[self._is_busy(owner)])
                self._busy.append(owner)
            finally:
                self._waiting = deque(entry for entry in self._waiting if entry[0] is not mine)
                self._state.notify_all()
        try:
            yield
        finally:
            with self._state:
                self._busy.remove(owner)
                self._waiting = deque(sorted(self._waiting, key=lambda entry: entry[1] == owner))
                self._state.notify_all()

    def _is_next(self, mine: object) -> bool:
        first = next((key for key, owner in self._waiting if not self._is_busy(owner)), None)
        return first is mine and len(self._busy) < self._places

    def _is_busy(self, owner: str) -> bool:
        return bool(owner) and owner in self._busy
