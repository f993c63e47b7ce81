"""The running app in a real Chromium: upload, estimate, box by mouse, and no request to the outside."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pydicom.examples
import pytest
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from core.imaging import read_frame
from tests.pages.serving import PATIENCE_MS, serve_app
from tests.tools import find_program

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium")]


@pytest.fixture(scope="module")
def address(bundle_dir: Path) -> Iterator[str]:
    """Start the app on a free port of the loopback and wait until it is well."""
    with serve_app(SONOKI_BUNDLE=str(bundle_dir)) as running:
        yield running


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=find_program("chromium"), args=ARGUMENTS, timeout=PATIENCE_MS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, address):
    """A fresh session; the test fails if the page asked anyone but the server."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    outside = []
    page.on("request", lambda r: outside.append(r.url) if not r.url.startswith((address, "data:", "blob:")) else None)
    yield page
    context.close()
    assert [url for url in outside if not url.startswith(address.replace("http", "ws"))] == []


def open_case(page, address: str) -> None:
    page.goto(f"{address}/Case", timeout=PATIENCE_MS)
    page.get_by_role("button", name="Try this patient").wait_for()


def wait_until(page, expression: str, arg: object = None) -> None:
    """Wait until an expression holds; asked from here, since the policy forbids a page to evaluate text itself."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not page.evaluate(expression, arg):
        assert time.monotonic() < deadline, f"in vain: {expression}"
        page.wait_for_timeout(50)


def settle(page) -> None:
    """Wait until no script runs and nothing stale is shown."""
    page.get_by_test_id("stApp").and_(page.locator("[data-test-script-state=notRunning]")).wait_for()
    wait_until(page, "!document.querySelector('[data-stale=true]')")


def pick(page, label: str, option: str) -> None:
    """Pick what begins with these words from a list, again where a page that is drawn anew shuts it."""
    page.get_by_role("combobox", name=label).wait_for()
    settle(page)
    for _ in range(5):
        page.get_by_role("combobox", name=label).click()
        with suppress(PlaywrightTimeout):
            page.get_by_role("option", name=re.compile(rf"^{re.escape(option)}(?!\w)")).click(timeout=10_000)
            settle(page)
            return
        page.keyboard.press("Escape")
    raise AssertionError(f"'{option}' can't be picked from '{label}'.")


def press(page, button: str, words: str) -> None:
    """Press a button until words stand there: a press on a page that is being drawn anew may be lost."""
    for _ in range(5):
        with suppress(PlaywrightTimeout):
            page.get_by_role("button", name=button).click(timeout=10_000)
        with suppress(PlaywrightTimeout):
            page.get_by_text(words).first.wait_for(timeout=10_000)
            return
    raise AssertionError(f"'{words}' does not stand there after '{button}' was pressed.")


def give_file(page, name: str, data: bytes) -> None:
    """Upload a file once the page rests: while it is drawn anew, the last uploader may still stand beside the next."""
    settle(page)
    another = page.get_by_role("button", name="Image", exact=True)
    if another.count() and not page.locator("input[type=file]").count():
        another.click()
    wait_until(page, "document.querySelectorAll('input[type=file]').length == 1")
    page.locator("input[type=file]").set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": data}
    )


def upload(page, name: str, data: bytes) -> None:
    give_file(page, name, data)
    page.get_by_text("Draw a box around the lesion").wait_for()


def locate(page, frame, x: float, y: float) -> tuple[float, float]:
    """Where a place of the frame, in fractions of it, lies on the screen, by what the viewer says of itself."""
    viewer = page.locator(".viewer")
    place, (left, above, scale) = viewer.bounding_box(), json.loads(viewer.get_attribute("data-place"))
    return place["x"] + left + x * frame.width * scale, place["y"] + above + y * frame.height * scale


def read_probability(page) -> int:
    """Press the button, and read the headline."""
    page.get_by_role("button", name="Estimate", exact=True).click()
    return read_headline(page)


def read_headline(page) -> int:
    headline = page.get_by_role("heading", name="probability of a high Ki-67")
    headline.wait_for()
    found = re.search(r"(\d+)\s%", headline.inner_text())
    assert found
    return int(found[1])


def estimate_simulated(page, address: str) -> None:
    """Open Case, and estimate the first simulated patient."""
    open_case(page, address)
    page.get_by_role("button", name="Try this patient").click()
    page.get_by_text("image and clinical values are made up").wait_for()
    settle(page)
    read_probability(page)
    settle(page)


def test_from_home_to_a_result_in_two_clicks(page, address):
    page.goto(address, timeout=PATIENCE_MS)
    page.get_by_role("button", name="Try a simulated patient").click()
    page.get_by_text("image and clinical values are made up").wait_for()
    shown = read_probability(page)
    assert page.get_by_text("95 % interval").first.is_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Estimate (JSON)").click()
    record = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert round(100 * record["probability"]) == shown
    assert record["simulated"]
    assert record["case"]["simulated_patient"]
    assert "Research use only" in record["intended_use"]


def test_a_dicom_loop_of_the_breast(page, address, breast_loop):
    open_case(page, address)
    upload(page, "loop.dcm", breast_loop)
    page.get_by_text("Frame (of 3").first.wait_for()
    assert 0 <= read_probability(page) <= 100


def test_a_dicom_loop_of_the_heart_gets_an_estimate(page, address):
    open_case(page, address)
    upload(page, "loop.dcm", pydicom.examples.get_path("ybr_color").read_bytes())
    page.get_by_text("Frame (of 30").first.wait_for()
    assert 0 <= read_probability(page) <= 100


def test_a_png_its_box_and_a_clinical_value(page, address, breast_png):
    open_case(page, address)
    upload(page, "a.png", breast_png)
    assert 0 <= read_probability(page) <= 100
    settle(page)

    where = [(0.10, 0.30), (0.5, 0.5), (0.75, 0.80)]  # from beside the proposed box, which would move
    frame = read_frame(breast_png)
    (x0, y0), *rest = [locate(page, frame, x, y) for x, y in where]
    page.mouse.move(x0, y0)
    page.mouse.down()
    for x, y in rest:
        page.mouse.move(x, y, steps=5)
    page.mouse.up()
    page.get_by_text("has changed: press").wait_for()
    page.get_by_text("Lesion box in numbers").click()
    edges = [float(page.get_by_label(f"{edge} (px)").input_value()) for edge in ("Left", "Top", "Right", "Bottom")]
    width, height = frame.width, frame.height
    assert edges == pytest.approx([0.10 * width, 0.30 * height, 0.75 * width, 0.80 * height], abs=4)

    before = read_probability(page)
    page.get_by_role("button", name="Edit values").click()
    size = page.get_by_label("Largest diameter on ultrasound (mm)")
    size.fill("90")
    size.press("Enter")
    wait_until(
        page,
        "before => [...document.querySelectorAll('h2')].some(h => /probability of a high/.test(h.innerText)"
        " && parseInt(h.innerText) > before)",
        arg=before,
    )
    assert read_headline(page) > before


def test_text_renamed_png_is_refused_in_one_sentence(page, address):
    open_case(page, address)
    give_file(page, "a.png", b"no image " * 50)
    alert = page.get_by_test_id("stAlert")
    alert.wait_for()
    assert "holds text, not an image" in alert.inner_text()
    assert "Traceback" not in page.content()


def test_a_button_that_can_not_be_pressed_keeps_its_words(page, address, breast_png):
    open_case(page, address)
    upload(page, "a.png", breast_png)
    age = page.get_by_role("spinbutton", name="Age (years)")
    age.fill("470")
    age.press("Enter")
    button = page.get_by_role("button", name="Estimate", exact=True, disabled=True)
    button.wait_for()
    words = button.evaluate("b => getComputedStyle(b.querySelector('p')).color")
    assert words != page.get_by_test_id("stApp").evaluate("app => getComputedStyle(app).backgroundColor")
