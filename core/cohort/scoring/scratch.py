"""A temporary folder for one upload: private, gone with its owner, and swept after a process that was killed."""

import os
import shutil
import sys
import weakref
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from typing import IO

if sys.platform != "win32":
    import fcntl

PREFIX = "sonoki-"
LOCK = ".lock"


class ScratchFolder:
    """A folder that only this user can read; it is deleted by `remove`, with this object, or at the next start."""

    def __init__(self) -> None:
        self.path = Path(mkdtemp(prefix=PREFIX))
        held = (self.path / LOCK).open("wb")
        _lock(held)
        self._end = weakref.finalize(self, _remove, self.path, held)

    def remove(self) -> None:
        """Delete the folder and all that lies in it."""
        self._end()


def sweep_scratch() -> int:
    """Delete the folders of this user whose process is gone."""
    return sum(map(_sweep, Path(gettempdir()).glob(f"{PREFIX}*"))) if sys.platform != "win32" else 0


def _sweep(folder: Path) -> bool:
    """Delete a folder unless a process holds its lock."""
    try:
        if folder.is_symlink() or folder.lstat().st_uid != os.getuid():
            return False
        with (folder / LOCK).open("rb") as lock:
            _lock(lock)
            shutil.rmtree(folder)
    except OSError:
        return False
    return True


def _lock(file: IO[bytes]) -> None:
    """Lock a file for as long as it is open; an error where another process has it."""
    if sys.platform != "win32":
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _remove(folder: Path, held: IO[bytes]) -> None:
    held.close()
    shutil.rmtree(folder, ignore_errors=True)
