"""The picture viewer in a real Chromium, by mouse, finger and keyboard, on a page of its own."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pages.serving import PATIENCE_MS, serve_app
from tests.pages.test_in_browser import browser, pytestmark, settle  # noqa: F401

PAGE = str(Path(__file__).with_name("viewer_page.py"))


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serve_app(script=PAGE, PYTHONPATH=str(Path(__file__).parents[3])) as running:
        yield running


@pytest.fixture
def show(browser, address):  # noqa: F811
    """Open the page with a query; finger or mouse."""
    contexts = []

    def open_viewer(query: str = "", **options):
        contexts.append(browser.new_context(viewport={"width": 1000, "height": 700}, **options))
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{address}/?{query}", timeout=PATIENCE_MS)
        page.locator(".viewer canvas").first.wait_for()
        settle(page)
        page.wait_for_timeout(500)
        return page

    yield open_viewer
    for context in contexts:
        context.close()


def read_box(page) -> list[int]:
    page.wait_for_timeout(600)
    settle(page)
    return [int(edge) for edge in page.get_by_text("edges ").inner_text().split()[1:]]


def locate(page, x: float, y: float) -> tuple[float, float]:
    """Where a pixel of the frame lies on the screen, by what the viewer says of itself."""
    viewer = page.locator(".viewer")
    place, (left, above, scale) = viewer.bounding_box(), json.loads(viewer.get_attribute("data-place"))
    return place["x"] + left + x * scale, place["y"] + above + y * scale


def drag(page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*locate(page, *start))
    page.mouse.down()
    page.mouse.move(*locate(page, (start[0] + end[0]) / 2, (start[1] + end[1]) / 2), steps=4)
    page.mouse.move(*locate(page, *end), steps=4)
    page.mouse.up()


def assert_near(box: list[int], wanted: tuple[int, ...]) -> None:
    assert max(abs(a - b) for a, b in zip(box, wanted, strict=True)) <= 2, (box, wanted)


def test_a_box_is_drawn_moved_resized_and_taken_back(show):
    page = show()
    drag(page, (220, 190), (330, 270))
    assert_near(read_box(page), (220, 190, 330, 270))
    drag(page, (275, 230), (245, 210))
    assert_near(read_box(page), (190, 170, 300, 250))
    drag(page, (300, 250), (340, 280))
    assert_near(read_box(page), (190, 170, 340, 280))
    for wanted in ((190, 170, 300, 250), (220, 190, 330, 270), (100, 60, 200, 160)):
        page.get_by_role("button", name="Undo").click()
        assert_near(read_box(page), wanted)
    assert page.get_by_role("button", name="Undo").is_disabled()


def test_a_box_never_leaves_the_frame_and_a_speck_is_none(show):
    page = show()
    drag(page, (300, 200), (450, 340))
    assert_near(read_box(page), (300, 200, 400, 300))
    drag(page, (20, 20), (21, 21))
    assert_near(read_box(page), (300, 200, 400, 300))
    drag(page, (340, 250), (200, 10))
    drag(page, (200, 50), (390, 20))
    assert_near(read_box(page), (300, 0, 400, 100))


def test_the_keyboard_alone_moves_and_resizes_the_box(show):
    page = show()
    page.locator(".viewer").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Alt+Shift+ArrowLeft")
    assert read_box(page) == [101, 70, 191, 170]
    page.keyboard.press("Control+z")
    assert read_box(page) == [100, 60, 200, 160]


def test_what_changed_the_box_beside_the_picture_is_taken_back_too(show):
    page = show()
    drag(page, (220, 190), (330, 270))
    drawn = read_box(page)
    page.get_by_role("button", name="Another box").click()
    assert read_box(page) == [10, 20, 60, 70]
    page.keyboard.press("ControlOrMeta+z")
    assert read_box(page) == drawn
    page.get_by_label("A number").fill("30")
    page.keyboard.press("Enter")
    assert read_box(page)[0] == 30
    page.get_by_role("button", name="Undo").click()
    assert read_box(page) == drawn
    page.locator(".viewer").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Meta+z")
    assert read_box(page) == drawn
    page.get_by_role("button", name="Undo").click()
    assert read_box(page) == [100, 60, 200, 160]
    assert page.get_by_role("button", name="Undo").is_disabled()


def test_a_length_is_given_in_millimetres(show):
    page = show()
    page.get_by_role("button", name="Length").click()
    drag(page, (100, 200), (200, 200))
    said = page.locator(".status").inner_text()
    assert said.endswith("mm")
    assert float(said.split()[0]) == pytest.approx(10.0, abs=0.2)
    assert read_box(page) == [100, 60, 200, 160]


def test_h_shows_and_hides_the_heat_map_but_not_while_a_field_is_filled_in(show):
    page = show()
    heat = page.get_by_role("button", name="Heat map")
    assert heat.get_attribute("aria-pressed") == "true"
    page.keyboard.press("h")
    assert heat.get_attribute("aria-pressed") == "false"
    page.get_by_label("A field").fill("")
    page.get_by_label("A field").press_sequentially("hh")
    assert heat.get_attribute("aria-pressed") == "false"
    page.get_by_label("A number").focus()
    page.keyboard.press("h")
    assert heat.get_attribute("aria-pressed") == "true"
    page.get_by_role("combobox", name="A list").click()
    page.get_by_role("option", name="two").click()
    settle(page)
    page.keyboard.press("h")
    assert heat.get_attribute("aria-pressed") == "false"
    page.get_by_label("A field").focus()
    page.keyboard.press("Escape")
    page.keyboard.press("h")
    assert heat.get_attribute("aria-pressed") == "true"
    page.keyboard.press("h")
    page.get_by_label("Opacity of the heat map").fill("25")
    page.get_by_role("button", name="Another picture").click()
    settle(page)
    assert heat.get_attribute("aria-pressed") == "false"
    assert page.get_by_label("Opacity of the heat map").input_value() == "25"


def test_a_click_gives_the_point_and_two_give_a_box(show):
    page = show("pick")
    page.mouse.click(*locate(page, 300, 200))
    page.get_by_text("point (").wait_for()
    x, y = (float(value) for value in page.get_by_text("point (").inner_text()[7:-1].split(","))
    assert_near([x, y], (300, 200))
    page = show("pick")
    page.mouse.click(*locate(page, 250, 180))
    page.mouse.click(*locate(page, 320, 260))
    assert_near(read_box(page), (250, 180, 320, 260))


def test_a_fixed_box_stays(show):
    page = show("fixed")
    assert page.get_by_role("button", name="Box", exact=True).count() == 0
    drag(page, (220, 190), (330, 270))
    assert read_box(page) == [100, 60, 200, 160]


def test_two_taps_of_a_finger_draw_a_box_without_scrolling(show):
    page = show(has_touch=True)
    page.touchscreen.tap(*locate(page, 230, 190))
    page.touchscreen.tap(*locate(page, 330, 280))
    assert_near(read_box(page), (230, 190, 330, 280))


def slide(page, *fingers: tuple[tuple[float, float], tuple[float, float]]) -> None:
    """Put fingers down one after another, slide each from its first to its second place on the screen, lift them."""
    devtools = page.context.new_cdp_session(page)

    def tell(kind: str, places: list[tuple[float, float]]) -> None:
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(places)]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    for count in range(1, len(fingers) + 1):
        tell("touchStart", [start for start, _ in fingers[:count]])
    for step in range(1, 9):
        tell("touchMove", [(x + (to_x - x) * step / 8, y + (to_y - y) * step / 8) for (x, y), (to_x, to_y) in fingers])
        page.wait_for_timeout(30)
    tell("touchEnd", [])


@pytest.mark.parametrize("first", [(250, 200), (150, 110), (200, 160)], ids=["beside", "on the box", "on a handle"])
def test_two_fingers_magnify_and_leave_the_box(show, first):
    page = show(has_touch=True)
    before = json.loads(page.locator(".viewer").get_attribute("data-place"))[2]
    (x, y), (right, below) = locate(page, *first), locate(page, first[0] + 60, first[1])
    slide(page, ((x, y), (x - 60, y)), ((right, below), (right + 60, below)))
    assert json.loads(page.locator(".viewer").get_attribute("data-place"))[2] > 1.4 * before
    assert read_box(page) == [100, 60, 200, 160]
    page.get_by_role("button", name="Fit").click()
    slide(page, (locate(page, 200, 160), locate(page, 240, 190)))
    assert_near(read_box(page), (100, 60, 240, 190))
