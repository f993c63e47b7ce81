"""One browser's session as the server sees it: Streamlit's websocket and its upload address, without a browser."""

import asyncio
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import httpx
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileURLs, UploadedFileInfo
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

XSRF_COOKIE = "_streamlit_xsrf"
TEXTS = ("markdown", "heading", "alert", "text", "spinner")
KEPT_RUNS = 2  # for so many runs a browser keeps a message that it has not met again
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
DONE = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)


@dataclass
class View:
    """What one run of a page sent."""

    widgets: dict[str, str] = field(default_factory=dict)  # widget id by "type: label"
    # texts in the order in which they came, those that were replaced later included
    texts: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)  # texts of red boxes and exceptions
    size: int = 0  # bytes of its messages
    seconds: float = 0.0  # from the asking to the end of the run
    seconds_to_text: float | None = None  # from the asking to the first text

    def take(self, message: ForwardMsg) -> None:
        """Note what a message adds to the page."""
        if message.WhichOneof("type") != "delta" or message.delta.WhichOneof("type") != "new_element":
            return
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        part: Any = getattr(element, kind) if kind else None
        if kind in TEXTS:
            self.texts.append(getattr(part, "body", "") or getattr(part, "text", ""))
        if kind == "exception" or (kind == "alert" and part.format == Alert.ERROR):
            self.errors.append(part.message if kind == "exception" else part.body)
        if hasattr(part, "id") and hasattr(part, "label"):
            self.widgets[f"{kind}: {part.label}"] = part.id


class Visitor:
    """A session, from opening a page to closing the tab.

    Parameters
    ----------
    address : str
        Of the app, "http://127.0.0.1:8501".
    seconds : float
        Longest wait for an answer; after that an action is a time-out.
    """

    def __init__(self, address: str, seconds: float) -> None:
        self.address = address
        self.view = View()
        self._seconds = seconds
        self._http = httpx.AsyncClient(base_url=address, timeout=seconds, verify=address.startswith("https"))
        self.socket: ClientConnection | None = None
        self._page = ""
        self._kept: dict[str, ForwardMsg] = {}
        self._met: dict[str, int] = {}
        self._runs = 0

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send one request with the cookies and the origin of the page."""
        headers = {"Origin": self.address} | options.pop("headers", {})
        return await self._http.request(method, path, headers=headers, **options)

    async def connect(
        self, origin: str | None = None, protocols: Sequence[str] = (), headers: Mapping[str, str] = NO_HEADERS
    ) -> None:
        """Open the websocket as the page's script does."""
        self.socket = await connect(
            self.address.replace("http", "ws", 1) + "/_stcore/stream",
            origin=None if origin is None else Origin(origin),
            subprotocols=[Subprotocol(name) for name in ("streamlit", *protocols)],
            additional_headers=headers,
            max_size=None,
            compression=None,
        )

    async def open(self, page: str) -> View:
        """Open a page as its address typed into a browser does."""
        self._page = page
        if self.socket is None:
            await self.ask("GET", "/_stcore/health")
            await self.connect(self.address)
        return await self.run(BackMsg())

    async def upload(self, label: str, data: bytes, name: str = "image.png") -> View:
        """Give a file to the uploader of that label."""
        request = BackMsg()
        request.file_urls_request.request_id = uuid.uuid4().hex
        request.file_urls_request.file_names.append(name)
        await self.send(request)
        while (message := await self.receive()).WhichOneof("type") != "file_urls_response":
            pass
        (urls,) = message.file_urls_response.file_urls
        answer = await self.ask("PUT", urls.upload_url, files={"file": (name, data)}, headers=self.token)
        answer.raise_for_status()
        change, widget = self._change(f"file_uploader: {label}")
        widget.file_uploader_state_value.uploaded_file_info.append(_describe(urls, name, len(data)))
        return await self.run(change)

    async def press(self, label: str) -> View:
        """Press a button."""
        change, widget = self._change(f"button: {label}")
        widget.trigger_value = True
        return await self.run(change)

    async def move(self, kind: str, label: str, value: float) -> View:
        """Set a slider or a number field."""
        change, widget = self._change(f"{kind}: {label}")
        if kind == "slider":
            widget.double_array_value.data.append(value)
        else:
            widget.double_value = value
        return await self.run(change)

    async def close(self) -> None:
        """Close the tab."""
        if self.socket is not None:
            await self.socket.close()
        await self._http.aclose()

    @property
    def token(self) -> dict[str, str]:
        """The header that an upload needs."""
        return {"X-Xsrftoken": self._http.cookies.get(XSRF_COOKIE) or ""}

    def _change(self, name: str) -> tuple[BackMsg, Any]:
        if name not in self.view.widgets:
            raise LookupError(f"The page has no {name}; it has {sorted(self.view.widgets)}.")
        message = BackMsg()
        widget = message.rerun_script.widget_states.widgets.add()
        widget.id = self.view.widgets[name]
        return message, widget

    async def run(self, message: BackMsg) -> View:
        """Send a run of the page with the hashes of the messages that are kept, and wait for its end."""
        message.rerun_script.page_name = self._page
        message.rerun_script.cached_message_hashes.extend(self._kept)
        began = time.perf_counter()
        await self.send(message)
        self.view, self._runs = View(), self._runs + 1
        while True:
            answer = await self.receive()
            self.view.take(answer)
            self.view.seconds = time.perf_counter() - began
            if self.view.texts and self.view.seconds_to_text is None:
                self.view.seconds_to_text = self.view.seconds
            if answer.WhichOneof("type") == "script_finished" and answer.script_finished in DONE:
                self._forget()
                return self.view

    def _recall(self, message: ForwardMsg) -> ForwardMsg:
        """Keep a message that may be kept; give the kept one where a message only names it."""
        kept = message
        if message.WhichOneof("type") == "ref_hash":
            kept = self._kept[message.ref_hash]
        elif message.metadata.cacheable:
            self._kept[message.hash] = message
        self._met[kept.hash] = self._runs
        return kept

    def _forget(self) -> None:
        """Forget what was not met for a while."""
        self._met = {name: run for name, run in self._met.items() if self._runs - run <= KEPT_RUNS}
        self._kept = {name: message for name, message in self._kept.items() if name in self._met}

    async def send(self, message: BackMsg | bytes | str) -> None:
        """Send a message, or noise."""
        if self.socket is None:
            raise LookupError("Open a page first.")
        await self.socket.send(message.SerializeToString() if isinstance(message, BackMsg) else message)

    async def receive(self, seconds: float | None = None) -> ForwardMsg:
        """Wait for the next message; one that names a kept one gives that."""
        if self.socket is None:
            raise LookupError("Open a page first.")
        data = await asyncio.wait_for(self.socket.recv(decode=False), seconds or self._seconds)
        self.view.size += len(data)
        return self._recall(ForwardMsg.FromString(data))


def _describe(urls: FileURLs, name: str, size: int) -> UploadedFileInfo:
    return UploadedFileInfo(name=name, size=size, file_id=urls.file_id, file_urls=urls)
