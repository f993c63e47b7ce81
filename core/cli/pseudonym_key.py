"""The key of pseudonyms and, beside it, the list of what was replaced: for their keeper alone."""

import csv
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from core.errors import InputError, UsageError
from core.imaging import CleanedFile
from core.imaging.identity import Identity
from core.private_files import find_config_folder, make_private_file, make_private_folder
from core.spreadsheet import disarm, restore

KEY_BYTES = 32
LIST = ".csv"
PARTS = {
    "patient_id": "PatientID",
    "issuer": "IssuerOfPatientID",
    "name": "PatientName",
    "birth_date": "PatientBirthDate",
}
KeyFile = Annotated[
    Path | None,
    typer.Option("--key", help="File with the key of the new names; made where there is none. By default your own."),
]


def take_key(path: Path | None) -> tuple[bytes, "ReplacedList"]:
    """Read the key of a file or, without one, the user's own, and open the list beside it."""
    path = path or find_config_folder() / "deidentify.key"
    if not path.parent.is_dir() and path.parent != find_config_folder():
        raise UsageError("The folder that --key lies in is not there; make it first.")
    if path.suffix.lower() == LIST:
        raise UsageError(f"The list of what was replaced ends in {LIST}; give --key a name with another ending.")
    return read_key(path), ReplacedList(path.with_suffix(LIST))


def read_key(path: Path) -> bytes:
    """Read the key of the new names, or make one."""
    if not path.exists():
        if path.parent == find_config_folder():
            make_private_folder(path.parent)
        make_private_file(path)
        path.write_text(secrets.token_hex(KEY_BYTES) + "\n", encoding="ascii")
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise UsageError("The file of --key holds no key: give one that this command has made, or a new name.")
    return key


class ReplacedList:
    """Old and new values, each once.

    Parameters
    ----------
    path : Path
        CSV file that only its owner may open; made when something is first added.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = set[tuple[str, ...]]()
        self._patients: dict[str, dict[str, str]] = {}
        self._remember(self._read())

    def take(self, copy: CleanedFile) -> None:
        """Add what a copy replaces, or refuse one whose patient would become one with another under the same ID."""
        pseudonym = copy.replaced["PatientID"][1]
        own = {part: copy.replaced.get(name, ("", ""))[0] for part, name in PARTS.items()}
        known = self._patients.get(pseudonym, {})
        if Identity(**own).is_another(Identity(**{part: known.get(name, "") for part, name in PARTS.items()})):
            raise InputError(
                "Its patient ID is also that of an earlier file with another name, birth date or issuer: not copied. "
                "Correct the header, or copy the two patients with different keys."
            )
        self.add((what, old, new) for what, (old, new) in copy.replaced.items())

    def add(self, replaced: Iterable[tuple[str, str, str]]) -> None:
        """Add what is not known yet: what it is, its old and its new value."""
        new = [entry for entry in dict.fromkeys(replaced) if entry not in self._known]
        self._remember(new)
        make_private_file(self._path)
        with self._path.open("a", encoding="utf-8", errors="surrogateescape", newline="") as stream:
            csv.writer(stream).writerows((what, disarm(old), value) for what, old, value in new)

    def _remember(self, entries: Iterable[tuple[str, ...]]) -> None:
        """Keep entries, and whose each pseudonym is, as far as files said; the first of several."""
        for what, old, new in entries:
            self._known.add((what, old, new))
            if old and what in PARTS.values():
                self._patients.setdefault(new, {}).setdefault(what, old)

    def _read(self) -> Iterator[tuple[str, ...]]:
        if self._path.exists():
            with self._path.open(encoding="utf-8", errors="surrogateescape", newline="") as stream:
                yield from (tuple(map(restore, row)) for row in csv.reader(stream))
