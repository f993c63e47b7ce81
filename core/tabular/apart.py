"""A process of its own for one file from outside: its memory and time are bounded, and its failures are sentences.

The parent calls `read_apart`; the child's module calls `serve`.
"""

import json
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import IO

from core.errors import TableError
from core.settings import get_setting
from core.turns import Turns

if sys.platform != "win32":
    import resource

AT_ONCE = 4
STEPS_BACK_SECONDS, NICENESS = 1.0, 10
ROOM = 32 * 2**20
ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TZ", "LANG")
BUSY = "Other tables are being read at the moment. Try again in a minute."
OWN_BUSY = "Another table of yours is still being read. Try again in a minute."
REFUSED, DONE = b"R", b"D"

_places = Turns(OWN_BUSY, BUSY, AT_ONCE)


@dataclass(frozen=True)
class Sentences:
    """What is said of a file that a reader can't bear."""

    # damaged, crashed, too_slow, too_large: a library failed; the process failed; "{seconds}" were not enough; the
    # memory was not
    damaged: str
    crashed: str
    too_slow: str
    too_large: str


def read_apart(module: str, how: object, content: bytes, sentences: Sentences) -> bytes:
    """Let a module that calls `serve` read a file in a process of its own; `how` is what else it has to know, as JSON.

    A TableError if it refuses the file, or not within the limits; a BusyError if others are being read for too long.
    """
    seconds = get_setting("table_seconds")
    command = [sys.executable, "-m", module, str(get_setting("table_memory_mb")), str(int(seconds) + 5)]
    with (
        _places.take(2 * seconds),
        subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
            command,
            cwd=ROOT,
            env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ} | {"OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process,
    ):
        answer = _converse(process, json.dumps(how).encode() + b"\n" + content, seconds, sentences)
    if process.returncode or not answer:
        raise TableError(sentences.crashed)
    if answer[:1] != DONE:
        raise TableError(json.loads(answer[1:]))
    return answer[1:]


def serve(read: Callable[[bytes, object], bytes], sentences: Sentences) -> None:
    """Read one file from standard input within limits, and answer on standard output."""
    memory_mb, seconds = map(int, sys.argv[1:])
    warnings.simplefilter("ignore")
    output = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    how, content = json.loads(sys.stdin.buffer.readline()), sys.stdin.buffer.read()
    _limit_process(memory_mb, seconds)
    output.write(answer(read, how, content, sentences))
    output.flush()


def answer(read: Callable[[bytes, object], bytes], how: object, content: bytes, sentences: Sentences) -> bytes:
    """Read a file, or say why not."""
    try:
        return DONE + read(content, how)
    except TableError as error:
        return REFUSED + json.dumps(str(error)).encode()
    except (MemoryError, ImportError):  # a library that no longer fits can't be loaded
        return REFUSED + json.dumps(sentences.too_large).encode()
    except BaseException:  # noqa: BLE001 - whatever a broken file makes a library raise, a panic of Rust too, ends here
        return REFUSED + json.dumps(sentences.damaged if _has_room() else sentences.too_large).encode()


def _limit_process(memory_mb: int, seconds: int) -> None:
    """Bound this process's memory and time, and let it write no file, as far as the system can."""
    if sys.platform == "win32":
        return
    signal.alarm(seconds)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform.startswith("linux"):
        resource.setrlimit(resource.RLIMIT_AS, (memory_mb * 2**20, memory_mb * 2**20))


def _has_room() -> bool:
    """Whether memory is left: a library that gets none may fail in a way of its own."""
    try:
        return bool(bytearray(ROOM))
    except MemoryError:
        return False


def _converse(process: subprocess.Popen[bytes], request: bytes, seconds: float, sentences: Sentences) -> bytes:
    """Wait for the answer; a long file stands back behind everything else, and one that takes too long is given up."""
    soon = min(STEPS_BACK_SECONDS, seconds)
    sender = Thread(target=_send, args=(process.stdin, request), daemon=True)
    process.stdin = None  # `communicate` sends nothing more after its first time-out
    sender.start()
    try:
        with suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=soon)[0]
        _stand_back(process.pid)
        return process.communicate(timeout=seconds - soon)[0]
    except subprocess.TimeoutExpired:
        raise TableError(sentences.too_slow.format(seconds=seconds)) from None
    finally:
        process.kill()
        sender.join()


def _send(pipe: IO[bytes], request: bytes) -> None:
    with suppress(OSError), pipe:  # the reader may be over before it has read all
        pipe.write(request)


def _stand_back(pid: int) -> None:
    with suppress(OSError, AttributeError):  # it may be over; Windows has no such thing
        os.setpriority(os.PRIO_PROCESS, pid, os.nice(0) + NICENESS)
