"""Start and stop the process of a training; there is one at a time, and its lock says whether it runs."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from core.errors import BusyError, WorkError, name_cause
from core.training.run.record import RunFolder
from core.training.run.workplace import find_workplace, remove, sweep

ROOT = Path(__file__).parents[3]
COMMAND: Sequence[str] = (sys.executable, "-W", "ignore", "-m", "core.training.run")
LOCK = "lock"
TRIES, TRY_SECONDS = 5, 0.05
NEEDED = {"torch": "torch", "torchvision": "torchvision", "onnx": "onnx", "sklearn": "scikit-learn"}
IN_USE = "A training of yours or of another admin runs on it: wait for its end, or stop it first."
BUSY = "A training runs already, of yours or of another admin: wait for its end, or stop it."
_children: list[subprocess.Popen[bytes]] = []


def list_missing() -> list[str]:
    """Name the packages that training needs and this install lacks."""
    return [package for module, package in NEEDED.items() if find_spec(module) is None]


def find_running() -> RunFolder | None:
    """Give the training that runs, or None."""
    try:
        with (find_workplace() / LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        _, folder = _read_lock()
        return RunFolder(folder)
    except OSError:
        return None
    return None


def start(run: RunFolder) -> None:
    """Start a training, or let a stopped one go on."""
    _forget_ended()
    path = find_workplace() / LOCK
    try:
        with path.open("a+b") as lock:
            _take(lock.fileno())  # the process inherits the lock, and holds it to its end
            path.write_text(f"0 {run.path}", encoding="utf-8")
            run.begin()
            command = [*COMMAND, str(run.path), str(lock.fileno())]
            environ = os.environ | {"OMP_NUM_THREADS": "1"}
            child = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
                command,
                cwd=ROOT,
                env=environ,
                pass_fds=[lock.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
            _children.append(child)
            path.write_text(f"{child.pid} {run.path}", encoding="utf-8")
    except BlockingIOError:
        raise BusyError(BUSY) from None
    except OSError as error:
        reason = name_cause(error)
        raise WorkError(f"The training can't be started ({reason}): let whoever runs SonoKi make room.") from None


def stop(run: RunFolder) -> None:
    """End a training at once; what is done is kept, since each of its files is whole or not there."""
    running = find_running()
    if running is None or running.path != run.path:
        return
    run.note_stop()
    pid, _ = _read_lock()
    if pid:
        os.kill(pid, signal.SIGTERM)
    for child in _children:
        if child.pid == pid:
            child.wait()
    _forget_ended()


def remove_unused(folder: Path) -> None:
    """Remove a package or a training, unless it is that of the training that runs."""
    if folder in _list_used():
        raise BusyError(IN_USE)
    remove(folder)


def sweep_unused() -> None:
    """Remove what is old, but nothing of the training that runs."""
    sweep(kept=_list_used())


def _list_used() -> set[Path]:
    """List the folders that the training that runs needs: its own, and that of its table."""
    running = find_running()
    if running is None:
        return set()
    with suppress(WorkError):  # it has just been removed by hand
        return {running.path, *running.read_order().manifest.parents}
    return {running.path}


def _take(lock: int) -> None:
    """Take the lock; a page that just looks holds it for a moment, so a few tries."""
    for _ in range(TRIES):
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(TRY_SECONDS)
    raise BlockingIOError


def _read_lock() -> tuple[int, Path]:
    pid, _, folder = (find_workplace() / LOCK).read_text(encoding="utf-8").partition(" ")
    return int(pid or 0), Path(folder)


def _forget_ended() -> None:
    _children[:] = [child for child in _children if child.poll() is None]
