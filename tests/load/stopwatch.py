"""What a clinician waits for, in a real Chromium: `python -m tests.load.stopwatch [ROUNDS]`."""

import json
import re
import sys
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from playwright.sync_api import Page, sync_playwright

from core.benchmark.pages import draw_images
from tests.pages.serving import serve_app
from tests.pages.test_in_browser import ARGUMENTS, PATIENCE_MS, open_case, settle, wait_until
from tests.tools import find_program

ROUNDS = 20
# Counts from the first thing that the user does to the frame that shows what is waited for.
WATCH = """done => {
  delete window.begun
  for (const name of ["change", "pointerdown", "keydown"])
    addEventListener(name, () => { window.begun ??= performance.now() }, { capture: true, once: true })
  window.seen = new Promise(resolve => {
    const look = () => {
      if (window.begun === undefined || !done()) return
      watch.disconnect()
      requestAnimationFrame(() => setTimeout(() => resolve((performance.now() - window.begun) / 1000)))
    }
    const watch = new MutationObserver(look)
    watch.observe(document, { subtree: true, childList: true, characterData: true, attributes: true })
  })
}"""
CALM = """document.querySelector("[data-testid=stApp]").dataset.testScriptState === "notRunning"
  && !document.querySelector("[data-stale=true]")"""
CAN_ESTIMATE = "[...document.querySelectorAll('button')].some(b => b.textContent === 'Estimate' && !b.disabled)"
HEADLINE = "document.querySelector('.st-key-case_answer h2')?.textContent"
Runs = defaultdict[str, list[float]]


def clock(page: Page, done: str, act: Callable[[], object]) -> float:
    """Give the seconds from what the user does to when the page shows it, by the browser's clock."""
    page.evaluate(f"({WATCH})(() => {done})")
    act()
    return float(page.evaluate("window.seen"))


def give(page: Page, data: bytes) -> float:
    """Give an image to the uploader that is open, until an estimate can be asked for."""
    place, image = page.locator("input[type=file]").first, {"name": "image.png", "mimeType": "image/png"}
    return clock(page, CAN_ESTIMATE, lambda: place.set_input_files({**image, "buffer": data}))


def estimate(page: Page, done: str) -> float:
    """Press Estimate, until the answer stands."""
    return clock(page, f"{done} && {CALM}", page.get_by_role("button", name="Estimate", exact=True).click)


def change_age(page: Page, age: int) -> float:
    """Type another age, until the answer differs."""
    field = page.get_by_role("spinbutton", name="Age (years)")
    field.fill(str(age))
    before = json.dumps(page.evaluate(HEADLINE))
    return clock(page, f"{HEADLINE} !== {before} && {CALM}", lambda: field.press("Enter"))


def use_case(page: Page, address: str, images: tuple[bytes, bytes], runs: Runs) -> None:
    """Give an image, change a value, give a second view, go to another page."""
    first, second = images
    open_case(page, address)
    settle(page)
    runs["a PNG file given, to the answer"].append(give(page, first) + estimate(page, HEADLINE))
    settle(page)
    page.get_by_role("button", name="Edit values").click()
    change_age(page, 30)
    settle(page)
    runs["a changed value, to the answer"].append(change_age(page, 80))
    page.keyboard.press("Escape")
    settle(page)
    page.get_by_role("button", name=re.compile("more views")).click()
    wait_until(page, "document.querySelectorAll('input[type=file]').length == 1")
    given = give(page, second)
    page.get_by_text("Earlier estimate").wait_for()
    both = estimate(page, "document.body.textContent.includes('The 2 views differ by')")
    runs["a second view given, to the answer of both"].append(given + both)
    settle(page)
    link = page.get_by_role("link", name="Cohort", exact=True)
    title = f"document.querySelector('h1')?.textContent === 'Cohort' && {CALM}"
    runs["from Case to Cohort"].append(clock(page, title, link.click))


def turn_pages(page: Page, address: str, rounds: int, runs: Runs) -> None:
    """Go through the patients of the board."""
    page.goto(f"{address}/Tumour_board", timeout=PATIENCE_MS)
    page.get_by_role("button", name="Begin with the first").click()
    page.get_by_text(re.compile(r"· 1 of \d+")).wait_for()
    for number in range(2, rounds + 2):
        settle(page)
        page.wait_for_timeout(1500)
        there = f"[...document.querySelectorAll('h2')].some(h => h.textContent.includes('· {number} of ')) && {CALM}"
        next_one = page.get_by_role("button", name=re.compile("^Next"))
        runs["the board's next patient"].append(clock(page, there, next_one.click))


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
