"""How much browsers may upload: a session, a person and all together, until their pages have taken it."""

from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol, cast

from starlette.types import Message, Receive
from streamlit.runtime import get_instance

from core.settings import get_setting

FRAMING = 1 << 20
MOST_FILES = 50
SHARES = 2  # a person holds one of so many shares of the whole at the most


class _Kept(Protocol):
    """The part of Streamlit's memory of uploads that is used."""

    file_storage: Mapping[str, Mapping[str, object]]

    def remove_file(self, session_id: str, file_id: str) -> None:
        """Forget a file."""


class TooMuchError(Exception):
    """An upload that passes a limit."""


class Uploads:
    """Counts what is held and what is on its way."""

    def __init__(self) -> None:
        self._coming: Counter[str] = Counter()
        self._people: OrderedDict[str, str] = OrderedDict()  # by session; the one that uploaded last stands last

    @contextmanager
    def count(self, session: str, receive: Receive, person: str = "") -> Iterator[Receive]:
        """Count an upload while it comes, whatever its header says of its size.

        Past a limit its parts end in `TooMuchError`. Without a login a session counts as a person.
        """
        total = 0
        self._people[session] = person or session
        self._people.move_to_end(session)

        async def counted() -> Message:
            nonlocal total
            message = await receive()
            size = len(message.get("body", b""))
            total += size
            self._coming[session] += size
            if not self._make_room(session):
                raise TooMuchError
            return message

        try:
            yield counted
        finally:
            self._coming[session] -= total
            self._coming += Counter()  # drops those at zero
            for name in self._people.keys() - self._coming.keys() - {n for n, kept in _list_kept().items() if kept}:
                del self._people[name]

    def _make_room(self, session: str) -> bool:
        """Whether an upload fits; the uploads of the person's other pages, oldest page first, give way to it."""
        if self._count_held()[session] > get_setting("max_bytes") + FRAMING:
            return False
        if len(_list_kept().get(session, ())) >= MOST_FILES:
            return False
        while not self._has_room(self._people[session]):
            if not self._drop_oldest(session):
                return False
        return True

    def _has_room(self, person: str) -> bool:
        """Whether a person is within the share of one, and all are within the whole."""
        held, most = self._count_held(), get_setting("held_bytes")
        own = sum(size for session, size in held.items() if self._people.get(session) == person)
        return own <= most // SHARES and held.total() <= most

    def _drop_oldest(self, session: str) -> bool:
        """Forget the oldest file of the person's page that uploaded longest ago; False where no other page has any."""
        for other, person in self._people.items():
            files = _list_kept().get(other)
            if files and other != session and person == self._people[session]:
                _get_memory().remove_file(other, next(iter(files)))
                return True
        return False

    def _count_held(self) -> Counter[str]:
        """Count each session's bytes, taken and on their way."""
        kept = {session: list(files.values()) for session, files in list(_list_kept().items())}
        return Counter({session: sum(map(_weigh, files)) for session, files in kept.items()}) + self._coming


def _get_memory() -> _Kept:
    return cast("_Kept", get_instance().uploaded_file_mgr)


def _list_kept() -> Mapping[str, Mapping[str, object]]:
    return _get_memory().file_storage


def _weigh(file: object) -> int:
    return len(getattr(file, "data", b""))
