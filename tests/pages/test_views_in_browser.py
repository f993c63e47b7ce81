"""Several views of one lesion in a real Chromium: two planes, a zip of three, a loop; one screen, keyboard, print."""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.simulation import render_frame
from core.simulation.parameters import LATENTS
from tests.pages.loops import encode_drift
from tests.pages.serving import serve_app
from tests.pages.test_accessibility_in_browser import find_lasting_violations
from tests.pages.test_in_browser import (  # noqa: F401
    browser,
    give_file,
    open_case,
    page,
    pytestmark,
    read_headline,
    read_probability,
    settle,
    upload,
    wait_until,
)
from tests.pdf import read_pages

N_FRAMES = 120
NOMOGRAM = "document.querySelector('.st-key-wide_figure_nomogram img')"


@pytest.fixture(scope="module")
def address(bundle_dir: Path) -> Iterator[str]:
    with serve_app(SONOKI_BUNDLE=str(bundle_dir)) as running:
        yield running


def draw_plane(seed: int):
    """One plane of a simulated patient: the same tumour, cut and speckled anew."""
    latents = dict.fromkeys(LATENTS, 0.0)
    rng = np.random.default_rng(seed)
    return render_frame(rng, "B", latents, size_mm=18.0, size_ap_mm=12.0, background="homog_fibroglandular")


@pytest.fixture(scope="module")
def planes() -> list[bytes]:
    files = []
    for seed in (4, 5, 6):
        buffer = io.BytesIO()
        Image.fromarray(draw_plane(seed).pixels).save(buffer, format="PNG", compress_level=1)
        files.append(buffer.getvalue())
    return files


