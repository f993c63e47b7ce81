"""A warm decoder process: it takes one file at a time, and is ended and replaced when it hangs or crashes."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from core.errors import BusyError, ImageError
from core.imaging.decoding.limits import WAIT_TIMES
from core.imaging.decoding.messages import read_message, write_message

_ROOT = Path(__file__).resolve().parents[3]
_ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TZ", "LANG")
_START_SECONDS = 120
_MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(256 * 2**20),
    "MALLOC_ARENA_MAX": "1",  # each file has a thread of its own
}
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

    Attributes
    ----------
    is_long : bool
        Whether the present file is dear to decode, so that it stands back behind everything else.
    """

    def __init__(self, seconds: int, memory_mb: int, niceness: int = 0) -> None:
        self._seconds = seconds
        self._memory_mb = memory_mb
        self._niceness = niceness
        self._ready = self._closed = self.is_long = False
        self._process = self._start()

    @property
    def pid(self) -> int:
        """Process id of the present process."""
        return self._process.pid

    def ask(self, request: dict[str, object], data: bytes) -> tuple[dict[str, object], bytes]:
        """Send a file and wait for the answer."""
        if self._closed:
            raise BusyError(_CLOSING)
        if self._process.poll() is not None:
            self._replace()
        if not self._ready:
            self._ready = self._converse(_START_SECONDS) is not None
        self.is_long = False
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
        self, seconds: int, request: dict[str, object] | None = None, data: bytes = b""
    ) -> tuple[dict[str, object], bytes] | None:
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

    def _exchange(self, request: dict[str, object] | None, data: bytes) -> tuple[dict[str, object], bytes] | None:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            return None
        try:
            if request is not None:
                write_message(stdin, request, data)
            while (answer := read_message(stdout)) is not None and answer[0].get("long"):
                self.is_long = True
        except (BrokenPipeError, ConnectionError, ValueError):  # a pipe that was closed meanwhile
            return None
        return answer

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
