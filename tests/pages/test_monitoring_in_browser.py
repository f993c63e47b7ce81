"""The monitoring page in a real Chromium: an alarm is read, its data taken away, another window chosen."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.inference.trust import load_bundle
from core.register.store import Store
from tests.core.monitoring.filled import fill_store
from tests.pages.serving import PATIENCE_MS, serve_app
from tests.pages.test_accessibility_in_browser import find_lasting_violations
from tests.pages.test_in_browser import browser, page, pytestmark, settle  # noqa: F401


@pytest.fixture(scope="module")
def address(tmp_path_factory, bundle_dir: Path) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("monitoring")
    before = os.environ.get("XDG_CONFIG_HOME")
    os.environ["XDG_CONFIG_HOME"] = str(folder / "config")
    url = f"sqlite:///{folder / 'board.db'}"
    store = Store(url)
    fill_store(store, 220, load_bundle(bundle_dir).sha256, changed_after=100)
    store.close()
    with serve_app(SONOKI_DATABASE_URL=url, SONOKI_REGISTER="on", SONOKI_BUNDLE=str(bundle_dir)) as running:
        yield running
    os.environ.pop("XDG_CONFIG_HOME")
    os.environ |= {"XDG_CONFIG_HOME": before} if before else {}


def test_an_alarm_is_read_its_data_taken_and_months_chosen(page, address):  # noqa: F811
    page.goto(f"{address}/Monitoring", timeout=PATIENCE_MS)
    page.get_by_text("Image score differs from training").first.wait_for()
    page.get_by_text("Fewer patients had a high Ki-67 than estimated").first.wait_for()
    page.get_by_role("heading", name="AUC by window").wait_for()
    settle(page)
    with page.expect_download() as taken:
        page.get_by_role("button", name="Data (CSV)").first.click()
    text = Path(taken.value.path()).read_text(encoding="utf-8")
    assert "SIMULATED" in text
    assert "P-0" not in text
    page.get_by_role("radio", name="By month").click()
    page.get_by_text("2025-01").first.wait_for()
    assert "P-0" not in page.content()
    assert "P-0" not in page.url


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_rule_is_broken_and_a_narrow_screen_needs_no_sideways_scrolling(browser, address, scheme):  # noqa: F811
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    narrow = context.new_page()
    narrow.set_default_timeout(PATIENCE_MS)
    narrow.goto(f"{address}/Monitoring", timeout=PATIENCE_MS)
    narrow.get_by_role("heading", name="AUC by window").wait_for()
    assert narrow.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
    assert find_lasting_violations(narrow) == {}
    context.close()
