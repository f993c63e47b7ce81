"""How the server starts: it refuses what can't be safe, and puts the gate before Streamlit."""

import asyncio
import gc
import logging
import socket
import sys
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime import get_instance

from core.settings import get_text_setting
from core.ui.gate.connections import Make, allow_more_connections, end_silent
from core.ui.gate.gate import Gate, Rules
from core.ui.gate.identity import StartToken, find_login_address
from core.ui.gate.late_clicks import GRACE_S, spare_late_clicks
from core.ui.gate.stream import MOST_BYTES
from core.ui.gate.warming import WARMING, list_steps
from core.ui.login import is_login_configured, note_gate
from core.ui.session import close_ended_sessions

LOOK_SECONDS = 2.0
REQUEST_LOGS = ("uvicorn", "uvicorn.access", "uvicorn.error")
SHORTEST_SECRET = 16
UNREADABLE = "SonoKi does not start: {file} can't be read, so it is not known who may log in. Correct or remove it."
WEAK = (
    "SonoKi does not start: cookie_secret in the [auth] section of the secrets is missing or shorter than 16 "
    "characters, so that logins could be forged. Put a long random text there."
)


def protect_server() -> dict[str, Any]:
    """Give `st.App` what it serves by: the gate around all addresses, and what begins and ends with the server."""
    check_secrets()
    keep_requests_out_of_log()
    allow_more_connections()
    login = find_login_address() if is_login_configured() else None
    has_tls = bool(st.get_option("server.sslCertFile")) or (login is not None and login.scheme == "https")
    is_open = login is not None or get_text_setting("start_token") == "off"
    note_gate()
    rules = Rules(login, has_tls, None if is_open else StartToken())

    @asynccontextmanager
    async def live(_: object) -> AsyncIterator[None]:
        send_at_once(asyncio.get_running_loop())
        rules.files.watch(get_instance().media_file_mgr)
        spare_late_clicks(get_instance().media_file_mgr)
        print(f"\n  SonoKi: {write_address(rules.token)}\n", flush=True)  # noqa: T201 - the one place for the token
        watching = asyncio.create_task(_watch_sessions(rules))
        import_module("pandas")  # a figure looks for it among the modules that are loaded, and may find it half loaded
        warming = asyncio.create_task(asyncio.to_thread(lambda: WARMING.make(list_steps())))
        yield
        watching.cancel()
        WARMING.stop()
        await asyncio.gather(warming, return_exceptions=True)

    return {"middleware": [Middleware(Gate, rules=rules)], "lifespan": live}


def keep_requests_out_of_log() -> None:
    """Let the log name no request: its address may hold the start token, a session's id or whatever was typed.

    Streamlit turns Uvicorn's access log off, and on again whenever its options are read anew.
    """
    for name in REQUEST_LOGS:
        logging.getLogger(name).addFilter(_is_warning)


def _is_warning(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING


def check_secrets() -> None:
    """End the program where a file of secrets is there but can't be read, or its login could be forged."""
    for name in st.get_option("secrets.files"):
        path = Path(name)
        try:
            if path.is_file():
                auth = tomllib.loads(path.read_text(encoding="utf-8")).get("auth")
            else:
                continue
        except (OSError, ValueError):
            sys.exit(UNREADABLE.format(file=name))
        if auth is not None and len(str(auth.get("cookie_secret", ""))) < SHORTEST_SECRET:
            sys.exit(WEAK)


def write_address(token: StartToken | None) -> str:
    """Write the address that opens the app on this computer."""
    scheme = "https" if st.get_option("server.sslCertFile") else "http"
    address, port = st.get_option("server.address") or "localhost", st.get_option("server.port")
    base = st.get_option("server.baseUrlPath").strip("/")
    host = f"[{address}]" if ":" in address else address
    return f"{scheme}://{host}:{port}/{base + '/' if base else ''}" + (f"?token={token.text}" if token else "")


def send_at_once(loop: asyncio.AbstractEventLoop) -> None:
    """Let each connection send small messages at once.

    Streamlit makes its listening socket without a protocol number, for which asyncio leaves Nagle's algorithm on: each
    first text of a page then waits 40 ms for the browser's acknowledgement. Accepted sockets inherit the option.
    """
    create = loop.create_server

    async def create_server(*args: Any, sock: socket.socket | None = None, **options: Any) -> asyncio.Server:
        if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return await create(end_silent(limit_messages(args[0])), *args[1:], sock=sock, **options)

    loop.create_server = create_server  # type: ignore[method-assign]


def limit_messages(make: Make) -> Make:
    """Let the server's connections take no message into memory that is longer than any page's.

    Streamlit gives Uvicorn one limit for both ways, which must hold the largest figure that is sent.
    """

    def make_limited() -> asyncio.BaseProtocol:
        protocol = make()
        if hasattr(protocol, "config"):
            protocol.config.ws_max_size = MOST_BYTES
        return protocol

    return make_limited


async def _watch_sessions(rules: Rules) -> None:
    """End what belongs to sessions that are over; collect what they held, for no run of a page does."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        over = close_ended_sessions()
        for session in over:
            rules.files.forget(session)
        if over:
            gc.collect()
            asyncio.get_running_loop().call_later(GRACE_S, get_instance().media_file_mgr.remove_orphaned_files)
