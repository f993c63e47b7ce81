"""Picture every page at three sizes, light and dark: `python -m tests.pages.screens FOLDER`; print what is wrong.

Wrong are an exception, a script's error, a request to elsewhere, and a page that is wider than its screen.
"""

import re
import sys
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from tests.pages.serving import PATIENCE_MS, ROOT, serve_app
from tests.pages.test_in_browser import ARGUMENTS, estimate_simulated, settle, wait_until
from tests.tools import find_program

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
SIZES = ((1280, 800), (1920, 1080), (390, 844))
PAGES = ("Home", *(path.stem.partition("_")[2] for path in sorted((ROOT / "pages").glob("*.py"))))
DRAWN = "!document.querySelector('[data-stale=true], [data-testid=stSkeleton], [data-testid=stSpinner]')"
TOO_WIDE = """(() => {
  const main = document.querySelector("[data-testid=stMain]")
  return document.documentElement.scrollWidth > innerWidth || main.scrollWidth > main.clientWidth
})()"""


def keep(page: Page, name: str, folder: Path) -> list[str]:
    """Picture what is seen without scrolling; give what is wrong with it."""
    settle(page)
    wait_until(page, DRAWN)
    page.wait_for_timeout(1000)
    page.screenshot(path=folder / f"{name}.png")
    wrong = ["wider than its screen"] * page.evaluate(TOO_WIDE)
    wrong += ["an exception"] * page.get_by_test_id("stException").count()
    return [f"{name}: {what}" for what in wrong]


def walk(browser: Browser, address: str, folder: Path, size: tuple[int, int], scheme: Scheme) -> list[str]:
    """Open all pages, estimate the first simulated patient, and open the board's first; give what is wrong."""
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page, wrong, end = context.new_page(), [], f"{width}_{scheme}"
    page.set_default_timeout(PATIENCE_MS)
    own = (address, address.replace("http", "ws", 1), "data:", "blob:")
    page.on("request", lambda request: None if request.url.startswith(own) else wrong.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    for name in PAGES:
        page.goto(f"{address}/{'' if name == 'Home' else name}")
        page.get_by_test_id("stMain").wait_for()
        wrong += keep(page, f"{name}_{end}", folder)
    estimate_simulated(page, address)
    for tab in ("Contributions", "Nomogram"):
        page.get_by_role("radio", name=tab).click()
        wrong += keep(page, f"Case_{tab}_{end}", folder)
    page.goto(f"{address}/Tumour_board")
    page.get_by_role("button", name="Begin with the first").click()
    page.get_by_text(re.compile(r"· 1 of \d+")).wait_for()
    wrong += keep(page, f"Tumour_board_patient_{end}", folder)
    context.close()
    return wrong


def main(folder: Path) -> None:
    """Write the pictures, and a line for each fault."""
    folder.mkdir(parents=True, exist_ok=True)
    database = f"sqlite:///{folder.resolve()}/board.db"
    with serve_app(SONOKI_DATABASE_URL=database, SONOKI_REGISTER="on") as address, sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=find_program("chromium"), args=ARGUMENTS)
        for scheme in SCHEMES:
            for size in SIZES:
                for fault in walk(chromium, address, folder, size, scheme):
                    sys.stdout.write(f"{fault}\n")
        chromium.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
