"""Take the README's picture: `python -m tests.pages.picture` writes .github/case.png, 1280 x 800."""

from playwright.sync_api import sync_playwright

from tests.pages.serving import PATIENCE_MS, ROOT, serve_app
from tests.pages.test_in_browser import ARGUMENTS, open_case, read_probability, settle
from tests.tools import find_program

PICTURE = ROOT / ".github/case.png"


def take_picture() -> None:
    """Estimate the first simulated patient, and keep what is seen without scrolling."""
    with serve_app() as address, sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=find_program("chromium"), args=ARGUMENTS)
        page = chromium.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(PATIENCE_MS)
        open_case(page, address)
        page.get_by_role("button", name="Try this patient").click()
        page.get_by_text("image and clinical values are made up").wait_for()
        settle(page)
        read_probability(page)
        settle(page)
        page.mouse.move(0, 0)
        page.wait_for_timeout(1000)
        page.screenshot(path=PICTURE)
        chromium.close()


if __name__ == "__main__":
    take_picture()
