"""Hands that are faster than the page, in a real Chromium: what was drawn last counts."""

import json
from pathlib import Path

import pytest

from core.imaging import read_frame
from tests.pages.test_in_browser import (  # noqa: F401
    address,
    browser,
    locate,
    open_case,
    page,
    pytestmark,
    read_headline,
    read_probability,
    settle,
    upload,
)

EDGES = ("Left", "Top", "Right", "Bottom")


def read_edges(page) -> list[float]:  # noqa: F811
    return [float(page.get_by_label(f"{edge} (px)").input_value()) for edge in EDGES]


@pytest.fixture
def case(page, address, breast_png):  # noqa: F811
    """An image with its proposed box."""
    open_case(page, address)
    upload(page, "a.png", breast_png)
    page.get_by_text("Lesion box in numbers").click()
    settle(page)
    return page


@pytest.mark.parametrize("pause_ms", [50, 260, 330, 420])
def test_a_box_drawn_just_before_estimate_is_the_one_that_is_read(case, breast_png, pause_ms):
    frame = read_frame(breast_png)
    button = case.get_by_role("button", name="Estimate", exact=True).bounding_box()
    where = [locate(case, frame, *place) for place in ((0.10, 0.30), (0.5, 0.5), (0.75, 0.80))]
    case.mouse.move(*where[0])
    case.mouse.down()
    for place in where[1:]:
        case.mouse.move(*place, steps=5)
    case.mouse.up()
    case.wait_for_timeout(pause_ms)
    case.mouse.click(button["x"] + 20, button["y"] + 10)
    read_headline(case)
    settle(case)
    drawn = [0.10 * frame.width, 0.30 * frame.height, 0.75 * frame.width, 0.80 * frame.height]
    assert read_edges(case) == pytest.approx(drawn, abs=4)
    assert case.get_by_text("Earlier estimate").count() == 0
    with case.expect_download() as download:
        case.get_by_role("button", name="Estimate (JSON)").click()
    record = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert record["case"]["roi"] == read_edges(case)


def test_undo_pressed_again_and_again_goes_back_to_the_first_box(case):
    first = read_edges(case)
    for pause_ms in (90, 150, 200):
        case.locator(".viewer").focus()
        for _ in range(3):
            case.keyboard.press("Shift+ArrowRight")
            case.wait_for_timeout(400)
        case.wait_for_timeout(500)
        settle(case)
        assert read_edges(case) != first
        for _ in range(5):
            case.keyboard.press("Control+z")
            case.wait_for_timeout(pause_ms)
        case.get_by_role("button", name="Undo", exact=True, disabled=True).wait_for()
        case.wait_for_timeout(500)
        settle(case)
        assert read_edges(case) == first