@pytest.fixture(scope="module")
def long_loop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A loop in which the probe drifts by a pixel every other frame."""
    path = tmp_path_factory.mktemp("loop") / "loop.dcm"
    path.write_bytes(encode_drift(draw_plane(4), N_FRAMES))
    return path


def give_planes(page, files: list[bytes]) -> None:  # noqa: F811
    settle(page)
    payload = [{"name": f"{i}.png", "mimeType": "image/png", "buffer": data} for i, data in enumerate(files)]
    page.locator("input[type=file]").first.set_input_files(payload)
    page.get_by_text("Draw a box around the lesion").wait_for()
    settle(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_two_planes_give_one_answer_without_scrolling(page, address, planes, scheme):  # noqa: F811
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 1280, "height": 800})
    open_case(page, address)
    give_planes(page, planes[:2])
    joint = read_probability(page)
    settle(page)
    said = page.get_by_text(re.compile("The 2 views differ by")).inner_text()
    alone = [int(value) for value in re.findall(r"(\d+)\s%", said)]
    assert min(alone) <= joint <= max(alone)
    picture, headline = (
        page.locator(".viewer").bounding_box(),
        page.get_by_role("heading", name="probability of a high"),
    )
    assert picture["height"] >= 0.45 * 800
    page.get_by_text("7 of 7 values not known").wait_for()
    page.get_by_role("radio", name="Nomogram").click()
    page.locator(".st-key-wide_figure_nomogram").get_by_role("img", name="Nomogram.").wait_for()
    wait_until(page, f"{NOMOGRAM}.getBoundingClientRect().bottom <= 800")
    for box in (picture, headline.bounding_box(), page.get_by_role("button", name="1: ").bounding_box()):
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 800
    assert find_lasting_violations(page) == {}


def test_a_view_is_looked_at_and_left_out_by_keyboard(page, address, planes):  # noqa: F811
    open_case(page, address)
    give_planes(page, planes[:2])
    read_probability(page)
    settle(page)
    second = page.get_by_role("button", name="2: ")
    second.focus()
    page.keyboard.press("Enter")
    settle(page)
    out = page.get_by_role("button", name="Leave this view out")
    out.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Use this view").wait_for()
    settle(page)
    assert page.get_by_text("The 2 views differ by").count() == 0
    read_headline(page)


def test_the_original_stays_beside_the_heat_map_from_view_to_view(page, address, planes):  # noqa: F811
    page.set_viewport_size({"width": 1920, "height": 1080})
    open_case(page, address)
    give_planes(page, planes[:2])
    read_probability(page)
    settle(page)
    page.get_by_role("button", name="Side by side").click()
    for number in (1, 2):
        page.get_by_role("button", name=f"{number}: ").click()
        settle(page)
        page.locator('.viewer [data-do="beside"][aria-pressed="true"]').wait_for()
        viewer = page.locator(".viewer")
        page.wait_for_timeout(500)
        assert viewer.evaluate("e => JSON.parse(e.dataset.place)")[0] >= viewer.bounding_box()["width"] / 2


def test_a_zip_of_three_becomes_three_views(page, address, planes):  # noqa: F811
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for i, data in enumerate(planes):
            archive.writestr(f"{i}.png", data)
    open_case(page, address)
    upload(page, "three.zip", buffer.getvalue())
    page.get_by_role("button", name="Image", exact=True).click()
    page.get_by_role("button", name="They show one lesion: take all 3").click()
    page.get_by_role("button", name="3: ").wait_for()
    read_probability(page)
    page.get_by_text("The 3 views lie within").wait_for()


def test_a_loop_is_scored_and_its_mean_estimated_from(page, address, long_loop):  # noqa: F811
    open_case(page, address)
    settle(page)
    page.locator("input[type=file]").first.set_input_files(long_loop)
    page.get_by_text("Draw a box around the lesion").wait_for()
    page.get_by_role("button", name=f"Score all {N_FRAMES} frames").click()
    page.get_by_role("button", name="Stop").wait_for()
    page.get_by_text(f"Image score over {N_FRAMES} frames").first.wait_for()
    page.get_by_text("Mean of the frames that pass").click()
    settle(page)
    assert 0 <= read_probability(page) <= 100


def test_the_printed_case_is_two_pages_without_controls(page, address):  # noqa: F811
    open_case(page, address)
    page.get_by_role("button", name="Try this patient").click()
    page.get_by_text("image and clinical values are made up").wait_for()
    read_probability(page)
    page.locator("[class*=st-key-wide_] img").nth(1).wait_for()
    settle(page)
    pages = read_pages(page.pdf(prefer_css_page_size=True))
    assert len(pages) <= 2
    words = " ".join(pages)
    assert "probability of a high Ki-67" in words
    assert "Research use only" in words
    assert "Edit values" not in words
    assert "New case" not in words


def test_presentation_mode_enlarges_type_and_hides_the_side_bar(page, address):  # noqa: F811
    open_case(page, address)
    size = "parseFloat(getComputedStyle(document.documentElement).fontSize)"
    before = page.evaluate(size)
    page.get_by_role("button", name="Present", exact=True).click()
    page.get_by_role("button", name="End presentation").wait_for()
    assert page.evaluate(size) > 1.2 * before
    assert not page.get_by_test_id("stSidebar").is_visible()


def test_the_browser_asks_on_every_page_and_a_question_comes_before_another_case(page, address, planes):  # noqa: F811
    page.on("dialog", lambda dialog: dialog.dismiss())
    open_case(page, address)
    give_planes(page, planes[:1])
    read_probability(page)
    settle(page)
    page.get_by_role("link", name="Home").click()
    try_another = page.get_by_role("button", name="Try a simulated patient")
    try_another.wait_for()
    settle(page)
    with page.expect_event("dialog") as asked:
        page.evaluate("setTimeout(() => location.reload())")
    assert asked.value.type == "beforeunload"
    try_another.click()
    page.get_by_text("Save or discard?").wait_for()
    settle(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the estimate (JSON), go on").click()
    assert "probability" in json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    page.get_by_text("image and clinical values are made up").wait_for()
    settle(page)
    assert page.get_by_role("heading", name="probability of a high").count() == 0
