"""How the server starts: not with secrets that can't be read, and with a token on a computer that others use too."""

import asyncio
import ctypes
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from core.ui.gate.start import send_at_once
from tests.load.server import list_children
from tests.pages.serving import ROOT, find_port, wait_until_well
from tests.security.client import Stranger

COMMAND = [sys.executable, "-m", "streamlit", "run", "app.py"]
PIDFD_GETFD = 438  # the system call of Linux


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[auth\n", "can't be read"),
        ("\x00\xff", "can't be read"),
        ("[auth]\nclient_id = 'x'\n", "logins could be forged"),
        ("[auth]\ncookie_secret = ''\n", "logins could be forged"),
        ("[auth]\ncookie_secret = 'short'\n", "logins could be forged"),
    ],
)
def test_bad_secrets_end_the_start_in_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    secrets = tmp_path / "secrets.toml"
    secrets.write_bytes(text.encode("latin-1"))
    command = [*COMMAND, "--server.port", str(find_port()), "--secrets.files", str(secrets)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert ended.returncode != 0
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.fixture(scope="module")
def printed(bundle_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, Path]]:
    """The app with its token: address, token, and the file of its standard error."""
    port, folder = find_port(), tmp_path_factory.mktemp("token")
    variables = os.environ | {"SONOKI_BUNDLE": str(bundle_dir), "XDG_DATA_HOME": str(folder)}
    variables.pop("SONOKI_START_TOKEN", None)
    out, err = folder / "out", folder / "err"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        command = [*COMMAND, "--server.port", str(port)]
        server = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=stdout, stderr=stderr)
    try:
        wait_until_well(f"http://127.0.0.1:{port}/_stcore/health", server)
        (token,) = re.findall(rf"http://127\.0\.0\.1:{port}/\?token=(\S+)", out.read_text())
        yield f"http://127.0.0.1:{port}", token, err
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


@pytest.mark.parametrize(
    "path",
    ["/", "/Case", "/?token=", "/?token=x", "/_stcore/metrics", "/media/x.png", "/_stcore/host-config", "/static/x"],
)
def test_without_the_token_nothing_is_served(printed: tuple[str, str, Path], path: str) -> None:
    async def ask() -> None:
        stranger = Stranger(printed[0])
        assert (await stranger.ask("GET", path)).status_code == 403
        assert (await stranger.ask("PUT", path)).status_code == 403

    asyncio.run(ask())


def test_without_the_token_no_websocket_opens(printed: tuple[str, str, Path]) -> None:
    assert asyncio.run(Stranger(printed[0]).knock()) == 403


def test_the_printed_address_opens_the_app_and_its_token_goes_from_the_address(printed: tuple[str, str, Path]) -> None:
    address, token, err = printed
    answer = httpx.get(f"{address}/Case?patient=P-1&token={token}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/Case?patient=P-1")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert token not in answer.headers["set-cookie"]
    browser = Stranger(address, cookies=dict(answer.cookies))
    assert asyncio.run(browser.ask("GET", "/")).status_code == 200
    asyncio.run(open_and_leave(browser))
    assert token not in err.read_text()


async def open_and_leave(browser: Stranger) -> None:
    assert await browser.knock() == 101
    await browser.leave()


def test_no_address_leads_elsewhere(printed: tuple[str, str, Path]) -> None:
    address, token, _ = printed
    answer = httpx.get(f"{address}//evil.org?token={token}")
    assert not answer.headers.get("location", "/x").startswith(("//", "http"))


def test_accepted_sockets_send_at_once() -> None:
    """The listening socket is made without a protocol number, as Streamlit makes it."""

    async def accept() -> int:
        loop = asyncio.get_running_loop()
        send_at_once(loop)
        options: asyncio.Future[int] = loop.create_future()

        class Asked(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                accepted = transport.get_extra_info("socket")
                options.set_result(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
                transport.close()

        listening = socket.socket(socket.AF_INET)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.setblocking(False)
        server = await loop.create_server(Asked, sock=listening)
        _, writer = await asyncio.open_connection(*listening.getsockname())
        option = await options
        writer.close()
        server.close()
        return option

    assert asyncio.run(accept()) != 0


def find_accepted(pid: int, port: int) -> list[int]:
    """Find the file descriptors of a process's connections at a port, from /proc."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {f"socket:[{line[9]}]" for line in lines if line[1].endswith(f":{port:04X}") and line[3] == "01"}
    return [int(link.name) for link in Path(f"/proc/{pid}/fd").iterdir() if os.readlink(link) in inodes]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into another process by Linux's means")
def test_the_running_server_sends_small_messages_at_once(printed: tuple[str, str, Path]) -> None:
    """Asked of the very socket that the server accepted, borrowed from its process."""
    address, token, _ = printed
    port, libc = int(address.rsplit(":", 1)[1]), ctypes.CDLL(None, use_errno=True)
    with httpx.Client(base_url=address) as browser:
        browser.get(f"/?token={token}")
        (pid,) = {pid for pid in list_children("self") if find_accepted(pid, port)}
        for accepted in find_accepted(pid, port):
            borrowed = libc.syscall(PIDFD_GETFD, os.pidfd_open(pid), accepted, 0)
            if borrowed < 0:
                pytest.skip(f"may not look into the server's process: {os.strerror(ctypes.get_errno())}")
            with socket.socket(fileno=borrowed) as held:
                assert held.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
