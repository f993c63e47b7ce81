"""Drive the pages in process, on the test bundle."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import settings

ROOT = Path(__file__).parents[2]
Open = Callable[[str], AppTest]


@pytest.fixture
def use_bundle(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """Point the setting "bundle" at a folder."""

    def use(folder: Path) -> None:
        monkeypatch.setenv("SONOKI_BUNDLE", str(folder))
        settings._values.cache_clear()

    yield use
    monkeypatch.undo()
    settings._values.cache_clear()


@pytest.fixture
def open_page(use_bundle: Callable[[Path], None], bundle_dir: Path) -> Open:
    """Open a page by its path as a browser would on a fresh session."""
    use_bundle(bundle_dir)
    return start_page


def start_page(path: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    at.run()
    return at if path == "app.py" else at.switch_page(path).run()
