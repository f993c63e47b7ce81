"""A server that is told to stop ends in good time, and its decoders with it."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from core.benchmark.pages import UPLOADER, draw_images
from core.benchmark.visitor import Visitor
from tests.load.clinic import PAGE
from tests.load.server import list_children, serve

pytestmark = pytest.mark.slow


async def use(address: str) -> None:
    visitor = Visitor(address, 120)
    await visitor.open(PAGE)
    await visitor.upload(UPLOADER, draw_images(1)[0])
    view = await visitor.press("Estimate")
    assert view.errors == []
    await visitor.close()


def test_server_and_decoders_end_on_sigterm(tmp_path: Path) -> None:
    with serve(tmp_path) as served:
        asyncio.run(use(served.address))
        decoders = list_children(served.pid)
        assert decoders
        os.kill(served.pid, signal.SIGTERM)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and (runs(served.pid) or any(map(runs, decoders))):
            time.sleep(0.1)
        assert not runs(served.pid)
        assert not any(map(runs, decoders))


def runs(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
