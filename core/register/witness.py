"""The last entry that was seen in a database, kept outside it: a shortened or replaced database is found by it."""

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from core.errors import UsageError, WorkError
from core.private_files import make_private_file, make_private_folder

try:
    import fcntl
except ImportError:  # Windows has no such locks; there the processes of one user share no lock
    fcntl = None  # type: ignore[assignment]

UNSEEN = re.compile(r"[\s\u200b\u2060]")  # a document breaks a long hash at spaces that have no width
ANCHOR = re.compile(r"(\d{1,9}):([0-9a-f]{16,64})")


@dataclass(frozen=True)
class Anchor:
    """An entry's number and the first digits of its hash, at least 16."""

    number: int  # from 1; 0 before the first entry
    hash: str  # hexadecimal

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> "Anchor":
        """Read "NUMBER:HASH", as documents of a meeting print it."""
        found = ANCHOR.fullmatch(UNSEEN.sub("", text).lower())
        if found is None:
            raise UsageError("An expected entry is NUMBER:HASH, at least 16 digits, as a meeting's document prints it.")
        return cls(int(found[1]), found[2])


class Witness:
    """Remembers the last entry of one database in a file of the user's configuration folder.

    Parameters
    ----------
    folder : Path
        Where the files lie.
    place : str
        Where the database lies; the file is named by its hash.
    """

    def __init__(self, folder: Path, place: str) -> None:
        self._path = folder / f"{hashlib.sha256(place.encode('utf-8')).hexdigest()[:32]}.seen"
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Name of the file."""
        return self._path.name

    def is_there(self) -> bool:
        """Whether an entry was ever seen."""
        return self._path.exists()

    def read(self) -> Anchor | None:
        """Give the last entry seen, or None where none was."""
        try:
            text = self._path.read_text(encoding="ascii", errors="replace").strip()
        except FileNotFoundError:
            return None
        return _parse(text)

    def keep(self, number: int, entry_hash: str, *, lower: bool = False) -> None:
        """Remember an entry that comes after the one that is remembered.

        With `lower` an earlier one may take its place.
        """
        try:
            make_private_folder(self._path.parent)
            make_private_file(self._path)
            with self._lock, self._path.open("r+", encoding="ascii") as file, _locked(file):
                seen = None if lower else _parse(file.read().strip())
                if seen is None or number > seen.number:
                    file.seek(0)
                    file.write(f"{Anchor(number, entry_hash)}\n")
                    file.truncate()
        except OSError:
            raise WorkError(
                "The last entry's number and hash can't be kept in the configuration folder. Check XDG_CONFIG_HOME."
            ) from None


def _parse(text: str) -> Anchor | None:
    if not text:
        return None
    found = ANCHOR.fullmatch(text)
    if found is None:
        raise WorkError(
            "The file that holds the last entry seen is damaged. Verify the chain by number and hash of a meeting's "
            "document (--expect), then run `python -m core audit --accept`."
        )
    return Anchor(int(found[1]), found[2])


@contextmanager
def _locked(file: IO[str]) -> Iterator[None]:
    """Keep other processes off a file."""
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        file.flush()  # before the lock goes with the file's closing
