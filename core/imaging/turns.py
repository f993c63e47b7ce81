"""Whose file is being decoded, one at a time for each owner, and what was refused before."""

import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Condition, Lock

from core.errors import BusyError

OWNER: ContextVar[str] = ContextVar("decoding_owner", default="")
KEPT, KEPT_SECONDS = 512, 600.0
_busy: set[str] = set()
_state = Condition()
_refused: OrderedDict[str, tuple[float, str]] = OrderedDict()
_lock = Lock()


@contextmanager
def take_turn(seconds: float) -> Iterator[None]:
    """Let one decode of the present owner run at a time; without an owner, as on the command line, all may."""
    owner = OWNER.get()
    if not owner:
        yield
        return
    with _state:
        if not _state.wait_for(lambda: owner not in _busy, seconds):
            raise BusyError("Another image of yours is still being read. Try again in a minute.")
        _busy.add(owner)
    try:
        yield
    finally:
        with _state:
            _busy.discard(owner)
            _state.notify_all()


def recall_refusal(key: str) -> str | None:
    """Give the sentence that a file was refused with in the last minutes, or None."""
    with _lock:
        since, sentence = _refused.get(key, (0.0, ""))
    return sentence if sentence and time.monotonic() - since < KEPT_SECONDS else None


def keep_refusal(key: str, sentence: str) -> None:
    """Keep a refusal, so that the same file costs nothing again; the oldest go first."""
    with _lock:
        _refused[key] = (time.monotonic(), sentence)
        _refused.move_to_end(key)
        if len(_refused) > KEPT:
            _refused.popitem(last=False)
