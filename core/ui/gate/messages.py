"""What a browser may send over the websocket, and how often."""

import re
import time

from google.protobuf.message import DecodeError, Message  # type: ignore[import-untyped]
from streamlit.proto.BackMsg_pb2 import BackMsg

from core.ui.login import LOGIN_KEY

PASSED = ("rerun_script", "stop_script", "app_heartbeat", "file_urls_request", "backend_operation_request")
OPERATIONS = ("deferred_file", "dataframe_chunk")
MOST_FILES = 50
A_SECOND, AT_ONCE = 2.0, 40
IDS = ("fragment_id", "page_script_hash", "request_id", "session_id", "file_id", "source_id")
PLAIN_ID = re.compile(r"[\w.-]{0,128}", re.ASCII)


class Pace:
    """How long a message must wait: some at once, then so many a second."""

    def __init__(self, a_second: float = A_SECOND, at_once: int = AT_ONCE) -> None:
        self._a_second, self._at_once = a_second, float(at_once)
        self._left, self._seen = float(at_once), time.monotonic()

    @property
    def ahead(self) -> float:
        """Seconds that the next message would wait."""
        left = self._left + (time.monotonic() - self._seen) * self._a_second
        return max(0.0, (1 - left) / self._a_second)

    def wait(self) -> float:
        """Count one message; give the seconds until it may go on."""
        now = time.monotonic()
        self._left = min(self._at_once, self._left + (now - self._seen) * self._a_second) - 1
        self._seen = now
        return max(0.0, -self._left / self._a_second)


def read_message(data: bytes) -> BackMsg | None:
    """Read a message of a browser; None where it is none."""
    message = BackMsg()
    try:
        message.ParseFromString(data)
    except DecodeError:
        return None
    return message


def may_pass(message: BackMsg) -> bool:
    """Whether a message is of a kind that a page sends in its use; emptying the caches is not, for instance."""
    kind = message.WhichOneof("type")
    if not _has_plain_ids(message):
        return False
    if kind == "backend_operation_request":
        return message.backend_operation_request.WhichOneof("payload") in OPERATIONS
    if kind == "file_urls_request":
        return len(message.file_urls_request.file_names) <= MOST_FILES
    return kind in PASSED


def _has_plain_ids(part: Message) -> bool:
    """Whether ids are ids: Streamlit writes those that it does not know into its log."""
    for described, value in part.ListFields():
        if described.name in IDS and not PLAIN_ID.fullmatch(value):
            return False
        if isinstance(value, Message) and not _has_plain_ids(value):
            return False
    return True


def leave_login_alone(message: BackMsg) -> bool:
    """Take out of a message all but the way to the login; give whether anything is left of it.

    For who is not logged in, or no longer: no widget's callback, no fragment and no download runs.
    """
    kind = message.WhichOneof("type")
    if kind != "rerun_script":
        return kind in ("stop_script", "app_heartbeat")
    state = message.rerun_script
    kept = [widget for widget in state.widget_states.widgets if widget.id.endswith(f"-{LOGIN_KEY}")]
    del state.widget_states.widgets[:]
    state.widget_states.widgets.extend(kept)
    state.fragment_id = ""
    return True
