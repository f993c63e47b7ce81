"""A session that wants the server for itself: emptied caches, floods of reruns and uploads, files dear to read."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from functools import partial

from streamlit.proto.BackMsg_pb2 import BackMsg

from core.benchmark.pages import UPLOADER
from core.benchmark.visitor import Visitor
from tests.load.clinic import PAGE
from tests.load.hostile_files import write_far_cells, write_many_cells, write_many_scans, write_many_strings
from tests.security.client import Stranger

TABS = 3
REFUSED, TAKEN = (500, 6_000), (64, 3_000)  # scans and width of a JPEG: what is refused, and the dearest that is not
MOST_CELLS = 49_900, 100
TABLE_PAGE, TABLE_UPLOADER = "Cohort", "Prediction table: CSV, Excel, ODS or Parquet"
AT_ONCE = 40

Act = Callable[[str, float], Awaitable[None]]


@asynccontextmanager
async def attack(address: str, patience: float) -> AsyncIterator[Counter[str]]:
    """Attack the app from several tabs until the block ends; what was done is counted."""
    done: Counter[str] = Counter()
    images = (write_many_scans(*size, number) for number in itertools.count() for size in (REFUSED, TAKEN))
    tables = itertools.cycle([write_far_cells(), write_many_strings(), write_many_cells(*MOST_CELLS)])

    async def upload_images(address: str, patience: float) -> None:
        await _upload(address, patience, PAGE, UPLOADER, _count(images, done, "images"), "image.jpg")

    async def upload_tables(address: str, patience: float) -> None:
        await _upload(address, patience, TABLE_PAGE, TABLE_UPLOADER, _count(tables, done, "tables"), "table.xlsx")

    next(images), next(images)  # the first of each size is made before the attack begins
    acts: list[Act] = [partial(_flood, done=done), upload_tables, *[upload_images] * TABS]
    attacks = [asyncio.create_task(_repeat(act, address, patience)) for act in acts]
    try:
        yield done
    finally:
        for one in attacks:
            one.cancel()
        await asyncio.gather(*attacks, return_exceptions=True)


async def _repeat(act: Act, address: str, patience: float) -> None:
    while True:
        with suppress(Exception):
            await act(address, patience)
        await asyncio.sleep(0.1)


def _count(files: Iterator[bytes], done: Counter[str], name: str) -> Iterator[bytes]:
    for file in files:
        yield file
        done[name] += 1  # the one before was answered


async def _flood(address: str, _: float, done: Counter[str]) -> None:
    stranger = Stranger(address)
    await stranger.knock()
    while True:
        for _ in range(AT_ONCE):
            empty, rerun = BackMsg(), BackMsg()
            empty.clear_cache = True
            rerun.rerun_script.page_name = PAGE
            await stranger.send(empty)
            await stranger.send(rerun)
        answer = await stranger.put(bytes(1_000_000))
        done.update(messages=2 * AT_ONCE, uploads=int(answer.is_success))
        await stranger.hear("none", seconds=1)


async def _upload(address: str, patience: float, page: str, uploader: str, files: Iterator[bytes], name: str) -> None:
    """Upload one file after another in one tab."""
    visitor = Visitor(address, patience)
    try:
        await visitor.open(page)
        while True:
            await visitor.upload(uploader, next(files), name)
    finally:
        await visitor.close()
