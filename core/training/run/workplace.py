"""The folder of uploaded packages and of trainings: private, one folder each under a random name, swept by age."""

import os
import secrets
import shutil
import time
from collections.abc import Set
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from core.cohort.scoring.package import TABLES, unpack_package
from core.errors import WorkError, name_cause
from core.private_files import find_data_folder, make_private_folder
from core.settings import find_cohorts_folder, get_setting, get_text_setting
from core.training.run.record import Order, RunFolder

PACKAGES, RUNS, TABLE = "packages", "runs", ".table"
DAY_SECONDS = 86_400
MOST_FOLDERS = 1_000
UNWRITABLE = "The server can't write to its folder of trainings ({reason}): whoever runs SonoKi makes room there."


@dataclass(frozen=True)
class Source:
    """Something to train on: an uploaded package, or a table in a folder of the server."""

    manifest: Path  # the table
    label: str  # as a page names it
    package: Path | None = None  # the folder of an uploaded package, which can be removed


def find_workplace() -> Path:
    """Give the folder that the setting "training_folder" names."""
    named = get_text_setting("training_folder")
    return Path(named) if named else find_data_folder() / "training"


def keep_package(data: bytes) -> Source:
    """Unpack an uploaded package; one that can't be unpacked leaves nothing."""
    folder = _make(PACKAGES)
    try:
        manifest = unpack_package(data, folder)
        (folder / TABLE).write_text(str(manifest.relative_to(folder)), encoding="utf-8")
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise WorkError(UNWRITABLE.format(reason=name_cause(error))) from None
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return _describe_package(folder, manifest)


def list_sources() -> list[Source]:
    """List the uploaded packages, the newest first, and the tables below the setting "cohorts"."""
    packages = []
    for folder in _list(PACKAGES):
        try:
            manifest = folder / (folder / TABLE).read_text(encoding="utf-8")
        except OSError:
            continue
        packages.append(_describe_package(folder, manifest))
    return [*packages, *_list_tables()]


def add_run(order: Order) -> RunFolder:
    """Make the folder of a training."""
    run = RunFolder(_make(RUNS))
    try:
        run.write_order(order)
    except OSError as error:
        shutil.rmtree(run.path, ignore_errors=True)
        raise WorkError(UNWRITABLE.format(reason=name_cause(error))) from None
    return run


def list_runs() -> list[RunFolder]:
    """List the trainings, the newest first."""
    return [RunFolder(folder) for folder in _list(RUNS)]


def remove(folder: Path) -> None:
    """Remove a package or a training with all that belongs to it."""
    shutil.rmtree(folder, ignore_errors=True)


def sweep(kept: Set[Path] = frozenset()) -> None:
    """Remove packages and trainings that are older than the setting "training_days", but for those kept."""
    oldest = time.time() - get_setting("training_days") * DAY_SECONDS
    for folder in (*_list(PACKAGES), *_list(RUNS)):
        if _read_age(folder) < oldest and folder not in kept:
            remove(folder)


def _make(room: str) -> Path:
    folder = find_workplace() / room / secrets.token_hex(8)
    try:
        make_private_folder(find_workplace())
        make_private_folder(folder)
    except OSError as error:
        raise WorkError(UNWRITABLE.format(reason=name_cause(error))) from None
    return folder


def _list(room: str) -> list[Path]:
    try:
        folders = [Path(entry.path) for entry in os.scandir(find_workplace() / room) if entry.is_dir()]
    except OSError:
        return []
    return sorted(folders, key=_read_age, reverse=True)


def _read_age(folder: Path) -> float:
    """Give when a folder was changed last; one that another admin removes at this moment is as new as can be."""
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:
        return time.time()


def _describe_package(folder: Path, manifest: Path) -> Source:
    when = datetime.fromtimestamp(_read_age(folder), UTC)
    return Source(manifest, f"Package uploaded {when:%Y-%m-%d %H:%M:%S} UTC", folder)


def _list_tables() -> list[Source]:
    """List the tables in the folder of the setting "cohorts" and in the folders directly below it."""
    root = find_cohorts_folder()
    if root is None:
        return []
    try:
        folders = [root, *sorted(path for path in root.iterdir() if path.is_dir())][:MOST_FOLDERS]
        tables = [path for folder in folders for path in sorted(folder.iterdir()) if path.name.endswith(TABLES)]
    except OSError:
        raise WorkError("The folder of the setting SONOKI_COHORTS can't be read: tell whoever runs SonoKi.") from None
    return [Source(path, str(path.relative_to(root))) for path in tables if path.is_file()]
