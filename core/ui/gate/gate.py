"""The gate before Streamlit: who may ask for what, in one place for pages, websockets, uploads, pictures, downloads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, quote, urlencode

import streamlit as st
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.runtime import get_instance

from core.settings import get_setting
from core.ui.gate.allowance import Allowances, wait_for
from core.ui.gate.answers import redirect, refuse
from core.ui.gate.files import FileOwners
from core.ui.gate.headers import protect
from core.ui.gate.identity import StartToken, find_user, name_cookie, read_claims
from core.ui.gate.origin import ELSEWHERE, Asked, refuse_other_name, refuse_stranger
from core.ui.gate.places import Places, end_when
from core.ui.gate.stream import guard_stream
from core.ui.gate.uploads import TooMuchError, Uploads
from core.ui.login import User, refuse_start

HEALTH, METRICS, STREAM = "/_stcore/health", "/_stcore/metrics", "/_stcore/stream"
UPLOAD, MEDIA = "/_stcore/upload_file/", "/media/"
NOT_PAGES = ("/_stcore/", MEDIA, "/component/")
BEFORE_LOGIN = (HEALTH, STREAM, "/_stcore/host-config")
READING = ("GET", "HEAD", "OPTIONS")
LOG_IN = "Log in to use SonoKi."
NOT_BY_PRINTED_ADDRESS = (
    "SonoKi asks on this computer for its start token: open the whole address that it printed when it was started. The "
    "token changes at each start."
)
NOT_YOURS = "This file is not yours, or it is no longer there."
FULL = (
    "The server can hold no more uploads at the moment. Try again when they have been read, or upload a smaller file."
)
CROWDED = "The server can hold no more open pages at the moment. Close some, or try again later."


@dataclass
class Rules:
    """What the gate goes by, fixed at the start."""

    login: SplitResult | None  # the address that people log in at; None where login is off
    has_tls: bool  # whether people reach the app by https, so that no cookie may travel otherwise
    token: StartToken | None  # what a browser on this computer must show; None where login is on or the setting is off
    files: FileOwners = field(default_factory=FileOwners)
    uploads: Uploads = field(default_factory=Uploads)
    places: Places = field(default_factory=Places)
    allowances: Allowances = field(default_factory=Allowances)


@dataclass(frozen=True)
class Visit:
    """One request, as the gate sees it."""

    path: str  # below the app's base address
    headers: dict[str, str]  # by lower-case name
    cookies: dict[str, str]  # by name
    claims: dict[str, object]  # of the login; empty where there is none

    @property
    def user(self) -> User | None:
        """The person whose login holds at this moment."""
        return find_user(self.claims)

    @property
    def person(self) -> str:
        """What tells the login's person from any other; empty where there is none."""
        return str(self.claims.get("sub", ""))


