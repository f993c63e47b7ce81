"""Which bundle answers, as the record says it: read anew every few seconds, and at once after a change here."""

import time
from threading import Lock

from core.register.bundles.use import BundleUse, read_last_use, read_use
from core.register.database import find_database
from core.ui.register.database import get_store
from core.ui.shared import Shared

SECONDS = 3.0


class UseWatch:
    """What the record says of the bundle that answers, for all sessions of this server."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._use = BundleUse()
        self._read_at = float("-inf")

    def read(self) -> BundleUse:
        """Give it, at most `SECONDS` old."""
        with self._lock:
            if time.monotonic() - self._read_at > SECONDS:
                if read_last_use(get_store()) != self._use.last:
                    self._use = read_use(get_store())
                self._read_at = time.monotonic()
            return self._use

    def forget(self) -> None:
        """Read it anew the next time."""
        with self._lock:
            self._read_at = float("-inf")


_WATCH = Shared(lambda _: UseWatch(), lambda _: None)


def get_use() -> BundleUse:
    """Give which bundle the record says answers."""
    return _WATCH.get(find_database()).read()


def forget_use() -> None:
    """Let every session see a change at its next step."""
    _WATCH.get(find_database()).forget()
