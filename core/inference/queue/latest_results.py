"""The latest results by the hash of what they were made from; a bounded number of them."""

from collections import OrderedDict
from threading import Lock


class Recent:
    """Results that were used last; the one that was not used for longest makes room.

    Parameters
    ----------
    most : int
        How many are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[str, str], object] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, task: str, key: str) -> object | None:
        """Give a result; None where it is not kept."""
        with self._lock:
            if (task, key) not in self._kept:
                return None
            self._kept.move_to_end((task, key))
            return self._kept[task, key]

    def keep(self, task: str, key: str, result: object) -> None:
        """Keep a result."""
        with self._lock:
            self._kept[task, key] = result
            self._kept.move_to_end((task, key))
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
