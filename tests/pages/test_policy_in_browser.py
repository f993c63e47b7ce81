"""All pages in a real Chromium under the policy: nothing is blocked, asked from outside, or missing."""

from collections.abc import Iterator

import pytest

from tests.pages.cohorts import encode, make_table
from tests.pages.serving import PATIENCE_MS, serve_app
from tests.pages.test_in_browser import browser, give_file, pytestmark, read_probability, settle  # noqa: F401

EVALUATION = ("Discrimination", "Calibration", "Decision curve", "Survival", "Lymph nodes")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app with the shipped bundle and a board of its own."""
    home = tmp_path_factory.mktemp("home")
    with serve_app(XDG_DATA_HOME=str(home), XDG_CONFIG_HOME=str(home), TMPDIR=str(home)) as running:
        yield running


def test_no_page_is_blocked_asks_outside_or_misses_a_file(browser, address, breast_png):  # noqa: F811
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    page, faults, outside = context.new_page(), [], []
    page.set_default_timeout(PATIENCE_MS)
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("response", lambda got: faults.append(f"{got.status} {got.url}") if got.status >= 400 else None)
    own = (address, address.replace("http", "ws", 1), "data:", "blob:")
    page.on("request", lambda asked: None if asked.url.startswith(own) else outside.append(asked.url))

    def go(name: str) -> None:
        page.get_by_test_id("stSidebar").get_by_role("link", name=name, exact=True).click()
        page.get_by_role("heading", name=name, exact=True).wait_for()
        page.get_by_text("Research use only").first.wait_for()
        settle(page)
        assert page.get_by_test_id("stException").count() == 0

    page.goto(address, timeout=PATIENCE_MS)
    page.get_by_role("button", name="Open an image of your own").click()
    page.get_by_role("button", name="Try this patient").wait_for()
    give_file(page, "a.png", breast_png)
    assert 0 <= read_probability(page) <= 100
    page.locator(".viewer canvas").first.wait_for()
    go("Cohort")
    page.get_by_text("Evaluate the model on a cohort of your own").click()
    table = {"name": "cohort.csv", "mimeType": "text/csv", "buffer": encode(make_table())}
    place = page.get_by_label("Prediction table: CSV, Excel, ODS or Parquet")
    place.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(table)
    page.get_by_text("120 of 120 patients of the uploaded cohort").wait_for()
    for name in EVALUATION:
        go(name)
        page.locator(".js-plotly-plot .main-svg").first.wait_for()
    go("Model")
    go("Tumour board")
    context.close()
    assert (faults, outside) == ([], [])
