"""Connections that ask for nothing: each is closed after a while, so that nobody unknown holds all that there are."""

import asyncio
import resource
from collections.abc import Callable
from contextlib import suppress
from typing import Any

SILENT_SECONDS = 20.0
MOST_FILES = 65_536
Make = Callable[[], asyncio.BaseProtocol]


def allow_more_connections() -> None:
    """Raise this process's limit of open files, of which each connection is one, as far as it may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def end_silent(make: Make) -> Make:
    """Let the server's HTTP connections end that have no request under way and begin none for `SILENT_SECONDS`.

    Uvicorn itself waits without end for a connection's first request, and for the rest of one that was begun.
    """

    def make_watched() -> asyncio.BaseProtocol:
        protocol: Any = make()
        begin = protocol.connection_made

        def begin_watched(transport: asyncio.Transport) -> None:
            begin(transport)
            _look_later(protocol, transport, None)

        if hasattr(protocol, "cycle"):
            protocol.connection_made = begin_watched
        return protocol

    return make_watched


def _look_later(protocol: Any, transport: asyncio.Transport, before: Any) -> None:
    asyncio.get_running_loop().call_later(SILENT_SECONDS, _look, protocol, transport, before)


def _look(protocol: Any, transport: asyncio.Transport, before: Any) -> None:
    """Close a connection whose last request, or the lack of one, is that of the last look and was answered."""
    is_websocket = id(transport.get_protocol()) != id(protocol)  # it has taken the connection over
    if transport.is_closing() or is_websocket:
        return
    request = protocol.cycle
    if request is before and (request is None or request.response_complete):
        transport.abort()
    else:
        _look_later(protocol, transport, request)
