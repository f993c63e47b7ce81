"""A model's folder: its card names the manifest by hash, the manifest every other file, and nothing else is there."""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

CARD = "CARD.md"
MOST_DIGITS = 18
SEAL = r"\n{name} sha256 `[0-9a-f]{{64}}`\.\n\Z"


class BundleError(ValueError):
    """A bundle, backbone or segmenter is damaged or does not fit; the message says what and what to do."""


@dataclass(frozen=True)
class Sealed:
    """A kind of such a folder."""

    name: str  # what it holds, "bundle"
    manifest: str  # file name of its manifest, JSON
    version: int  # schema version of the manifest that this program reads
    verified_apart: frozenset[str] = frozenset()  # files that may lie there too, since they are verified otherwise

    def read(self, folder: Path) -> tuple[dict[str, object], str]:
        """Verify every file; give the manifest and its hash, the folder's identity."""
        record = self.read_json(folder / self.manifest)
        if record.get("schema_version") != self.version:
            raise BundleError(
                f"The {self.name} has schema version {record.get('schema_version')}, this program reads "
                f"{self.version}: train it anew or take the program's other version."
            )
        identity = hash_file(folder / self.manifest)
        try:
            self._verify_files(folder, dict(record["files"]), identity)
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, BundleError):
                raise
            raise BundleError(
                f"{self.manifest} of the {self.name} has another shape ({error}): train it anew."
            ) from None
        return record, identity

    def write(self, folder: Path, record: Mapping[str, object], files: Iterable[str], card: str) -> None:
        """Write manifest and card of the files that lie there; a seal that the card has already is taken off."""
        card = self._seal.sub("", card)
        (folder / CARD).write_text(card, encoding="utf-8")
        hashes = {name: hash_file(folder / name) for name in (*files, CARD)}
        full = {"schema_version": self.version, **record, "files": hashes}
        (folder / self.manifest).write_text(json.dumps(full, indent=1) + "\n", encoding="utf-8")
        (folder / CARD).write_text(card + self._write_seal(hash_file(folder / self.manifest)), encoding="utf-8")

    def read_json(self, path: Path) -> dict[str, Any]:
        """Read one of its JSON files."""
        try:
            return dict(parse_json(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise BundleError(
                f"{path.name} is not in the folder '{path.parent.name}': give a {self.name}'s folder."
            ) from None
        except (OSError, RecursionError, TypeError, ValueError):
            raise BundleError(
                f"{path.name} of the {self.name} is not readable JSON: fetch or train the {self.name} anew."
            ) from None

    def verify(self, path: Path, expected: str) -> None:
        """Verify one file by its hash."""
        if not path.is_file():
            raise self._miss(path.name)
        self._compare(path.name, hash_file(path), expected)

    @property
    def _seal(self) -> re.Pattern[str]:
        return re.compile(SEAL.format(name=self.name.capitalize()))

    def _write_seal(self, identity: str) -> str:
        """Write the card's last line."""
        return f"\n{self.name.capitalize()} sha256 `{identity}`.\n"

    def _verify_files(self, folder: Path, files: dict[str, str], identity: str) -> None:
        found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
        for name in sorted(found - {self.manifest} - self.verified_apart - files.keys()):
            raise BundleError(
                f"{name} of the {self.name} is not named in its {self.manifest}: take it out of the folder, or fetch "
                f"the {self.name} anew."
            )
        for name in files:
            if not (folder / name).resolve().is_relative_to(folder.resolve()):
                raise BundleError(f"{self.manifest} of the {self.name} names a file outside its folder: fetch it anew.")
        card = self._read_card(folder / CARD, identity)
        self._compare(CARD, hashlib.sha256(card.encode("utf-8")).hexdigest(), files.pop(CARD))
        for name, expected in files.items():
            self.verify(folder / name, expected)

    def _read_card(self, path: Path, identity: str) -> str:
        """Read the card without its seal, which must name the manifest."""
        try:
            written = path.read_bytes().decode("utf-8")
        except FileNotFoundError:
            raise self._miss(path.name) from None
        except UnicodeDecodeError:
            raise BundleError(f"{CARD} of the {self.name} is no text: fetch or train the {self.name} anew.") from None
        card = self._seal.sub("", written)
        if card == written:
            raise BundleError(
                f"{CARD} of the {self.name} was changed after training (its last line is no hash): fetch it anew."
            )
        if written != card + self._write_seal(identity):
            raise BundleError(
                f"{self.manifest} of the {self.name} was changed after training (its card names another): fetch it "
                "anew."
            )
        return card

    def _miss(self, name: str) -> BundleError:
        return BundleError(f"{name} of the {self.name} is missing: fetch or train the {self.name} anew.")

    def _compare(self, name: str, found: str, expected: str) -> None:
        if found != expected:
            raise BundleError(
                f"{name} of the {self.name} was changed after training (its hash differs): fetch it anew."
            )


def is_sealed(folder: Path) -> bool:
    """Whether a folder is that of a model, by its card; another file in it would make it unusable."""
    try:
        card = (folder / CARD).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False
    return re.search(SEAL.format(name="[A-Z][a-z ]+"), card) is not None


def hash_file(path: Path) -> str:
    """Give the sha256 of a file as hexadecimal text."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def parse_json(text: str) -> Any:
    """Parse JSON that may come from strangers: NaN, infinity, endless integers, half a letter are a ValueError."""
    read = json.loads(text, parse_constant=_refuse_constant, parse_float=_read_float, parse_int=_read_integer)
    if "\\ud" in text.lower():
        json.dumps(read, ensure_ascii=False).encode("utf-8")
    return read


def read_number(value: object, low: float = -math.inf, high: float = math.inf) -> float:
    """Read a finite number within its range; whatever else stands there is a ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("a number is none, or not finite")
    if not low <= value <= high:
        raise ValueError(f"a number is outside its range of {low:g} to {high:g}")
    return float(value)


def read_numbers(values: object) -> NDArray[np.float64]:
    """Read an array of finite numbers."""
    array = np.array(values)
    if array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        raise ValueError("an array holds something other than finite numbers")
    return array.astype(np.float64)


def read_flag(value: object) -> bool:
    """Read true or false; nothing else stands for either."""
    if not isinstance(value, bool):
        raise TypeError("something is neither true nor false")
    return value


def _refuse_constant(_: str) -> None:
    raise ValueError("a number is not finite")


def _read_float(text: str) -> float:
    return read_number(float(text))


def _read_integer(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError("a number has too many digits")
    return int(digits)
