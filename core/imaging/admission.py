"""One decode at a time for each owner, and what was refused before."""

import time
from collections import OrderedDict
from threading import Lock

from core.turns import Turns

KEPT, KEPT_SECONDS = 512, 600.0
DECODES = Turns("Another image of yours is still being read. Try again in a minute.")
_refused: OrderedDict[str, tuple[float, str]] = OrderedDict()
_lock = Lock()


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
