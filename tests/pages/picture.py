"""Take the pictures of the Case page: `python -m tests.pages.picture` writes .github/*.png, 1280 pixels wide.

case.png (the README's) is one image of a simulated patient, views.png two planes of a lesion, loop.png a loop.
"""

import io
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from core.simulation import SimulatedFrame, render_patient, simulate_cohort
from tests.pages.loops import encode_drift
from tests.pages.serving import PATIENCE_MS, ROOT, serve_app
from tests.pages.test_in_browser import ARGUMENTS, open_case, read_probability, settle
from tests.tools import find_program

FOLDER = ROOT / ".github"
N_PATIENTS, SEED = 10, 20270101
N_FRAMES = 40
File = dict[str, str | bytes]


def draw_planes() -> list[SimulatedFrame]:
    """Render two planes of one simulated tumour."""
    cohort = simulate_cohort(N_PATIENTS, SEED)
    return [render_patient(cohort, 0, SEED + plane) for plane in range(2)]


def give(page: Page, files: list[File]) -> None:
    """Give files of one lesion to the page."""
    settle(page)
    page.locator("input[type=file]").first.set_input_files(files)
    page.get_by_text("Draw a box around the lesion").wait_for()
    settle(page)


def show_one(page: Page) -> None:
    """Try the first simulated patient."""
    page.get_by_role("button", name="Try this patient").click()
    page.get_by_text("image and clinical values are made up").wait_for()


def show_views(page: Page) -> None:
    """Give two planes of a lesion."""
    files: list[File] = []
    for number, frame in enumerate(draw_planes(), start=1):
        buffer = io.BytesIO()
        Image.fromarray(frame.pixels).save(buffer, format="PNG")
        files.append({"name": f"plane-{number}.png", "mimeType": "image/png", "buffer": buffer.getvalue()})
    give(page, files)


def show_loop(page: Page) -> None:
    """Score a loop frame by frame."""
    give(
        page,
        [{"name": "loop.dcm", "mimeType": "application/dicom", "buffer": encode_drift(draw_planes()[0], N_FRAMES)}],
    )
    page.get_by_role("button", name=f"Score all {N_FRAMES} frames").click()
    page.get_by_text(f"Image score over {N_FRAMES} frames").first.wait_for()
    page.get_by_text("Mean of the frames that pass").click()


def take_picture(page: Page, address: str, show: Callable[[Page], None], path: Path) -> None:
    """Estimate a case, and keep what is seen without scrolling."""
    open_case(page, address)
    show(page)
    settle(page)
    read_probability(page)
    settle(page)
    page.mouse.move(0, 0)
    page.wait_for_timeout(1000)
    page.screenshot(path=path)


def main() -> None:
    """Take all pictures."""
    shows = {"case": (show_one, 800), "views": (show_views, 800), "loop": (show_loop, 1300)}
    with serve_app() as address, sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=find_program("chromium"), args=ARGUMENTS)
        for name, (show, height) in shows.items():
            page = chromium.new_page(viewport={"width": 1280, "height": height})
            page.set_default_timeout(PATIENCE_MS)
            take_picture(page, address, show, FOLDER / f"{name}.png")
            page.close()
        chromium.close()


if __name__ == "__main__":
    main()
