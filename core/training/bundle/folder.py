"""The folder that a training writes: beside the bundle that it replaces, which stays whole until the new one is."""

import ctypes
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.errors import UsageError, WorkError, name_cause
from models.bundle import MANIFEST

AT_FDCWD, RENAME_EXCHANGE = -100, 2


@dataclass(frozen=True)
class TrainingFolder:
    """Where a training keeps what it has done, and where it writes."""

    cache: Path  # features of the images; it stays after a stop, so that the training goes on
    new: Path  # empty folder for the bundle's files


def check_target(out: Path, *, replace: bool | None) -> None:
    """Refuse a folder that a training must not write to; `replace` is None where a bundle can't be replaced at all."""
    if not out.exists():
        return
    if not out.is_dir():
        raise UsageError(f"--out {out.name} is a file: give a folder for the bundle.")
    if (out / MANIFEST).exists():
        if not replace:
            way = "choose another name." if replace is None else "give --replace to replace it, or another folder."
            raise UsageError(f"{out.name} holds a bundle already: {way}")
    elif any(out.iterdir()):
        raise UsageError(f"{out.name} holds files but is not a bundle: give an empty or a new folder.")


@contextmanager
def open_training_folder(out: Path, *, replace: bool | None) -> Iterator[TrainingFolder]:
    """Give a place to write a bundle, and put the bundle into its folder once it is whole."""
    check_target(out, replace=replace)
    work = out.resolve().with_name(f".{out.resolve().name}.training")
    place = TrainingFolder(work / "features", work / "new")
    try:
        place.cache.mkdir(parents=True, exist_ok=True)
        with (work / "lock").open("w") as lock:
            _lock(lock.fileno(), out)
            shutil.rmtree(place.new, ignore_errors=True)
            place.new.mkdir()
            try:
                yield place
                put_in_place(place.new, out.resolve())
            finally:
                if not place.new.exists() or not any(place.cache.iterdir()):
                    shutil.rmtree(work)
    except OSError as error:
        raise WorkError(
            f"A file of the training can't be read or written ({name_cause(error)}): make room where "
            f"{out.name} is written; what is done is kept, and the next run goes on."
        ) from None


def _lock(descriptor: int, out: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise WorkError(f"Another training writes to {out.name}: wait for its end, or choose another --out.") from None


def put_in_place(new: Path, out: Path) -> None:
    """Give the new folder the name of the bundle, in one step where the system can exchange two names."""
    if not out.exists():
        new.rename(out)
    elif _exchange(new, out):
        shutil.rmtree(new)
    else:
        old = new.with_name("old")
        out.rename(old)
        new.rename(out)
        shutil.rmtree(old)


def _exchange(first: Path, second: Path) -> bool:
    """Exchange two names in one step (Linux, most file systems); False where that is not to be had."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    return rename is not None and not rename(
        AT_FDCWD, os.fsencode(first), AT_FDCWD, os.fsencode(second), RENAME_EXCHANGE
    )
