"""Somebody with bare sockets: the requests of a browser, or of what only looks like one."""

import asyncio
import json
import re
import time
import uuid
from typing import Any

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from websockets.exceptions import ConnectionClosed, InvalidStatus

from core.benchmark.visitor import XSRF_COOKIE, View, Visitor

SECRET = "a secret of the test, long enough for signing"
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


class Stranger(Visitor):
    """A visitor that sends what it likes.

    Parameters
    ----------
    address : str
        Of the app.
    cookies : dict of str to str
        What it has; it takes none but the token of uploads.
    headers : dict of str to str
        What it adds to each request.
    """

    def __init__(
        self, address: str, cookies: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(address, PATIENCE)
        self.cookies, self.headers = cookies or {}, headers or {}
        self.session = self.given = ""
        self.seen: list[ForwardMsg] = []

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send one request."""
        headers = {"Origin": self.address} | self.headers | options.pop("headers", {})
        given = {"base_url": self.address, "cookies": self.cookies, "timeout": PATIENCE}
        async with httpx.AsyncClient(**given, verify=self.address.startswith("https")) as client:
            return await client.request(method, path, headers=headers, **options)

    async def knock(self, origin: str | None = "", resume: str = "") -> int:
        """Open the websocket, maybe to go on with a session; give 101, or the status that it was refused with."""
        health = await self.ask("GET", "/_stcore/health")
        self.cookies[XSRF_COOKIE] = health.cookies[XSRF_COOKIE]
        cookie = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        protocols = [self.cookies[XSRF_COOKIE], *([resume] if resume else [])]
        try:
            await self.connect(self.address if origin == "" else origin, protocols, cookie | self.headers)
        except InvalidStatus as refused:
            await asyncio.sleep(CLOSING)
            return refused.response.status_code
        return 101

    async def hear(self, *kinds: str, seconds: float = PATIENCE) -> ForwardMsg | None:
        """Wait for a message of one of these kinds; None if none comes, or the socket is closed."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                message = await self.receive(left)
            except (TimeoutError, ConnectionClosed):
                return None
            if message.WhichOneof("type") in kinds:
                return message
        return None

    async def receive(self, seconds: float | None = None) -> ForwardMsg:
        """Note what comes."""
        message = await super().receive(seconds)
        self.seen.append(message)
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.session = message.new_session.initialize.session_id or self.session
        if kind == "file_urls_response":
            self.given = message.file_urls_response.file_urls[0].file_id
        return message

    async def run(self, message: BackMsg) -> View | None:
        """Send a run of the page; None where the socket closes before its end."""
        self.seen.clear()
        try:
            return await super().run(message)
        except (TimeoutError, ConnectionClosed):
            return None

    async def reach(self, page: str, text: str) -> bool:
        """Open a page and wait for a text, whatever runs were under way."""
        await self.open(page)
        while text not in self.text:
            if await self.hear("script_finished", seconds=PATIENCE / 4) is None:
                return False
        return True

    async def put(self, data: bytes, session: str = "", file: str = "") -> httpx.Response:
        """Put a file, where an uploader would or elsewhere."""
        path = f"/_stcore/upload_file/{session or self.session}/{file or uuid.uuid4()}"
        return await self.ask("PUT", path, files={"file": ("image.png", data)}, headers=self.token)

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
    def token(self) -> dict[str, str]:
        """The header that an upload needs."""
        return {"X-Xsrftoken": self.cookies.get(XSRF_COOKIE, "")}

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
        await self.close()
        await asyncio.sleep(CLOSING)
