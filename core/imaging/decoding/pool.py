"""Warm decoder processes that all threads share."""

import atexit
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from core.errors import BusyError
from core.imaging.decoding.decoder import Decoder
from core.imaging.decoding.limits import NICENESS
from core.settings import get_setting

_SPARE = 4
_LOOK_SECONDS = 0.05


class DecoderPool:
    """A few decoders, shared by all threads in the order in which they ask.

    A file that is dear to decode leaves its place to the next one, as long as there are spare decoders.

    Parameters
    ----------
    size : int
        Files that are decoded at the same time, those that are dear aside.
    seconds : int
        Longest time for one file; a caller waits for a decoder twice as long.
    memory_mb : int
        Most address space of one process in MB.
    niceness : int
        How far the processes stand back behind others.
    spare : int
        Decoders that are started only when they are needed.
    """

    def __init__(self, size: int, seconds: int, memory_mb: int, niceness: int = 0, spare: int = 0) -> None:
        self.size = size
        self._most, self._wait = size + spare, 2 * seconds
        self._start = partial(Decoder, seconds, memory_mb, niceness)
        self._decoders = [self._start() for _ in range(size)]
        self._free = list(self._decoders)
        self._lent: set[Decoder] = set()
        self._waiting: deque[object] = deque()
        self._state = threading.Condition()

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the present decoders."""
        return tuple(decoder.pid for decoder in self._decoders)

    @contextmanager
    def take(self) -> Iterator[Decoder]:
        """Lend a decoder."""
        decoder = self._borrow()
        try:
            yield decoder
        finally:
            with self._state:
                self._lent.remove(decoder)
                self._free.append(decoder)
                self._state.notify_all()

    def _borrow(self) -> Decoder:
        mine, end = object(), time.monotonic() + self._wait
        with self._state:
            self._waiting.append(mine)
            try:
                while self._waiting[0] is not mine or not self._has_place():
                    if time.monotonic() > end:
                        raise BusyError("Too many images are being read at the moment. Try again in a minute.")
                    self._state.wait(_LOOK_SECONDS)
                decoder = self._free.pop() if self._free else self._add()
            finally:
                self._waiting.remove(mine)
                self._state.notify_all()
            self._lent.add(decoder)
            return decoder

    def _has_place(self) -> bool:
        return len(self._lent) < self._most and sum(not decoder.is_long for decoder in self._lent) < self.size

    def _add(self) -> Decoder:
        decoder = self._start()
        self._decoders.append(decoder)
        return decoder

    def close(self) -> None:
        """End all processes."""
        with self._state:
            for decoder in self._decoders:
                decoder.close()


_starting = threading.Lock()
_pools: dict[tuple[int, bool], DecoderPool] = {}


def get_pool(*, bulk: bool = False) -> DecoderPool:
    """Return the pool that the whole process shares; the first call starts its decoders."""
    key = os.getpid(), bulk
    with _starting:
        if key not in _pools:
            size = count_cores() if bulk else get_setting("decode_workers")
            limits = get_setting("decode_seconds"), get_setting("decode_memory_mb")
            _pools[key] = DecoderPool(size, *limits, *((NICENESS, 0) if bulk else (0, _SPARE)))
            atexit.register(_close_pool, bulk=bulk)
        return _pools[key]


def count_cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _close_pool(*, bulk: bool) -> None:
    pool = _pools.pop((os.getpid(), bulk), None)
    if pool is not None:
        pool.close()
