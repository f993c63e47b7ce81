"""What a visitor waits for: a page of a fresh server, an estimate, a changed value, the board's next patient."""

import asyncio
import io
import statistics
import time
from collections import defaultdict
from itertools import pairwise

import numpy as np
from PIL import Image

from core.benchmark.startup import serve_app, wait_for_health
from core.benchmark.timing import Timing
from core.benchmark.visitor import View, Visitor
from core.errors import WorkError
from core.simulation import render_patient, simulate_cohort

SEED = 20260507
PATIENCE = 120.0
CALM = 1.5  # seconds between two actions, in which what the page does in the background comes to its end
FRESH = {"Case": "Case", "Tumour board": "Tumour_board", "Discrimination": "Discrimination"}
UPLOADER, ESTIMATE, AGE = "Ultrasound image: DICOM, PNG, JPEG, BMP or TIFF", "Estimate", "Age (years)"
MORE = "More views of the same lesion (up to 11)"
FIRST_ESTIMATE = "Case: first estimate of an image"
GIVEN = "Case: a PNG file given, to its estimate"
SECOND_VIEW = "Case: a second view given, to the estimate of both"
ANOTHER_PAGE = "From Case to the Cohort page"
CHANGED_VALUE = "Case: a changed clinical value"
NEXT_PATIENT = "Tumour board: the next patient"
Runs = dict[str, list[tuple[float, float]]]


def time_pages(rounds: int, starts: int) -> list[Timing]:
    """Visit fresh servers, then one that is warm, over the websocket as a browser does; medians and 95th percentiles.

    A fresh server is timed from the health check's answer, which is when a browser can open the page.
    """
    runs: Runs = defaultdict(list)
    for _ in range(starts):
        for title, page in FRESH.items():
            with serve_app() as port:
                wait_for_health(port, time.perf_counter())
                asyncio.run(_open_fresh(f"http://127.0.0.1:{port}", title, page, runs))
    with serve_app() as port:
        wait_for_health(port, time.perf_counter())
        asyncio.run(use_pages(f"http://127.0.0.1:{port}", rounds, runs))
    return [
        Timing(
            name,
            1000 * statistics.median(seconds),
            len(seconds),
            statistics.median(sizes) / 1000,
            1000 * float(np.percentile(seconds, 95)),
        )
        for name, (seconds, sizes) in ((name, tuple(zip(*found, strict=True))) for name, found in runs.items())
    ]


async def use_pages(address: str, rounds: int, runs: Runs) -> None:
    """Estimate, change values and go through the board; the first of each does not count.

    Parameters
    ----------
    address : str
        Of the app.
    rounds : int
        Runs of each action.
    runs : dict of str to list of (float, float)
        Takes seconds and bytes of each run by the action's name.
    """
    board = Visitor(address, PATIENCE)
    await board.open("Tumour_board")
    await board.press("Begin with the first")
    images = draw_images(rounds + 2)
    for i, (image, second_view) in enumerate(pairwise(images)):
        case = Visitor(address, PATIENCE)
        await case.open("Case")
        shown = await case.upload(UPLOADER, image)
        await asyncio.sleep(CALM)
        estimate = await case.press(ESTIMATE)
        await case.move("number_input", AGE, 40.0 + i)
        await asyncio.sleep(CALM)
        changed = await case.move("number_input", AGE, 60.0 + i)
        await asyncio.sleep(CALM)
        second = [await case.upload(MORE, second_view), await case.press(ESTIMATE)]
        await asyncio.sleep(CALM)
        other = await case.open("Cohort")
        await case.close()
        following = await board.press("Next")
        timed = {
            FIRST_ESTIMATE: [estimate],
            GIVEN: [shown, estimate],
            SECOND_VIEW: second,
            CHANGED_VALUE: [changed],
            ANOTHER_PAGE: [other],
            NEXT_PATIENT: [following],
        }
        for name, views in timed.items() if i else ():
            _note(runs, name, *views)
    await board.close()


def draw_images(count: int) -> list[bytes]:
    """Draw PNG files that differ in their pixels, so that no result can be kept from one for another."""
    pixels = render_patient(simulate_cohort(24, SEED), 0, SEED).pixels
    rng = np.random.default_rng(SEED)
    files = []
    for _ in range(count):
        noise = rng.integers(0, 3, pixels.shape, dtype=np.uint8)
        buffer = io.BytesIO()
        noisy = np.where(pixels > 20, np.minimum(pixels, 252) + noise, pixels)
        Image.fromarray(noisy).save(buffer, "PNG", compress_level=1)
        files.append(buffer.getvalue())
    return files


async def _open_fresh(address: str, title: str, page: str, runs: Runs) -> None:
    visitor = Visitor(address, PATIENCE)
    view = await visitor.open(page)
    await visitor.close()
    _note(runs, f"{title} on a fresh server", view)
    runs[f"{title} on a fresh server, first text"].append((view.seconds_to_text or view.seconds, view.size))


def _note(runs: Runs, name: str, *views: View) -> None:
    """Note what the runs of a page took together."""
    for view in views:
        if view.errors:
            raise WorkError(f"{name}: the page shows an error. {view.errors[0]}")
    runs[name].append((sum(view.seconds for view in views), sum(view.size for view in views)))
