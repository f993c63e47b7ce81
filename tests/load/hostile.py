"""A session that wants the server for itself: emptied caches, floods of reruns, uploads and images dear to decode."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import numpy as np
from PIL import Image
from streamlit.proto.BackMsg_pb2 import BackMsg

from tests.load.clinic import PAGE, UPLOADER
from tests.load.visitor import Visitor
from tests.security.client import Stranger

SCANS, SIDE = 64, 3_000
AT_ONCE = 40


def write_dear_images(count: int) -> list[bytes]:
    """Write progressive JPEG files of as many scans as are taken; each differs, so that no refusal is remembered."""
    buffer = io.BytesIO()
    Image.new("L", (SIDE, SIDE), 90).save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    last = data.rindex(b"\xff\xda")
    stream = data[:last] + data[last:-2] * (SCANS - data.count(b"\xff\xda") + 1) + b"\xff\xd9"
    return [stream + np.uint32(number).tobytes() for number in range(count)]


@asynccontextmanager
async def attack(address: str, patience: float) -> AsyncIterator[None]:
    """Attack the app with two sessions of one person until the block ends."""
    attacks = [asyncio.create_task(_repeat(act, address, patience)) for act in (_flood, _upload)]
    try:
        yield
    finally:
        for one in attacks:
            one.cancel()
        await asyncio.gather(*attacks, return_exceptions=True)


async def _repeat(act: Callable[[str, float], Awaitable[None]], address: str, patience: float) -> None:
    while True:
        with suppress(Exception):
            await act(address, patience)
        await asyncio.sleep(0.1)


async def _flood(address: str, _: float) -> None:
    stranger = Stranger(address)
    await stranger.connect()
    while True:
        for _ in range(AT_ONCE):
            empty, rerun = BackMsg(), BackMsg()
            empty.clear_cache = True
            rerun.rerun_script.page_name = PAGE
            await stranger.send(empty)
            await stranger.send(rerun)
        await stranger.upload(bytes(1_000_000))
        await stranger.hear("none", seconds=1)


async def _upload(address: str, patience: float) -> None:
    for image in write_dear_images(8):
        visitor = Visitor(address, patience)
        await visitor.open(PAGE)
        await visitor.upload(UPLOADER, image)
        await visitor.close()
