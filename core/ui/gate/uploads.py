"""How much browsers may upload: a session, and all of them together, until their pages have taken it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol, cast

from starlette.types import Message, Receive
from streamlit.runtime import get_instance

from core.settings import get_setting

FRAMING = 1 << 20
MOST_FILES = 50


class _Kept(Protocol):
    """The part of Streamlit's memory of uploads that is looked at."""

    file_storage: Mapping[str, Mapping[str, object]]


class TooMuchError(Exception):
    """An upload that passes a limit."""


class Uploads:
    """Counts what is held and what is on its way."""

    def __init__(self) -> None:
        self._coming: Counter[str] = Counter()

    @contextmanager
    def count(self, session: str, receive: Receive) -> Iterator[Receive]:
        """Count an upload while it comes, whatever its header says of its size.

        Parameters
        ----------
        session : str
            Id of the session that it is for.
        receive : callable
            Gives its parts.

        Yields
        ------
        callable
            Gives its parts, and a `TooMuchError` where they pass a limit.
        """
        total = 0

        async def counted() -> Message:
            nonlocal total
            message = await receive()
            size = len(message.get("body", b""))
            total += size
            self._coming[session] += size
            if not self._has_room(session):
                raise TooMuchError
            return message

        try:
            yield counted
        finally:
            self._coming[session] -= total
            self._coming += Counter()  # drops those at zero

    def _has_room(self, session: str) -> bool:
        kept = {name: list(files.values()) for name, files in list(_list_kept().items())}
        held = Counter({name: sum(map(_weigh, files)) for name, files in kept.items()}) + self._coming
        fits = held[session] <= get_setting("max_bytes") + FRAMING and held.total() <= get_setting("held_bytes")
        return fits and len(kept.get(session, ())) < MOST_FILES


def _list_kept() -> Mapping[str, Mapping[str, object]]:
    return cast("_Kept", get_instance().uploaded_file_mgr).file_storage


def _weigh(file: object) -> int:
    return len(getattr(file, "data", b""))
