"""A board of 20 simulated patients in a real Chromium: by keyboard alone, on one screen, with two people at once."""

import io
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pytest

from core.register.store import Store
from tests.pages.serving import PATIENCE_MS, serve_app
from tests.pages.test_accessibility_in_browser import find_lasting_violations
from tests.pages.test_in_browser import browser, page, pytestmark, settle, wait_until  # noqa: F401
from tests.pdf import read_pages

N = 20
FOCUS = "el => el.contains(document.activeElement)"
HEIGHT = "document.querySelector('[data-testid=stMain]').scrollHeight"


@pytest.fixture(scope="module")
def database(tmp_path_factory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('board') / 'board.db'}"


@pytest.fixture(scope="module")
def address(database: str) -> Iterator[str]:
    """The app with the shipped bundle, whose patients have images."""
    with serve_app(SONOKI_DATABASE_URL=database) as running:
        yield running


def find_choice(page):  # noqa: F811
    """Give the choice that belongs to a model's call, or None where the form says that it is indeterminate."""
    choice = page.get_by_role("radiogroup", name="With the model's call")
    choice.or_(page.get_by_text("The estimate is indeterminate: write")).first.wait_for()
    return choice if choice.count() else None


def tab_to(page, place) -> None:  # noqa: F811
    """Press the tab key until a place has the focus."""
    place.wait_for()
    for _ in range(120):
        if place.evaluate(FOCUS):
            return
        page.keyboard.press("Tab")
    raise AssertionError("the tab key does not lead there")


def begin(page, address: str, author: str) -> None:  # noqa: F811
    """Give the initials and go to the first patient, by keyboard."""
    page.goto(f"{address}/Tumour_board", timeout=PATIENCE_MS)
    tab_to(page, page.get_by_label("Your initials"))
    page.keyboard.type(author)
    page.keyboard.press("Enter")
    settle(page)
    tab_to(page, page.get_by_role("button", name="Begin with the first"))
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=f"1 of {N}").wait_for()
    page.get_by_role("button", name="Save").wait_for()
    settle(page)


def read_structure(pdf: bytes) -> set[str]:
    """Give the kinds of all tags of a PDF."""
    found: set[str] = set()
    with pikepdf.open(io.BytesIO(pdf)) as document:
        assert document.Root.MarkInfo.Marked
        waiting = [document.Root.StructTreeRoot]
        while waiting:
            node = waiting.pop()
            if isinstance(node, pikepdf.Array):
                waiting += list(node)
            elif isinstance(node, pikepdf.Dictionary):
                found |= {str(node.S)} if "/S" in node else set()
                waiting += [node.K] if "/K" in node else []
    return found


