"""Uploaded files while their cases are read: held apart from the sessions, which keep a ticket alone.

A file may hold names in its header and in pixels outside the B-mode area. So nothing that is kept, shown or exported
holds the file itself; it stays here, in memory, for as long as its ticket is kept, and within a total number of bytes.
"""

import hashlib
import secrets
import threading
import weakref
from collections import Counter, OrderedDict
from dataclasses import dataclass

from core.errors import ImageError
from core.settings import get_setting

_lock = threading.RLock()  # a finaliser may run while the lock is held by its own thread
_files: OrderedDict[str, bytes] = OrderedDict()
_owners: dict[str, str] = {}


@dataclass(frozen=True, eq=False)
class HeldFile:
    """The ticket of a file; when it is released, or the last reference to it goes, the file goes."""

    ticket: str  # random name of the file
    sha256: str  # of its bytes

    def read(self) -> bytes:
        """Give the file."""
        with _lock:
            if self.ticket not in _files:
                raise ImageError("The image is no longer held, because its space was needed. Upload it again.")
            _files.move_to_end(self.ticket)
            return _files[self.ticket]

    def release(self) -> None:
        """Forget the file now, whoever keeps its ticket."""
        _drop(self.ticket)


def hold_file(data: bytes, owner: str = "") -> HeldFile:
    """Hold a file; where the setting "held_bytes" is passed, files make room: the owner's own, then whose are the most.

    Of an owner's files (a session's, for instance) those go first that were not read for the longest time.
    """
    file = HeldFile(secrets.token_hex(16), hashlib.sha256(data).hexdigest())
    with _lock:
        _files[file.ticket], _owners[file.ticket] = data, owner
        while len(_files) > 1 and sum(map(len, _files.values())) > get_setting("held_bytes"):
            _drop(_choose_leaving(file.ticket, owner))
    weakref.finalize(file, _drop, file.ticket).atexit = False
    return file


def _choose_leaving(fresh: str, owner: str) -> str:
    """Choose the file that makes room for a new one."""
    own = [ticket for ticket in _files if ticket != fresh and _owners[ticket] == owner]
    if own:
        return own[0]
    held: Counter[str] = Counter()
    for ticket, data in _files.items():
        held[_owners[ticket]] += len(data)
    largest = held.most_common(1)[0][0]
    return next(ticket for ticket in _files if _owners[ticket] == largest)


def _drop(ticket: str) -> None:
    with _lock:
        _files.pop(ticket, None)
        _owners.pop(ticket, None)
