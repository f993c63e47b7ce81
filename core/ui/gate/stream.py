"""A page's websocket: what passes, how fast, and what is left of it when the session has expired."""

from collections.abc import Callable

from starlette.types import Message, Receive, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

from core.ui.gate.allowance import Allowance, wait_for
from core.ui.gate.files import FileOwners
from core.ui.gate.messages import Pace, leave_login_alone, may_pass, read_message

TEXT, BROKEN, TOO_BIG, TRY_AGAIN = 1003, 1002, 1009, 1013
MOST_BYTES = 4_000_000  # of one message; no page sends a tenth of it
DOWNLOADS_A_SECOND, DOWNLOADS_AT_ONCE = 0.5, 4


def guard_stream(
    receive: Receive, send: Send, may_use: Callable[[], bool], files: FileOwners, allowance: Allowance
) -> Receive:
    """Give Streamlit the messages of a page that may pass, one after another at a bearable pace."""
    runs, downloads = Pace(), Pace(DOWNLOADS_A_SECOND, DOWNLOADS_AT_ONCE)

    async def guarded() -> Message:
        while True:
            event = await receive()
            if event["type"] != "websocket.receive":
                return event
            data = event.get("bytes")
            message = None if data is None or len(data) > MOST_BYTES else read_message(data)
            if message is None:
                code = TEXT if data is None else TOO_BIG if len(data) > MOST_BYTES else BROKEN
                await send({"type": "websocket.close", "code": code})
                return {"type": "websocket.disconnect", "code": BROKEN}
            paces = (downloads, allowance.downloads) if _asks_for_file(message) else ()
            if not await wait_for(runs, allowance.runs, *paces):
                await send({"type": "websocket.close", "code": TRY_AGAIN})
                return {"type": "websocket.disconnect", "code": TRY_AGAIN}
            if not may_pass(message) or not _is_own(message, files):
                continue
            if not may_use() and not leave_login_alone(message):
                continue
            return {**event, "bytes": message.SerializeToString()}

    return guarded


def _asks_for_file(message: BackMsg) -> bool:
    return message.backend_operation_request.WhichOneof("payload") == "deferred_file"


def _is_own(message: BackMsg, files: FileOwners) -> bool:
    """Whether a download was offered to the session that asks; Streamlit checks that the socket is that session's."""
    if not _asks_for_file(message):
        return True
    operation = message.backend_operation_request
    return files.is_of_session(operation.deferred_file.file_id, operation.session_id)