def test_a_board_is_gone_through_by_keyboard_alone(page, address, database):  # noqa: F811
    page.set_viewport_size({"width": 1280, "height": 800})
    begin(page, address, "AB")
    overridden = False
    for i in range(1, N + 1):
        page.get_by_role("heading", name=f"{i} of {N}").wait_for()
        settle(page)
        page.get_by_role("button", name="Save").wait_for()
        choice = find_choice(page)
        if choice is None:
            tab_to(page, page.get_by_label("Decision or note"))
            page.keyboard.type("No call, so biopsy.")
        elif not overridden:
            overridden = override(page)
        else:
            tab_to(page, choice)
            page.keyboard.press("Space")
            page.keyboard.press("Tab")
        page.keyboard.press("Control+Enter")
        page.get_by_text("Saved as entry").wait_for()
        settle(page)
        if i < N:
            page.keyboard.press("PageDown")
    tab_to(page, page.get_by_role("button", name="Documents"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("button", name="Document of the meeting, 20 patients (PDF)"))
    with page.expect_download() as made:
        page.keyboard.press("Enter")
    check_meeting(Path(made.value.path()).read_bytes())
    store = Store(database)
    kept = store.read()
    assert store.verify_chain().holds
    store.close()
    assert {r.author for r in kept} == {"AB"}
    assert len({r.patient for r in kept}) == len(kept) == N
    assert [r.agrees for r in kept].count(False) == 1
    assert all((r.kind == "decision") == bool(r.group) for r in kept)
    assert all(len(r.input_sha256) == len(r.bundle_sha256) == 64 and r.low <= r.probability <= r.high for r in kept)


def override(page) -> bool:  # noqa: F811
    """Override with a reason, and find the frame by its heat map on the way."""
    page.locator('.viewer [data-do="heat"][aria-pressed="true"]').wait_for()
    page.keyboard.press("h")
    page.locator('.viewer [data-do="heat"][aria-pressed="false"]').wait_for()
    tab_to(page, page.get_by_role("radiogroup", name="With the model's call"))
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.type("The core biopsy speaks against it.")
    return True


def check_meeting(pdf: bytes) -> None:
    """Read the meeting's words and tags back."""
    assert {"/H1", "/Table", "/TH", "/Figure", "/P"} <= read_structure(pdf)
    pages = read_pages(pdf)
    words = " ".join(pages)
    assert len(pages) < 22
    assert "RESEARCH USE ONLY" in words
    assert "SIMULATED PATIENTS" in words
    assert "The core biopsy speaks against it." in words
    assert f"Patient {N}: SIM-" in words
    assert words.count("agrees with the call") >= N // 2


def test_the_list_is_in_sight_on_a_phone_and_its_filters_unfold(page, address):  # noqa: F811
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{address}/Tumour_board", timeout=PATIENCE_MS)
    page.get_by_role("button", name="Begin with the first").wait_for()
    settle(page)
    assert page.get_by_test_id("stDataFrame").bounding_box()["y"] < 300
    page.get_by_role("button", name="Search and filter").click()
    page.get_by_label("Search a pseudonym").fill("A0022")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Search and filter (1 set)").wait_for()
    wait_until(page, "document.querySelector('[data-testid=stDataFrame]').textContent.includes('A0022')")


def test_a_patient_fits_one_screen(page, address):  # noqa: F811
    page.set_viewport_size({"width": 1280, "height": 800})
    begin(page, address, "AB")
    for i in range(1, 6):
        page.get_by_role("heading", name=f"{i} of {N}").wait_for()
        page.locator("[class*=st-key-wide_] img").first.wait_for()
        settle(page)
        wait_until(page, f"{HEIGHT} <= 800")
        assert page.locator(".viewer").bounding_box()["height"] >= 0.45 * 800
        page.keyboard.press("PageDown")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_rule_of_accessibility_is_broken(page, address, scheme):  # noqa: F811
    page.emulate_media(color_scheme=scheme)
    begin(page, address, "AB")
    page.locator("[class*=st-key-wide_] img").first.wait_for()
    assert find_lasting_violations(page) == {}
    page.get_by_role("button", name="Documents").click()
    page.get_by_role("button", name="Document of this patient (PDF)").wait_for()
    assert find_lasting_violations(page) == {}


def test_two_people_write_on_the_same_patient_at_once(page, browser, address, database):  # noqa: F811
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    other = context.new_page()
    other.set_default_timeout(PATIENCE_MS)
    store = Store(database)
    before = len(store.read())
    people = {"CD": page, "EF": other}
    for author, one in people.items():
        begin(one, address, author)
        one.get_by_role("button", name="Save").wait_for()
        choice = find_choice(one)
        if choice is not None:
            choice.get_by_text("Note").click()
        one.get_by_label("ecision").last.fill(f"A note of {author}.")
    for one in people.values():
        one.keyboard.press("Control+Enter")
    for one in people.values():
        one.get_by_text("Saved as entry").wait_for()
    fresh = store.read()[before:]
    assert {(r.author, r.text) for r in fresh} == {(author, f"A note of {author}.") for author in people}
    assert len({r.patient for r in fresh}) == 1
    assert store.verify_chain().holds
    store.close()
    context.close()
