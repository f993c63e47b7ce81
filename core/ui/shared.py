"""What all sessions share and no message of a browser may release, as it may release Streamlit's caches."""

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """One object for the whole process; it is closed where another one is asked for.

    Parameters
    ----------
    make : callable
        Makes it from what `get` is given.
    close : callable
        Ends it.
    """

    def __init__(self, make: Callable[..., T], close: Callable[[T], object]) -> None:
        self._make, self._close = make, close
        self._kept: tuple[tuple[Hashable, ...], T] | None = None
        self._lock = Lock()

    def get(self, *key: Hashable) -> T:
        """Give the object that was made from these arguments, made now if it is not there."""
        with self._lock:
            if self._kept is None or self._kept[0] != key:
                made = self._make(*key)
                if self._kept is not None:
                    self._close(self._kept[1])
                self._kept = (key, made)
            return self._kept[1]
