"""Keys outside the database that seal its entries: who can write the database alone can't forge one.

The key file holds one key a line, 64 hexadecimal digits; the last line seals, all of them verify. Without a key's line
the entries that it sealed can no longer be told from forged ones, so the file belongs into the backup, apart from the
database's.
"""

import hashlib
import hmac
import os
import re
import secrets
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.errors import WorkError
from core.private_files import find_config_folder, make_private_file, make_private_folder
from core.register.models import Record
from core.settings import get_text_setting

KEY = re.compile(r"[0-9a-f]{64}")
NAME_DIGITS = 16


def find_key_file() -> Path:
    """Give the path of the key file: the setting "board_key", or board.keys in the user's configuration folder."""
    return Path(named) if (named := get_text_setting("board_key")) else find_config_folder() / "board.keys"


@dataclass(frozen=True)
class SealKeys:
    """The keys of a key file."""

    path: Path  # the file, 0600
    keys: tuple[bytes, ...]  # oldest first; the last one seals

    @classmethod
    def open(cls, path: Path) -> "SealKeys":
        """Read a key file, or make one with a new key."""
        try:
            if not path.exists():
                make_private_folder(path.parent)
                _create(path)
            make_private_file(path)
            lines = path.read_text(encoding="ascii", errors="replace").split()
        except OSError:
            raise WorkError(
                "The key file of the board's entries can't be made or read. Check its folder, or set SONOKI_BOARD_KEY."
            ) from None
        if not lines or not all(map(KEY.fullmatch, lines)):
            raise WorkError("The key file of the board's entries is damaged; put it back from its backup.")
        return cls(path, tuple(map(bytes.fromhex, lines)))

    def add_key(self) -> "SealKeys":
        """Add a key that seals from now on; the earlier ones stay, so that what they sealed can be verified."""
        with self.path.open("a", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        return type(self).open(self.path)

    def seal(self, number: int, entry_hash: str) -> dict[str, str]:
        """Seal an entry and with it all before: its columns "key_id" and "seal"."""
        key = self.keys[-1]
        return {"key_id": _name(key), "seal": _sign(key, number, entry_hash)}

    def has(self, record: Record) -> bool:
        """Whether the key that an entry names is there."""
        return any(_name(key) == record.key_id for key in self.keys)

    def find_fault(self, record: Record) -> str:
        """Say what is wrong with an entry's seal; empty where it is ours."""
        if not record.seal:
            return f"entry {record.number} carries no seal"
        key = next((key for key in self.keys if _name(key) == record.key_id), None)
        if key is None:
            return f"entry {record.number} is sealed by the key {record.key_id[:NAME_DIGITS]}, which the key file lacks"
        fits = hmac.compare_digest(_sign(key, record.number, record.hash).encode(), str(record.seal).encode())
        return "" if fits else f"entry {record.number} carries a seal that is not ours"


def _create(path: Path) -> None:
    """Make the file at once with its key, or leave the one that another process has just made."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    make_private_file(part)
    try:
        part.write_text(secrets.token_hex(32) + "\n", encoding="ascii")
        os.link(part, path)
    except FileExistsError:
        pass
    finally:
        part.unlink()


@cache
def _name(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()[:NAME_DIGITS]


def _sign(key: bytes, number: int, entry_hash: str) -> str:
    return hmac.digest(key, f"{number}:{entry_hash}".encode(), "sha256").hex()
