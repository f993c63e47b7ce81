"""In a real Chromium: an update is put into use, holds for all and after a restart, and is taken back."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.inference.trust import load_bundle
from core.register.bundles.use import read_use
from core.register.store import Store
from core.training.update.update import UpdatePlan, update_bundle
from tests.core.training.update.test_update import fill_register
from tests.pages.serving import PATIENCE_MS, serve_app
from tests.pages.test_in_browser import browser, page, pick, pytestmark, settle  # noqa: F401


@pytest.fixture(scope="module")
def site(bundle_dir: Path, tmp_path_factory) -> Iterator[tuple[Store, dict[str, str]]]:
    """A register, an updated bundle in the folder to choose from, and the server's settings."""
    folder = tmp_path_factory.mktemp("choice")
    before = os.environ.get("XDG_CONFIG_HOME")
    os.environ["XDG_CONFIG_HOME"] = str(folder / "config")
    store = Store(f"sqlite:///{folder / 'board.db'}")
    fill_register(store, load_bundle(bundle_dir), shift=0.9)
    (folder / "bundles").mkdir()
    plan = UpdatePlan("AB", "Our share of high Ki-67 is higher.", "ours-2026")
    update_bundle(store, bundle_dir, folder / "bundles" / "ours-2026", plan)
    settings = {"DATABASE_URL": str(store.url), "BUNDLE": str(bundle_dir), "BUNDLES": str(folder / "bundles")}
    yield store, {f"SONOKI_{name}": value for name, value in settings.items()}
    store.close()
    os.environ.pop("XDG_CONFIG_HOME")
    os.environ |= {"XDG_CONFIG_HOME": before} if before else {}


@pytest.fixture(scope="module")
def address(site) -> Iterator[str]:
    with serve_app(**site[1]) as running:
        yield running


def open_model(page, address: str) -> None:  # noqa: F811
    page.goto(f"{address}/Model", timeout=PATIENCE_MS)
    page.get_by_role("heading", name="Which bundle answers").wait_for()
    page.get_by_label("Your initials").fill("AB")
    page.get_by_label("Your initials").press("Enter")
    settle(page)


def decide(page, label: str) -> None:  # noqa: F811
    page.locator("textarea:visible").fill("It fits our patients.")
    page.keyboard.press("Tab")
    settle(page)
    page.get_by_role("button", name=label, exact=True).click()
    settle(page)


def choose(page) -> None:  # noqa: F811
    page.get_by_text("Put another bundle into use").click()
    pick(page, "Bundle", "ours-2026")
    page.get_by_text("that the update was fitted on").first.wait_for()
    settle(page)


def test_an_update_is_put_into_use_survives_a_restart_and_is_taken_back(page, address, site):  # noqa: F811
    store, settings = site
    open_model(page, address)
    choose(page)
    decide(page, "Put into use")
    page.get_by_text("is in use on every page: entry").wait_for()
    page.goto(f"{address}/Case", timeout=PATIENCE_MS)
    page.get_by_text("Bundle ours-2026").first.wait_for()
    with serve_app(**settings) as restarted:
        page.context.new_page().goto(f"{restarted}/Model", timeout=PATIENCE_MS)
        page.context.pages[-1].get_by_text("Bundle ours-2026").first.wait_for(timeout=PATIENCE_MS)
        page.context.pages[-1].close()
    open_model(page, address)
    page.get_by_text("Take it back").click()
    decide(page, "Take back")
    page.get_by_text("was taken back: entry").wait_for()
    page.get_by_text("Bundle test-bundle").first.wait_for()
    assert [record.kind for record in read_use(store).records] == ["put into use", "taken back"]
    assert store.verify_chain().holds
