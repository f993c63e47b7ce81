"""Warm decoder processes: each takes one file at a time, and is ended and replaced when it hangs or crashes."""

import atexit
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, LifoQueue
from typing import Any

from core.errors import BusyError, ImageError, WorkError
from core.imaging.decoding.limits import WAIT_TIMES
from core.imaging.decoding.messages import read_message, write_message
from core.settings import get_setting

_ROOT = Path(__file__).resolve().parents[3]
_ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TZ", "LANG")
_START_SECONDS = 120
_MALLOC = {"MALLOC_MMAP_THRESHOLD_": str(32 * 2**20), "MALLOC_TRIM_THRESHOLD_": str(256 * 2**20)}
_BULK_NICENESS = 10
_ENDS = {-getattr(signal, name): name for name in ("SIGPROF", "SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)}
_END_SECONDS = 10
_CLOSING = "The image was not read, because the server is closing. Upload it again when it is back."
_BUSY = "The image could not be read in time, because the server is busy with others. Try again in a minute."
_CRASHED = "The image file made its decoder fail. It is damaged, or needs more memory than is allowed; export it again."


class Decoder:
    """One decoder process.

    Parameters
    ----------
    seconds : int
        Most seconds of computing for one file; starting the process and waiting for a core do not count.
    memory_mb : int
        Most address space in MB.
    niceness : int
        How far the process stands back behind others; 0 not at all.
    """

    def __init__(self, seconds: int, memory_mb: int, niceness: int = 0) -> None:
        self._seconds = seconds
        self._memory_mb = memory_mb
        self._niceness = niceness
        self._ready = self._closed = False
        self._process = self._start()

    @property
    def pid(self) -> int:
        """Process id of the present process."""
        return self._process.pid

    def ask(self, request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        """Send a file and wait for the answer.

        Parameters
        ----------
        request : dict
            What `core.imaging.decoding.process.answer` takes.
        data : bytes
            The file.

        Returns
        -------
        tuple of (dict, bytes)
            Header and body of the answer.

        Raises
        ------
        ImageError
            If the process had to be ended; it has been replaced.
        WorkError
            If the server is closing, or too busy: no verdict on the file.
        """
        if self._closed:
            raise BusyError(_CLOSING)
        if self._process.poll() is not None:
            self._replace()
        if not self._ready:
            self._ready = self._converse(_START_SECONDS) is not None
        answer = self._converse(WAIT_TIMES * self._seconds, request, data) if self._ready else None
        if answer is None:
            raise ImageError(_CRASHED)
        return answer

    def close(self) -> None:
        """End the process for good; a file that it has at hand gets no verdict."""
        self._closed = True
        self._stop()

    def _stop(self) -> None:
        """End the process and close its pipes."""
        process = self._process
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                _close(pipe)

    @staticmethod
    def _end(process: subprocess.Popen[bytes], timed_out: threading.Event) -> None:
        timed_out.set()
        process.kill()

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        environment |= _MALLOC  # memory of one array is kept for the next: new pages cost as much as the computing
        numbers = map(str, (self._memory_mb, self._seconds, self._niceness))
        return subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
            [sys.executable, "-m", "core.imaging.decoding.process", *numbers],
            cwd=_ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def _converse(
        self, seconds: int, request: dict[str, Any] | None = None, data: bytes = b""
    ) -> tuple[dict[str, Any], bytes] | None:
        """Write a request, if there is one, and read a message within the time; None if the process ended instead."""
        timed_out = threading.Event()
        watchdog = threading.Timer(seconds, self._end, (self._process, timed_out))
        answer = None
        watchdog.start()
        try:
            answer = self._exchange(request, data)
        finally:
            watchdog.cancel()
            watchdog.join()
            ended_by = "" if answer is not None else self._find_end()
            if answer is None or timed_out.is_set():
                self._replace()
        if ended_by == "SIGPROF":
            raise ImageError(
                f"The image took longer than {self._seconds} seconds to decode. Export it again, or smaller."
            )
        if answer is None and (self._closed or ended_by):
            raise BusyError(_CLOSING)
        if timed_out.is_set():
            raise BusyError(_BUSY)
        return answer

    def _find_end(self) -> str:
        """Name the signal by which the process was ended, of those that say something; empty for a crash."""
        try:
            return _ENDS.get(self._process.wait(_END_SECONDS), "")
        except subprocess.TimeoutExpired:
            return ""

    def _exchange(self, request: dict[str, Any] | None, data: bytes) -> tuple[dict[str, Any], bytes] | None:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            return None
        try:
            if request is not None:
                write_message(stdin, request, data)
            return read_message(stdout)
        except (BrokenPipeError, ConnectionError, ValueError):  # a pipe that was closed meanwhile
            return None

    def _replace(self) -> None:
        self._stop()
        self._ready = False
        if self._closed:
            return
        self._process = self._start()


def _close(pipe: Any) -> None:
    """Close a pipe whose reader may be gone."""
    try:
        pipe.close()
    except BrokenPipeError:
        return


class DecoderPool:
    """A few decoders, shared by all threads.

    Parameters
    ----------
    size : int
        Number of processes.
    seconds : int
        Longest time for one file; a caller waits for a free decoder twice as long.
    memory_mb : int
        Most address space of one process in MB.
    niceness : int
        How far the processes stand back behind others.
    """

    def __init__(self, size: int, seconds: int, memory_mb: int, niceness: int = 0) -> None:
        self.size = size
        self._wait = 2 * seconds
        self._decoders = [Decoder(seconds, memory_mb, niceness) for _ in range(size)]
        self._free: LifoQueue[Decoder] = LifoQueue()
        for decoder in self._decoders:
            self._free.put(decoder)

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the present decoders."""
        return tuple(decoder.pid for decoder in self._decoders)

    @contextmanager
    def take(self) -> Iterator[Decoder]:
        """Lend a decoder.

        Yields
        ------
        Decoder
            One that nobody else uses.

        Raises
        ------
        WorkError
            If all stay busy.
        """
        try:
            decoder = self._free.get(timeout=self._wait)
        except Empty:
            raise WorkError("Too many images are being read at the moment. Try again in a minute.") from None
        try:
            yield decoder
        finally:
            self._free.put(decoder)

    def close(self) -> None:
        """End all processes."""
        for decoder in self._decoders:
            decoder.close()


_starting = threading.Lock()
_pools: dict[tuple[int, bool], DecoderPool] = {}


def get_pool(*, bulk: bool = False) -> DecoderPool:
    """Return the pool that the whole process shares; the first call starts its decoders.

    A forked process gets a pool of its own, for it must not talk through its parent's pipes.

    Parameters
    ----------
    bulk : bool
        The pool for a cohort's images: a decoder a core, which stand back behind everything else, so that an upload
        waits for none of them.

    Returns
    -------
    DecoderPool
        The pool; it is closed when the interpreter ends.
    """
    key = os.getpid(), bulk
    with _starting:
        if key not in _pools:
            size = count_cores() if bulk else get_setting("decode_workers")
            limits = get_setting("decode_seconds"), get_setting("decode_memory_mb")
            _pools[key] = DecoderPool(size, *limits, _BULK_NICENESS if bulk else 0)
            atexit.register(_close_pool, bulk=bulk)
        return _pools[key]


def count_cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _close_pool(*, bulk: bool) -> None:
    pool = _pools.pop((os.getpid(), bulk), None)
    if pool is not None:
        pool.close()
