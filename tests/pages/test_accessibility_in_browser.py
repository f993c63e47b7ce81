"""Every page, opened first: axe-core's rules in light and dark, its figure in sight, nothing wider than a phone.

What Streamlit itself draws is listed by rule and place.
"""

import pytest
from axe_playwright_python.sync_playwright import Axe

from core.ui.navigation import list_pages
from tests.pages.test_in_browser import address, browser, open_case, page, pytestmark, wait_until  # noqa: F401

PATHS = ["", *(name.replace(" ", "_") for _, name in list_pages())]
FADING_MS, LOOKS = 1000, 3
CALM = """least => {
    const places = "[data-testid=stElementContainer], [data-testid=stVerticalBlock], [data-testid=stLayoutWrapper]"
    const busy = !document.querySelector("[data-testid=stApp][data-test-script-state=notRunning]")
        || document.querySelector("[data-stale=true]")
        || [...document.querySelectorAll(places)].some(place => getComputedStyle(place).opacity < 1)
    if (busy || !window.calmSince) window.calmSince = Date.now()
    return Date.now() - window.calmSince > least
}"""
WITH_FIGURE = {"Cohort", "Discrimination", "Calibration", "Decision_curve"}
FIGURE_IN_SIGHT = """[...document.querySelectorAll("[data-testid=stPlotlyChart]")]
    .some(chart => chart.getBoundingClientRect().y < 400)"""
BACKGROUND = "app => getComputedStyle(app).backgroundColor"
STREAMLIT = {"presentation-role-conflict": "stFileUploaderDropzone"}


def find_violations(page) -> dict[str, list[str]]:  # noqa: F811
    """Give the places of each rule broken, without those of Streamlit's own."""
    found = Axe().run(page).response["violations"]
    places = {
        v["id"]: [
            f"{node['html']} {node['failureSummary']}"
            for node in v["nodes"]
            if STREAMLIT.get(v["id"], "none") not in node["html"]
        ]
        for v in found
    }
    return {rule: where for rule, where in places.items() if where}


def settle(page) -> None:  # noqa: F811
    """Wait until the page has been drawn, and nothing has faded, for a second on end."""
    wait_until(page, CALM, FADING_MS)


def find_lasting_violations(page) -> dict[str, list[str]]:  # noqa: F811
    """Look again where a rule seems broken: a page that is being drawn anew fades for a moment."""
    for _ in range(LOOKS):
        settle(page)
        if not (found := find_violations(page)):
            break
    return found


def look_in_the_dark(page) -> None:  # noqa: F811
    """Let the open page follow the system's dark scheme."""
    light = page.get_by_test_id("stApp").evaluate(BACKGROUND)
    page.emulate_media(color_scheme="dark")
    wait_until(page, f"light => ({BACKGROUND})(document.querySelector('[data-testid=stApp]')) != light", light)


@pytest.mark.parametrize("path", PATHS)
def test_a_page_opens_first_and_breaks_no_rule_and_fits_a_phone(page, address, path):  # noqa: F811
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"{address}/{path}")
    page.get_by_role("heading", level=1).wait_for()
    page.get_by_text("Research use only").first.wait_for()
    assert find_lasting_violations(page) == {}
    assert page.get_by_test_id("stException").count() == 0
    if path in WITH_FIGURE:
        wait_until(page, FIGURE_IN_SIGHT)
    look_in_the_dark(page)
    assert find_lasting_violations(page) == {}
    page.set_viewport_size({"width": 390, "height": 844})
    settle(page)
    wait_until(page, "document.querySelector('[data-testid=stMain]').scrollWidth <= 390")


def test_no_rule_is_broken_by_an_estimate(page, address):  # noqa: F811
    open_case(page, address)
    page.get_by_role("button", name="Try this patient").click()
    page.get_by_role("button", name="Estimate", exact=True).click()
    page.get_by_role("heading", name="Export").wait_for()
    page.get_by_text("Lines of equal log-odds").click()
    assert find_lasting_violations(page) == {}
    page.set_viewport_size({"width": 390, "height": 844})
    assert find_lasting_violations(page) == {}
    wait_until(page, "document.querySelector('[data-testid=stMain]').scrollWidth <= 390")
    parts = (
        page.locator(".viewer"),
        page.get_by_role("heading", name="probability"),
        page.get_by_text("Contributions"),
    )
    boxes = [part.first.bounding_box() for part in parts]
    assert [box["y"] for box in boxes] == sorted(box["y"] for box in boxes)
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)
    look_in_the_dark(page)
    assert find_lasting_violations(page) == {}
