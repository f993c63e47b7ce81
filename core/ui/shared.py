"""What all sessions share and no message of a browser may release, as it may release Streamlit's caches."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """One object for the whole process, or a few; the one unused for longest is closed where another is asked for.

    Parameters
    ----------
    make : callable
        Makes it from what `get` is given.
    close : callable
        Ends it.
    most : int
        How many are kept.
    """

    def __init__(self, make: Callable[..., T], close: Callable[[T], object], *, most: int = 1) -> None:
        self._make, self._close, self._most = make, close, most
        self._kept: OrderedDict[tuple[Hashable, ...], T] = OrderedDict()
        self._lock = Lock()

    def get(self, *key: Hashable) -> T:
        """Give the object that was made from these arguments, made now if it is not there."""
        with self._lock:
            if key not in self._kept:
                self._kept[key] = self._make(*key)
                while len(self._kept) > self._most:
                    self._close(self._kept.popitem(last=False)[1])
            self._kept.move_to_end(key)
            return self._kept[key]
