"""Folders and files that their owner alone may open: 0700 and 0600, whatever the process's umask is."""

import os
from collections.abc import Iterable
from pathlib import Path

from core.errors import WorkError

FOLDER_MODE, FILE_MODE = 0o700, 0o600
OTHERS = 0o077


def find_data_folder() -> Path:
    """Give the user's folder of SonoKi's data, closed to others; it is made when something is first kept in it."""
    return _find("XDG_DATA_HOME", Path.home() / ".local" / "share")


def find_config_folder() -> Path:
    """Give the user's folder of what must not lie beside the data; closed to others, made when first needed."""
    return _find("XDG_CONFIG_HOME", Path.home() / ".config")


def make_private_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, and close it to others."""
    for missing in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
        missing.mkdir(mode=FOLDER_MODE, exist_ok=True)
    _close(folder, FOLDER_MODE)


def make_private_file(path: Path) -> None:
    """Make an empty file, or keep the one that is there, and close it to others."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, FILE_MODE))
    _close(path, FILE_MODE)


def write_private_file(path: Path, data: bytes) -> None:
    """Write a file that its owner alone may open; one that is there is closed to others before it is written."""
    write_private_parts(path, [data])


def write_private_parts(path: Path, parts: Iterable[bytes]) -> None:
    """Write such a file part by part."""
    make_private_file(path)
    with path.open("wb") as file:
        file.writelines(parts)


def _find(variable: str, default: Path) -> Path:
    folder = Path(os.environ.get(variable) or default) / "sonoki"
    if folder.is_dir():
        _close(folder, FOLDER_MODE)
    return folder


def _close(path: Path, mode: int) -> None:
    is_stored = path.is_file() or path.is_dir()  # no terminal or pipe
    if os.name != "posix" or not is_stored or not path.stat().st_mode & OTHERS:
        return
    try:
        path.chmod(mode)
    except PermissionError:
        raise WorkError(
            f"Others may open '{path.name}', which holds patients' data, and it belongs to another user: "
            f"let its owner run chmod {mode:o} on it."
        ) from None
