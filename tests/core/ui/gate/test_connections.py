"""A connection that asks for nothing is closed; one whose request is answered, however slowly, is not."""

import asyncio
import resource
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState
from websockets.asyncio.client import connect

from core.ui.gate import connections
from core.ui.gate.connections import allow_more_connections, end_silent

SILENT, SLOW = 0.3, 1.0
REQUEST = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


async def answer_slowly(scope, receive, send) -> None:
    """Answer a request after a while, or talk over a websocket."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await asyncio.sleep(SLOW)
        await send({"type": "websocket.send", "text": "late"})
        return
    await asyncio.sleep(SLOW)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"late"})


async def see_closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Wait until the server has closed a connection."""
    with suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), 10 * SILENT) == b""
    writer.close()
    await asyncio.sleep(SILENT / 10)  # in which the event loop lets go of the socket


@pytest.fixture
def serve(monkeypatch) -> Callable[[Callable[[int], Awaitable[None]]], None]:
    monkeypatch.setattr(connections, "SILENT_SECONDS", SILENT)

    def run(ask: Callable[[int], Awaitable[None]]) -> None:
        async def work() -> None:
            config = uvicorn.Config(answer_slowly, http="h11", timeout_keep_alive=60)
            config.load()
            make = end_silent(lambda: H11Protocol(config, ServerState(), {}))
            server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
            async with server:
                await ask(server.sockets[0].getsockname()[1])

        asyncio.run(work())

    return run


@pytest.mark.parametrize("begun", [b"", b"G", REQUEST[:-2]])
def test_a_connection_without_a_whole_request_is_closed(serve, begun: bytes) -> None:
    async def ask(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begun)
        await see_closed(reader, writer)

    serve(ask)


def test_one_answered_and_then_kept_open_by_half_a_request_is_closed(serve) -> None:
    async def ask(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST)
        assert (await reader.readuntil(b"late")).startswith(b"HTTP/1.1 200")
        writer.write(REQUEST[:-2])
        await see_closed(reader, writer)

    serve(ask)


def test_a_websocket_stays(serve) -> None:
    async def ask(port: int) -> None:
        async with connect(f"ws://127.0.0.1:{port}/") as socket:
            assert await socket.recv() == "late"

    serve(ask)


def test_as_many_connections_are_taken_as_this_computer_allows() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        allow_more_connections()
        raised, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert raised > 256
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
