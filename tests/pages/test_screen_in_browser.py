"""Case on a wide screen and on a projector, in a real Chromium."""

import pytest

from tests.pages.test_in_browser import (  # noqa: F401
    address,
    browser,
    estimate_simulated,
    open_case,
    page,
    pytestmark,
    read_probability,
    settle,
    upload,
)

TYPE = """() => [...document.querySelectorAll('[data-testid=stMain] :is(h1, h2, p):not(.st-key-page_head *)')]
  .map(e => [e.textContent, parseFloat(getComputedStyle(e).fontSize)])"""
FIGURES = "[class*=st-key-drawn_] img"
GROUNDS = """async () => {
  const read = async image => {
    await image.decode()
    const canvas = new OffscreenCanvas(4, 4), pen = canvas.getContext('2d')
    pen.drawImage(image, 0, 0)
    return `rgb(${pen.getImageData(1, 1, 1, 1).data.slice(0, 3).join(', ')})`
  }
  const page = getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor
  const figures = [...document.querySelectorAll('[data-testid=stImage] img')]
  return [page, await Promise.all(figures.map(read))]
}"""


def find_nomogram_beside_the_image(page) -> None:  # noqa: F811
    """See that all of it stands on the screen, and that a phone gets the one that is laid out for it."""
    page.get_by_role("radio", name="Nomogram").click()
    drawn = page.locator(".st-key-drawn_figure_nomogram").get_by_role("img", name="Nomogram.")
    drawn.wait_for()
    settle(page)
    for width, laid_out in ((1280, 445), (390, 366)):
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_timeout(500)
        place = drawn.bounding_box()  # of the only one that is seen
        assert drawn.evaluate("image => image.naturalWidth") == laid_out
        assert place["width"] == pytest.approx(laid_out, rel=0.1)
        assert width == 390 or place["y"] + place["height"] <= 800


def test_estimate_stays_in_sight_below_a_long_form(page, address, breast_png):  # noqa: F811
    page.set_viewport_size({"width": 1280, "height": 800})
    open_case(page, address)
    upload(page, "a.png", breast_png)
    settle(page)
    place = page.get_by_role("button", name="Estimate", exact=True).bounding_box()
    assert place["y"] + place["height"] <= 800


def test_wide_screens_show_the_original_beside_the_heat_map(page, address):  # noqa: F811
    page.set_viewport_size({"width": 1920, "height": 1080})
    estimate_simulated(page, address)
    viewer = page.locator(".viewer")
    beside = viewer.get_by_role("button", name="Side by side")
    alone = viewer.evaluate("e => JSON.parse(e.dataset.place)")
    page.keyboard.press("s")
    viewer.locator('[data-do="beside"][aria-pressed="true"]').wait_for()
    x, _, scale = viewer.evaluate("e => JSON.parse(e.dataset.place)")
    assert x >= viewer.bounding_box()["width"] / 2  # the heat map stands on the right
    assert scale < alone[2]
    beside.click()
    assert viewer.evaluate("e => JSON.parse(e.dataset.place)") == alone
    page.set_viewport_size({"width": 1280, "height": 800})
    beside.wait_for(state="hidden")
    find_nomogram_beside_the_image(page)


def test_figures_stand_on_the_ground_of_a_dark_page_while_presenting(page, address):  # noqa: F811
    page.emulate_media(color_scheme="dark")
    estimate_simulated(page, address)
    page.get_by_role("button", name="Present", exact=True).click()
    page.get_by_role("button", name="End presentation").wait_for()
    page.get_by_test_id("stImage").nth(1).wait_for()
    settle(page)
    ground, grounds = page.evaluate(GROUNDS)
    assert grounds == [ground] * 2 == ["rgb(20, 24, 29)"] * 2


def test_a_dark_page_is_printed_dark_on_white(page, address):  # noqa: F811
    page.emulate_media(color_scheme="dark")
    estimate_simulated(page, address)
    page.emulate_media(media="print", color_scheme="dark")
    for part in ("html", "body", "[data-testid=stApp]"):
        assert page.locator(part).evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(255, 255, 255)"
    filters = page.locator(FIGURES).evaluate_all("all => all.map(e => getComputedStyle(e).filter)")
    assert filters == ["invert(1) hue-rotate(180deg)"] * 4  # two figures, each for a wide and a narrow page
    words = page.get_by_test_id("stAlertContainer").first.locator("p")
    assert words.evaluate("e => getComputedStyle(e).color") == "rgb(0, 0, 0)"


def test_presenting_doubles_the_type_and_gives_the_picture_the_screen(page, address):  # noqa: F811
    page.set_viewport_size({"width": 1920, "height": 1080})
    estimate_simulated(page, address)
    before = dict(page.evaluate(TYPE))
    page.get_by_role("button", name="Present", exact=True).click()
    page.get_by_role("button", name="End presentation").wait_for()
    settle(page)
    for width, height in ((1920, 1080), (1280, 800)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(500)
        after = dict(page.evaluate(TYPE))
        shared = [words for words in before if words in after]
        assert len(shared) > 10
        assert all(1.95 <= after[words] / before[words] <= 2.05 for words in shared)
        picture = page.locator(".viewer").bounding_box()
        assert picture["height"] >= 0.7 * height
        assert picture["y"] + picture["height"] <= height + 5
    assert not page.get_by_test_id("stSidebar").is_visible()
