"""How many pages may be open: of one person, of all people, and, apart from theirs, of who is not logged in."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import Message, Receive, Send

from core.settings import get_setting
from core.ui.gate.stream import TRY_AGAIN

STRANGERS_SHARE = 10  # one page in so many


class Places:
    """Counts the pages that are open."""

    def __init__(self) -> None:
        self._people: Counter[str] = Counter()
        self._strangers: OrderedDict[asyncio.Event, None] = OrderedDict()

    def has_room(self, person: str, most: int) -> bool:
        """Whether a person may open one more page, of so many at the most."""
        return self._people.total() < get_setting("open_pages") and self._people[person] < most

    @contextmanager
    def take(self, person: str) -> Iterator[None]:
        """Count a person's page while it is open."""
        self._people[person] += 1
        try:
            yield
        finally:
            self._people[person] -= 1
            self._people += Counter()  # drops those at zero

    @contextmanager
    def take_for_stranger(self) -> Iterator[asyncio.Event]:
        """Count the page of somebody who is not logged in; the oldest such page gives way to it."""
        over = asyncio.Event()
        self._strangers[over] = None
        while len(self._strangers) > max(1, get_setting("open_pages") // STRANGERS_SHARE):
            self._strangers.popitem(last=False)[0].set()
        try:
            yield over
        finally:
            self._strangers.pop(over, None)


def end_when(over: asyncio.Event, receive: Receive, send: Send) -> Receive:
    """Give the messages of a websocket until it must end; then close it."""

    async def receive_until() -> Message:
        message, end = asyncio.ensure_future(receive()), asyncio.ensure_future(over.wait())
        try:
            await asyncio.wait({message, end}, return_when=asyncio.FIRST_COMPLETED)
            if message.done():
                return message.result()
        finally:
            message.cancel()
            end.cancel()
        await send({"type": "websocket.close", "code": TRY_AGAIN})
        return {"type": "websocket.disconnect", "code": TRY_AGAIN}

    return receive_until
