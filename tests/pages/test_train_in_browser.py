"""The page Train in a real Chromium: from a package to a bundle, over a reload and before a second admin."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.training.bundle.package import verify_bundle
from tests.core.training.small_training import complete_backbone
from tests.pages.serving import PATIENCE_MS, ROOT, find_port, wait_until_well
from tests.pages.test_accessibility_in_browser import find_lasting_violations
from tests.pages.test_in_browser import browser, give_file, page, pytestmark, settle  # noqa: F401
from tests.pages.training_packages import pack, write_table

N = 40


@pytest.fixture(scope="module")
def address(bundle_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start the app, whose trainings are small."""
    port = find_port()
    environ = os.environ | {
        "SONOKI_START_TOKEN": "off",
        "SONOKI_BUNDLE": str(bundle_dir),
        "SONOKI_TRAINING_FOLDER": str(tmp_path_factory.mktemp("trainings")),
        "SONOKI_TRAINING_BACKBONE": str(complete_backbone(bundle_dir)),
    }
    command = [sys.executable, "-m", "tests.pages.small_training_server", "--server.port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until_well(f"http://127.0.0.1:{port}/_stcore/health", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def test_from_a_package_to_a_bundle(page, browser, address, tmp_path):  # noqa: F811
    page.goto(f"{address}/Train", timeout=PATIENCE_MS)
    page.get_by_text("There is nothing to train on yet").wait_for()
    give_file(page, "patients.zip", pack(write_table(tmp_path, N), tmp_path))
    page.get_by_text(f"{N} rows: {N} images of {N} patients used").wait_for()
    page.get_by_text("For trying out only, 30 are enough, if the box above is ticked.").wait_for()
    for box in ("The patients are simulated", "for trying out only"):
        page.locator("label", has_text=box).click()
        settle(page)
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_role("heading", name="A training runs").wait_for()

    other = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
    other.set_default_timeout(PATIENCE_MS)
    other.goto(f"{address}/Train", timeout=PATIENCE_MS)
    other.get_by_role("heading", name="A training runs").wait_for()
    assert other.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
    other.get_by_role("button", name="Stop the training").wait_for()
    other.context.close()

    page.reload()
    page.get_by_role("heading", name="Beside the bundle in use").wait_for(timeout=4 * PATIENCE_MS)
    page.get_by_text("AUC (4 patients").wait_for()
    settle(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="The bundle (ZIP)").click()
    package = Path(download.value.path())
    assert verify_bundle(package)[0].is_simulated
    page.mouse.move(0, 0)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert find_lasting_violations(page) == {}
    page.set_viewport_size({"width": 390, "height": 844})
    settle(page)
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
