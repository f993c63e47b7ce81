"""Drive the pages in process, on the test bundle."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core import settings
from core.simulation import SimulatedFrame, render_frame
from core.simulation.parameters import LATENTS
from tests.pages.loops import encode_loop

ROOT = Path(__file__).parents[2]
Open = Callable[[str], AppTest]


@pytest.fixture(scope="session")
def breast_frame() -> SimulatedFrame:
    """A simulated frame, since the intake refuses what does not look like ultrasound of the breast."""
    latents = dict.fromkeys(LATENTS, 0.0)
    rng = np.random.default_rng(4)
    return render_frame(rng, "B", latents, size_mm=18.0, size_ap_mm=12.0, background="homog_fibroglandular")


@pytest.fixture(scope="session")
def breast_png(breast_frame: SimulatedFrame) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(breast_frame.pixels).save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def breast_loop(breast_frame: SimulatedFrame) -> bytes:
    """Three frames of falling gain as one DICOM loop with a scale."""
    return encode_loop(breast_frame, [(breast_frame.pixels * gain).astype(np.uint8) for gain in (1.0, 0.95, 0.9)])


@pytest.fixture
def use_bundle(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """Point the setting "bundle" at a folder."""

    def use(folder: Path) -> None:
        monkeypatch.setenv("SONOKI_BUNDLE", str(folder))
        settings.forget_settings()

    yield use
    monkeypatch.undo()
    settings.forget_settings()


@pytest.fixture
def open_page(use_bundle: Callable[[Path], None], bundle_dir: Path) -> Open:
    """Open a page by its path as a browser would on a fresh session."""
    use_bundle(bundle_dir)
    return start_page


def start_page(path: str) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    at.run()
    return at if path == "app.py" else at.switch_page(path).run()
