"""What a hospital's files ask of the user, in a real Chromium: a frame of a loop, an area of two, another file."""

import copy
import io
import os
from pathlib import Path

import pydicom
import pydicom.examples
import pytest

from tests.pages.test_in_browser import address, browser, give_file, open_case, page, pytestmark, settle, wait_until  # noqa: F401

SHOTS = os.environ.get("SONOKI_SCREENSHOTS")


@pytest.fixture(scope="module")
def two_areas(breast_loop: bytes) -> bytes:
    """A loop of which the left and the right half are areas of their own."""
    ds = pydicom.dcmread(io.BytesIO(breast_loop))
    left = ds.SequenceOfUltrasoundRegions[0]
    right = copy.deepcopy(left)
    middle = (left.RegionLocationMinX0 + left.RegionLocationMaxX1) // 2
    left.RegionLocationMaxX1, right.RegionLocationMinX0 = middle - 1, middle
    ds.SequenceOfUltrasoundRegions.append(right)
    buffer = io.BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def give(page, data: bytes, words: str) -> None:  # noqa: F811
    give_file(page, "a.dcm", data)
    page.get_by_text(words).first.wait_for()


def photograph(page, name: str) -> None:  # noqa: F811
    """Keep the page as it looks, light and wide, dark and narrow, where a folder for that is named."""
    if SHOTS:
        page.wait_for_timeout(1500)
        for scheme, width in (("light", 1280), ("dark", 390)):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 1900})
            page.wait_for_timeout(1000)
            page.screenshot(path=Path(SHOTS) / f"{name}_{scheme}.png")
        page.set_viewport_size({"width": 1280, "height": 1000})


def test_a_frame_an_area_and_a_refusal(page, address, breast_loop, two_areas):  # noqa: F811
    open_case(page, address)
    give(page, breast_loop, "Frame (of 3")
    slider = page.get_by_role("slider", name="Frame (of 3")
    before = int(slider.input_value())
    slider.press("ArrowRight" if before < 3 else "ArrowLeft")
    page.get_by_text("Draw a box around the lesion").wait_for()
    assert abs(int(slider.input_value()) - before) == 1
    photograph(page, "loop")

    give(page, two_areas, "Which of the image's areas shows the lesion?")
    page.get_by_text("Draw a box around the lesion").wait_for()
    page.keyboard.press("Escape")  # closes the place of the uploader
    photograph(page, "areas")
    settle(page)
    areas = page.get_by_role("combobox", name="Which of the image's areas")
    areas.click()
    areas.press("ArrowDown")
    areas.press("Enter")
    wait_until(page, "[...document.querySelectorAll('input')].some(field => field.value.startsWith('Area 2'))")
    page.get_by_text("Draw a box around the lesion").wait_for()

    give(page, pydicom.examples.get_path("ct").read_bytes(), "a CT image")
    assert page.get_by_test_id("stAlert").count() == 1
    assert page.get_by_role("button", name="Estimate", exact=True).is_disabled()
    photograph(page, "refusal")
