"""Two browsers at one server, each with a cohort and a case: neither is sent anything of the other, on any page."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.pages.cohorts import encode
from tests.pages.test_cohort_in_browser import fetch
from tests.pages.test_cohort_in_browser import give as give_table
from tests.pages.test_in_browser import (  # noqa: F401
    PATIENCE_MS,
    address,
    browser,
    open_case,
    pytestmark,
    read_probability,
    settle,
)
from tests.pages.test_in_browser import upload as upload_image
from tests.pages.test_sessions import make_marked

PAGES = [
    page.stem.partition("_")[2].replace("_", " ") for page in sorted((Path(__file__).parents[2] / "pages").glob("*.py"))
]
MARKS, AGES = ("of-one", "of-two"), (71, 44)


class Visitor:
    """A browser context of its own, with all that the server sent to it."""

    def __init__(self, browser, mark: str) -> None:  # noqa: F811
        self.mark, self.heard, self.media = mark, [], set()
        self.context = browser.new_context(viewport={"width": 1280, "height": 1000})
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("websocket", lambda socket: socket.on("framereceived", self._hear))
        self.page.on("request", lambda request: "/media/" in request.url and self.media.add(request.url))

    def _hear(self, frame: bytes | str) -> None:
        self.heard.append(frame if isinstance(frame, bytes) else frame.encode())

    def go(self, name: str) -> None:
        self.page.get_by_test_id("stSidebar").get_by_role("link", name=name, exact=True).click()
        settle(self.page)
        assert self.page.get_by_test_id("stException").count() == 0

    def take_estimate(self) -> dict[str, object]:
        with self.page.expect_download() as download:
            self.page.get_by_role("button", name="Estimate (JSON)").click()
        return json.loads(download.value.path().read_text(encoding="utf-8"))


@pytest.fixture
def visitors(browser):  # noqa: F811
    both = [Visitor(browser, mark) for mark in MARKS]
    yield both
    for visitor in both:
        visitor.context.close()


def mirror(png: bytes) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(Image.open(io.BytesIO(png)))[:, ::-1]).save(buffer, format="PNG")
    return buffer.getvalue()


def test_neither_of_two_browsers_is_sent_anything_of_the_other(visitors, address, breast_png):  # noqa: F811
    for visitor, seed in zip(visitors, (5, 11), strict=True):
        give_table(visitor.page, address, encode(make_marked(visitor.mark, seed)))
        visitor.page.get_by_text("120 of 120 patients of the uploaded cohort").wait_for()
    for visitor, image, age in zip(visitors, (breast_png, mirror(breast_png)), AGES, strict=True):
        visitor.go("Case")
        upload_image(visitor.page, "a.png", image)
        settle(visitor.page)
        field = visitor.page.get_by_role("spinbutton", name="Age (years)")
        field.fill(str(age))
        field.press("Enter")
        settle(visitor.page)
        read_probability(visitor.page)
    for name in PAGES:
        for visitor in visitors:
            visitor.go(name)
    estimates, curves = [], []
    for visitor in visitors:
        visitor.go("Case")
        estimates.append(visitor.take_estimate())
        visitor.go("Discrimination")
        curves.append(fetch(visitor.page, "Data (CSV)"))
    assert [estimate["case"]["clinical"]["age"] for estimate in estimates] == [*AGES]
    assert estimates[0]["input_sha256"] != estimates[1]["input_sha256"]
    assert curves[0] != curves[1]
    first, second = visitors
    for visitor, other in ((first, second), (second, first)):
        sent = b"".join(visitor.heard)
        assert visitor.mark.encode() in sent
        assert other.mark.encode() not in sent
    assert first.media
    assert not {url for url in first.media if url.endswith((".png", ".jpg"))} & second.media