class Gate:
    """Middleware around all of Streamlit's addresses; what it does not know it keeps closed.

    Parameters
    ----------
    app : callable
        Streamlit's own ASGI application.
    rules : Rules
        What it goes by.
    """

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app, self._rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it in a sentence."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        visit = self._look_at(scope)
        send = self._protecting(send, visit)
        if visit.path == HEALTH and scope["type"] == "http" and scope["method"] in READING:
            await self._app(scope, receive, send)
            return
        sentence = self._refuse_way(scope, visit)
        if sentence is not None:
            await refuse(scope, receive, send, sentence)
        elif self._rules.token is not None and not self._rules.token.is_kept(visit.cookies, scope["server"][1]):
            await self._ask_for_token(scope, receive, send, self._rules.token)
        elif scope["type"] == "websocket":
            await self._stream(scope, receive, send, visit)
        else:
            await self._answer(scope, receive, send, visit)

    def _refuse_way(self, scope: Scope, visit: Visit) -> str | None:
        """Say why the way that a request took is none, or None where it is."""
        if visit.headers.get("host") is None or sum(name == b"host" for name, _ in scope["headers"]) > 1:
            return ELSEWHERE
        must = scope["type"] == "websocket" or scope["method"] not in READING
        default = 443 if scope["scheme"] in ("https", "wss") else 80
        asked = Asked(visit.headers, (scope["client"] or ("",))[0], scope["server"][1], default, must)
        if self._rules.login is not None:
            return refuse_other_name(asked, self._rules.login.netloc, st.get_option("server.allowedHosts"))
        return refuse_start(st.get_option("server.address")) or refuse_stranger(asked)

    async def _ask_for_token(self, scope: Scope, receive: Receive, send: Send, token: StartToken) -> None:
        """Take the token out of the address, where it is in it."""
        query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        given = next((value for name, value in query if name == "token"), "")
        if scope["type"] != "http" or scope["method"] != "GET" or not token.opens(given):
            await refuse(scope, receive, send, NOT_BY_PRINTED_ADDRESS)
            return
        rest = urlencode([(name, value) for name, value in query if name != "token"])
        address = quote("/" + scope["path"].lstrip("/")) + (f"?{rest}" if rest else "")
        answer = redirect(address, name_cookie(scope["server"][1]), token.cookie, has_tls=self._rules.has_tls)
        await answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, visit: Visit) -> None:
        """Answer a request for a page, a file, an upload or Streamlit's own figures."""
        if self._rules.login is not None and visit.path.startswith(NOT_PAGES) and visit.path not in BEFORE_LOGIN:
            user = visit.user
            if user is None:
                await refuse(scope, receive, send, LOG_IN, 401)
                return
            if not self._may_have(visit, user):
                await refuse(scope, receive, send, NOT_YOURS, 403)
                return
        if visit.path.startswith(UPLOAD) and scope["method"] == "PUT":
            await self._upload(scope, receive, send, visit)
        else:
            await self._app(scope, receive, send)

    def _may_have(self, visit: Visit, user: User) -> bool:
        """Whether a file, a session's upload or the server's figures are for this person."""
        if visit.path.startswith(MEDIA):
            return self._rules.files.is_of_person(visit.path, visit.person)
        if visit.path.startswith(UPLOAD):
            return self._find_person(_name_session(visit.path)) == visit.person
        return user.may("admin") if visit.path.startswith(METRICS) else True

    async def _upload(self, scope: Scope, receive: Receive, send: Send, visit: Visit) -> None:
        try:
            with self._rules.uploads.count(_name_session(visit.path), receive, visit.person) as counted:
                await self._app(scope, counted, send)
        except TooMuchError:
            await refuse(scope, receive, send, FULL, 413)

    async def _stream(self, scope: Scope, receive: Receive, send: Send, visit: Visit) -> None:
        """Let a page talk to its session, for as long as the login holds."""
        if visit.path != STREAM:
            await refuse(scope, receive, send, NOT_YOURS)
            return

        def may_use() -> bool:
            return self._rules.login is None or visit.user is not None

        places, is_person = self._rules.places, may_use()
        allowance = self._rules.allowances.find(visit.person if is_person else "", (scope["client"] or ("",))[0])
        if not await wait_for(allowance.runs):
            await refuse(scope, receive, send, CROWDED)
            return
        if not is_person:
            with places.take_for_stranger() as over:
                heard = end_when(over, receive, send)
                await self._app(scope, guard_stream(heard, send, may_use, self._rules.files, allowance), send)
            return
        most = get_setting("open_pages" if self._rules.login is None else "person_pages")
        if not places.has_room(visit.person, most):
            await refuse(scope, receive, send, CROWDED)
            return
        with places.take(visit.person):
            await self._app(scope, guard_stream(receive, send, may_use, self._rules.files, allowance), send)

    def _look_at(self, scope: Scope) -> Visit:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        cookies = cookie_parser(headers.get("cookie", ""))
        base, path = "/" + st.get_option("server.baseUrlPath").strip("/"), scope["path"]
        if base != "/" and path.startswith(base + "/"):
            path = path[len(base) :]
        return Visit(path, headers, cookies, self._read_claims(cookies))

    def _read_claims(self, cookies: Mapping[str, str]) -> dict[str, object]:
        login = self._rules.login
        return {} if login is None else read_claims(cookies, f"{login.scheme}://{login.netloc}")

    def _find_person(self, session: str) -> str | None:
        """Give the person whose browser has a session open, or None where nobody has."""
        client = get_instance().get_client(session)
        context = None if client is None else client.client_context
        return None if context is None else str(self._read_claims(context.cookies).get("sub", ""))

    def _protecting(self, send: Send, visit: Visit) -> Send:
        """Put the protecting headers on each answer."""
        host = visit.headers.get("host", "")

        async def protecting(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = protect(message.get("headers", ()), host=host, path=visit.path, has_tls=self._rules.has_tls)
                message = {**message, "headers": headers}
            await send(message)

        return protecting


def _name_session(path: str) -> str:
    return path.removeprefix(UPLOAD).partition("/")[0]
