"""Somebody with bare sockets: the requests of a browser, or of what only looks like one."""

import asyncio
import json
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

SECRET = "a secret of the test, long enough for signing"
XSRF = "_streamlit_xsrf"
DONE = ("script_finished",)
PATIENCE = 240.0
CLOSING = 0.02  # seconds in which a closed socket's transport is let go of by the event loop


def write_secrets(address: str) -> str:
    """Write secrets.toml for a login at an address."""
    return (
        f'[auth]\nredirect_uri = "{address}/oauth2callback"\ncookie_secret = "{SECRET}"\n'
        'client_id = "x"\nclient_secret = "y"\nserver_metadata_url = "http://127.0.0.1:9/none"\n'
    )


def sign_in(address: str, person: str, role: object, seconds: float = 3600, secret: str = SECRET) -> dict[str, str]:
    """Make the cookie that a login leaves in a browser."""
    claims = {"sub": person, "name": f"Dr {person}", "roles": role, "exp": time.time() + seconds}
    kept = json.dumps(claims | {"origin": address, "is_logged_in": True, "provider": "default"})
    return {"_streamlit_user": create_signed_value(secret, "_streamlit_user", kept).decode()}


@dataclass
class Stranger:
    """A client that sends what it likes.

    Parameters
    ----------
    address : str
        Of the app.
    cookies : dict of str to str
        What it has.
    headers : dict of str to str
        What it adds to each request.
    """

    address: str
    cookies: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    socket: ClientConnection | None = None
    session: str = ""
    given: str = ""
    widgets: dict[str, str] = field(default_factory=dict)
    seen: list[ForwardMsg] = field(default_factory=list)

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send one request."""
        headers = {"Origin": self.address} | self.headers | options.pop("headers", {})
        async with httpx.AsyncClient(base_url=self.address, cookies=self.cookies, timeout=PATIENCE) as client:
            return await client.request(method, path, headers=headers, **options)

    async def connect(self, origin: str | None = "", resume: str = "") -> int:
        """Open the websocket, maybe to go on with a session; give 101, or the status that it was refused with."""
        health = await self.ask("GET", "/_stcore/health")
        self.cookies[XSRF] = health.cookies[XSRF]
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        stream = self.address.replace("http", "ws", 1) + "/_stcore/stream"
        try:
            self.socket = await connect(
                stream,
                origin=self.address if origin == "" else origin,  # type: ignore[arg-type]
                subprotocols=["streamlit", self.cookies[XSRF], *([resume] if resume else [])],  # type: ignore[list-item]
                additional_headers={"Cookie": cookies} | self.headers,
                max_size=None,
                compression=None,
            )
        except InvalidStatus as refused:
            await asyncio.sleep(CLOSING)
            return refused.response.status_code
        return 101

    async def send(self, message: BackMsg | bytes | str) -> None:
        """Send a message, or noise."""
        assert self.socket is not None
        await self.socket.send(message.SerializeToString() if isinstance(message, BackMsg) else message)

    async def hear(self, *kinds: str, seconds: float = PATIENCE) -> ForwardMsg | None:
        """Wait for a message of one of these kinds; None if none comes, or the socket is closed."""
        assert self.socket is not None
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                data = await asyncio.wait_for(self.socket.recv(decode=False), left)
            except (TimeoutError, ConnectionClosed):
                return None
            message = ForwardMsg.FromString(data)
            self._note(message)
            if message.WhichOneof("type") in kinds:
                return message
        return None

    async def open(self, page: str) -> bool:
        """Open a page; give whether it was drawn to its end."""
        message = BackMsg()
        message.rerun_script.page_name = page
        return await self.run(message)

    async def run(self, message: BackMsg) -> bool:
        """Send a run of the page and wait for its end."""
        self.seen.clear()
        await self.send(message)
        while (end := await self.hear(*DONE)) is not None:
            if end.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                return True
        return False

    async def reach(self, page: str, text: str) -> bool:
        """Open a page and wait for a text, whatever runs were under way."""
        await self.open(page)
        while text not in self.text:
            if await self.hear(*DONE, seconds=PATIENCE / 4) is None:
                return False
        return True

    def press(self, label: str, page: str) -> BackMsg:
        """Write the message of a pressed button."""
        message = BackMsg()
        message.rerun_script.page_name = page
        widget = message.rerun_script.widget_states.widgets.add()
        widget.id, widget.trigger_value = self.widgets[label], True
        return message

    async def upload(self, data: bytes, session: str = "", file: str = "") -> httpx.Response:
        """Put a file, where an uploader would or elsewhere."""
        path = f"/_stcore/upload_file/{session or self.session}/{file or uuid.uuid4()}"
        headers = {"X-Xsrftoken": self.cookies.get(XSRF, "")}
        return await self.ask("PUT", path, files={"file": ("image.png", data)}, headers=headers)

    async def give(self, label: str, page: str, data: bytes, name: str) -> bool:
        """Give a file to the uploader of that label; give whether the page was drawn to its end."""
        ask = BackMsg()
        ask.file_urls_request.request_id = uuid.uuid4().hex
        ask.file_urls_request.file_names.append(name)
        await self.send(ask)
        answer = await self.hear("file_urls_response")
        assert answer is not None
        (urls,) = answer.file_urls_response.file_urls
        self.given = urls.file_id
        token = {"X-Xsrftoken": self.cookies.get(XSRF, "")}
        assert (await self.ask("PUT", urls.upload_url, files={"file": (name, data)}, headers=token)).is_success
        message = BackMsg()
        message.rerun_script.page_name = page
        widget = message.rerun_script.widget_states.widgets.add()
        widget.id = self.widgets[label]
        info = widget.file_uploader_state_value.uploaded_file_info.add(name=name, size=len(data), file_id=urls.file_id)
        info.file_urls.CopyFrom(urls)
        return await self.run(message)

    async def download(self, file: str, session: str = "", seconds: float = PATIENCE) -> str:
        """Ask for a deferred download; give its address, or nothing."""
        message = BackMsg()
        request = message.backend_operation_request
        request.request_id, request.session_id = uuid.uuid4().hex, session or self.session
        request.deferred_file.file_id = file
        await self.send(message)
        answer = await self.hear("backend_operation_response", seconds=seconds)
        return "" if answer is None else answer.backend_operation_response.deferred_file.url

    @property
    def text(self) -> str:
        """All that the last run sent, as text."""
        return "\n".join(map(str, self.seen))

    @property
    def media(self) -> list[str]:
        """Addresses of files that the last run sent."""
        return re.findall(r"/media/[0-9a-f]+\.\w+", self.text)

    @property
    def deferred(self) -> list[str]:
        """Ids of downloads that the last run offered."""
        return re.findall(r'deferred_file_id: "([0-9a-f]+)"', self.text)

    async def leave(self) -> None:
        """Close the socket."""
        if self.socket is not None:
            await self.socket.close()
            await asyncio.sleep(CLOSING)

    def _note(self, message: ForwardMsg) -> None:
        self.seen.append(message)
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.session = message.new_session.initialize.session_id or self.session
        if kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            element = message.delta.new_element
            part = getattr(element, element.WhichOneof("type") or "", None)
            if hasattr(part, "id") and hasattr(part, "label"):
                self.widgets[part.label] = part.id
