"""What a clinician waits for, in a real Chromium: `python -m tests.load.stopwatch [ROUNDS]`."""

import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from playwright.sync_api import Page, sync_playwright

from core.benchmark.pages import draw_images
from tests.pages.serving import serve_app
from tests.pages.test_in_browser import ARGUMENTS, PATIENCE_MS, open_case, read_headline, settle, wait_until
from tests.tools import find_program

ROUNDS = 20
HEADLINE = "probability of a high Ki-67"
Runs = defaultdict[str, list[float]]


def clock(runs: Runs, name: str, act: Callable[[], object]) -> None:
    """Note how many seconds something takes."""
    started = time.perf_counter()
    act()
    runs[name].append(time.perf_counter() - started)


def estimate(page: Page) -> None:
    """Press Estimate as soon as it can be pressed, and wait for the answer."""
    page.get_by_role("button", name="Estimate", exact=True).click()
    read_headline(page)


def give(page: Page, data: bytes) -> None:
    """Give an image to the uploader that is open."""
    page.locator("input[type=file]").first.set_input_files(
        {"name": "image.png", "mimeType": "image/png", "buffer": data}
    )


def change_age(page: Page, age: int) -> None:
    """Type another age, and wait until the answer differs."""
    headline = page.get_by_role("heading", name=HEADLINE)
    before = headline.inner_text()
    field = page.get_by_role("spinbutton", name="Age (years)")
    field.fill(str(age))
    field.press("Enter")
    while headline.inner_text() == before:
        page.wait_for_timeout(10)


def use_case(page: Page, address: str, images: tuple[bytes, bytes], runs: Runs) -> None:
    """Give an image, change a value, give a second view, go to another page."""
    first, second = images

    def answer_first() -> None:
        give(page, first)
        estimate(page)

    def answer_both() -> None:
        give(page, second)
        page.get_by_text("Earlier estimate").wait_for()
        estimate(page)
        page.get_by_text(re.compile("The 2 views differ by")).first.wait_for()

    def go_to_cohort() -> None:
        page.get_by_role("link", name="Cohort", exact=True).click()
        page.get_by_role("heading", name="Cohort", exact=True).wait_for()

    open_case(page, address)
    settle(page)
    clock(runs, "a PNG file given, to the answer", answer_first)
    settle(page)
    page.get_by_role("button", name="Edit values").click()
    change_age(page, 30)
    clock(runs, "a changed value, to the answer", lambda: change_age(page, 80))
    page.keyboard.press("Escape")
    settle(page)
    page.get_by_role("button", name=re.compile("more views")).click()
    wait_until(page, "document.querySelectorAll('input[type=file]').length == 1")
    clock(runs, "a second view given, to the answer of both", answer_both)
    settle(page)
    clock(runs, "from Case to Cohort", go_to_cohort)
    leave = page.get_by_role("button", name=re.compile("^Discard"))
    if leave.count():
        leave.click()


def turn_pages(page: Page, address: str, rounds: int, runs: Runs) -> None:
    """Go through the patients of the board."""
    page.goto(f"{address}/Tumour_board", timeout=PATIENCE_MS)
    page.get_by_role("button", name="Begin with the first").click()
    page.get_by_text(re.compile(r"· 1 of \d+")).wait_for()
    for number in range(2, rounds + 2):
        settle(page)
        page.wait_for_timeout(1500)

        def turn(number: int = number) -> None:
            page.get_by_role("button", name=re.compile("^Next")).click()
            page.get_by_text(re.compile(rf"· {number} of \d+")).wait_for()
            settle(page)

        clock(runs, "the board's next patient", turn)


def main(rounds: int) -> None:
    """Print the median and the 95th percentile of each; the first of each does not count."""
    runs: Runs = defaultdict(list)
    with serve_app() as address, sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=find_program("chromium"), args=ARGUMENTS)
        for images in pairwise(draw_images(rounds + 2)):
            context = chromium.new_context(viewport={"width": 1280, "height": 800})
            page = context.new_page()
            page.set_default_timeout(PATIENCE_MS)
            use_case(page, address, images, runs)
            context.close()
        page = chromium.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(PATIENCE_MS)
        turn_pages(page, address, min(rounds, 18), runs)
        chromium.close()
    for name, seconds in runs.items():
        middle, most = np.percentile(seconds[1:], (50, 95))
        sys.stdout.write(f"{name}: n = {len(seconds) - 1}, median {middle:.2f} s, 95th percentile {most:.2f} s\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
