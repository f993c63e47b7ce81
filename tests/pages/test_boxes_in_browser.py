"""Boxes in a real Chromium: five images by the keyboard alone, a correction by mouse, a second reader, a package."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.cohort.boxes import BoxManifest, read_boxes, save_box
from core.imaging import Roi, read_frame
from core.simulation import SimulatedFrame
from tests.pages.serving import PATIENCE_MS, serve_app
from tests.pages.test_accessibility_in_browser import find_lasting_violations
from tests.pages.test_in_browser import browser, locate, page, pytestmark, settle  # noqa: F401

COUNT = 6


@pytest.fixture(scope="module")
def images(breast_frame: SimulatedFrame) -> dict[str, bytes]:
    """The frame in falling gain, the last one no image."""
    found = {}
    for i in range(COUNT - 1):
        buffer = io.BytesIO()
        Image.fromarray((breast_frame.pixels * (1 - 0.05 * i)).astype(np.uint8)).save(buffer, "PNG", compress_level=1)
        found[f"images/{i}.png"] = buffer.getvalue()
    return found | {f"images/{COUNT - 1}.png": b"no image"}


@pytest.fixture(scope="module")
def table(images: dict[str, bytes]) -> bytes:
    rows = [{"patient_id": f"P-{i // 2}", "image": name, "ki67_pct": 30} for i, name in enumerate(images)]
    return pd.DataFrame(rows).to_csv(index=False).encode()


@pytest.fixture(scope="module")
def folder(images: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cohorts")
    (folder / "graz" / "images").mkdir(parents=True)
    for name, data in images.items():
        (folder / "graz" / name).write_bytes(data)
    return folder


@pytest.fixture
def manifest(folder: Path, table: bytes) -> Path:
    path = folder / "graz" / "manifest.csv"
    path.write_bytes(table)
    return path


@pytest.fixture(scope="module")
def address(folder: Path, bundle_dir: Path) -> Iterator[str]:
    with serve_app(SONOKI_COHORTS=str(folder), SONOKI_BUNDLE=str(bundle_dir)) as running:
        yield running


def open_boxes(page, address: str, reader: str = "AB") -> None:  # noqa: F811
    """Open the cohort of the folder by the keyboard."""
    page.goto(f"{address}/Boxes", timeout=PATIENCE_MS)
    page.get_by_text("Type your initials").wait_for()
    settle(page)
    page.get_by_label("Your initials").focus()
    page.keyboard.type(reader)
    page.keyboard.press("Enter")
    choice = page.get_by_role("combobox", name="Manifest on this server")
    choice.wait_for()
    settle(page)
    choice.focus()
    page.keyboard.press("ArrowDown")
    page.get_by_role("option", name="graz/manifest.csv").wait_for()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=f"of {COUNT} ·").wait_for()
    settle(page)


def press(page, key: str, words: str) -> None:  # noqa: F811
    """Press a key while nothing in particular has the focus, and wait for words."""
    settle(page)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press(key)
    page.get_by_text(words).first.wait_for()
    settle(page)


def draw(page, pixels: bytes, corners: tuple[tuple[float, float], tuple[float, float]]) -> None:  # noqa: F811
    """Drag a box on the picture from one corner to the other, in fractions of the frame."""
    settle(page)
    page.locator(".viewer[data-place]").wait_for()
    page.locator(".viewer").scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    (x0, y0), (x1, y1) = (locate(page, read_frame(pixels), *corner) for corner in corners)
    page.mouse.move(x0, y0)
    page.mouse.down()
    page.mouse.move(x1, y1, steps=5)
    page.mouse.up()


def test_five_images_by_the_keyboard_and_a_box_where_it_was_drawn(page, address, manifest, images):  # noqa: F811
    open_boxes(page, address)
    page.get_by_text("Proposed box").wait_for()
    press(page, "a", "1 of 6 done")
    proposed = read_boxes(manifest).rows[0].boxes["AB"]
    assert proposed is not None
    page.get_by_role("heading", name="Image 2 of 6").wait_for()
    page.locator(".viewer").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_text("Your box, saved.").wait_for()
    press(page, "PageDown", "Image 3 of 6")
    press(page, "s", "3 of 6 done, 1 of them skipped")
    press(page, "a", "4 of 6 done")
    press(page, "a", "5 of 6 done")
    page.get_by_role("heading", name="Image 6 of 6").wait_for()
    page.get_by_role("alert").first.wait_for()
    press(page, "PageUp", "Image 5 of 6")
    press(page, "n", "Image 6 of 6")
    kept = read_boxes(manifest)
    assert [row.boxes.get("AB", "open") is None for row in kept.rows] == [False, False, True, False, False, False]
    assert kept.list_open("AB") == [5]

    page.reload()  # what was saved is there for a new session, which begins at what is left
    open_boxes(page, address)
    page.get_by_text("5 of 6 done").wait_for()
    page.get_by_role("heading", name="Image 6 of 6").wait_for()
    press(page, "PageUp", "Image 5 of 6")
    press(page, "PageUp", "Image 4 of 6")
    press(page, "PageUp", "Image 3 of 6")
    page.get_by_text("Skipped by you.").wait_for()
    pixels = images["images/2.png"]
    draw(page, pixels, ((0.10, 0.30), (0.75, 0.80)))
    page.get_by_text("Your box, saved.").wait_for()
    frame, box = read_frame(pixels), read_boxes(manifest).rows[2].boxes["AB"]
    assert box is not None
    shown = frame.to_frame(box)
    drawn = (shown.x0, shown.y0, shown.x1, shown.y1)
    w, h = frame.width, frame.height
    assert drawn == pytest.approx((0.10 * w, 0.30 * h, 0.75 * w, 0.80 * h), abs=4)


def test_two_readers_agreement_and_the_way_to_the_worst_on_a_narrow_screen(page, address, manifest):  # noqa: F811
    kept: BoxManifest = read_boxes(manifest)
    for place, shift in enumerate((0, 50, 10, 0)):
        kept = save_box(kept, place, "AB", Roi(100, 100, 200, 200))
        kept = save_box(kept, place, "CD", Roi(100 + shift, 100, 200 + shift, 200))
    page.set_viewport_size({"width": 390, "height": 844})
    open_boxes(page, address, "CD")
    page.keyboard.press("Escape")
    page.get_by_text("4 of 6 done").wait_for()
    page.get_by_text("Both drew a box in 4 images of 2 patients").wait_for()
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert find_lasting_violations(page) == {}
    page.get_by_role("button", name="Image 2", exact=True).click()
    page.get_by_role("heading", name="Image 2 of 6").wait_for()


def test_a_package_is_opened_and_its_boxes_taken_home(page, address, images, table):  # noqa: F811
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("manifest.csv", table)
        for name, data in images.items():
            archive.writestr(name, data)
    page.goto(f"{address}/Boxes", timeout=PATIENCE_MS)
    page.get_by_text("Type your initials").wait_for()
    page.get_by_label("Your initials").fill("EF")
    page.get_by_label("Your initials").press("Enter")
    page.get_by_text("Or a zip archive").wait_for()
    settle(page)
    file = {"name": "cohort.zip", "mimeType": "application/zip", "buffer": stream.getvalue()}
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)
    page.get_by_role("heading", name="Image 1 of 6").wait_for()
    press(page, "a", "1 of 6 done")
    with page.expect_download() as download:
        page.get_by_role("button", name="Manifest with boxes (CSV)").click()
    taken = pd.read_csv(Path(download.value.path()), dtype=str, keep_default_na=False)
    assert [bool(box) for box in taken["box"]] == [True] + 5 * [False]
    assert taken["box"].tolist() == taken["box_EF"].tolist()
