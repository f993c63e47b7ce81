"""Login in a real browser, against a provider on the loopback: nothing is served without it, and roles hold."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.ui.navigation import list_pages
from tests.pages.oidc import CLIENT, SECRET, Provider, run_provider
from tests.pages.serving import PATIENCE_MS, find_port, serve_app
from tests.pages.test_in_browser import browser, pytestmark  # noqa: F401

PATHS = ["", *(name.replace(" ", "_") for _, name in list_pages())]
LOOKED_AT = ("", "Case", "Register")  # tests/test_architecture.py holds that all pages begin alike
ROLES = {"Case": "clinician", "Tumour_board": "clinician", "Boxes": "clinician", "Train": "admin"}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with run_provider() as running:
        yield running


@pytest.fixture(scope="module")
def address(provider: Provider, bundle_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = find_port()
    secrets = tmp_path_factory.mktemp("login") / "secrets.toml"
    secrets.write_text(
        "[auth]\n"
        f'redirect_uri = "http://127.0.0.1:{port}/oauth2callback"\n'
        'cookie_secret = "a secret of the test, long enough for signing"\n'
        f'client_id = "{CLIENT}"\nclient_secret = "{SECRET}"\n'
        f'server_metadata_url = "{provider.address}/.well-known/openid-configuration"\n'
    )
    with serve_app("--secrets.files", str(secrets), port=port, SONOKI_BUNDLE=str(bundle_dir)) as running:
        yield running


@pytest.fixture(scope="module", params=["option", "variable"])
def exposed(request: pytest.FixtureRequest, bundle_dir: Path) -> Iterator[str]:
    """The app on all addresses, without a login."""
    options = ("--server.address", "0.0.0.0") if request.param == "option" else ()
    variable = {} if options else {"STREAMLIT_SERVER_ADDRESS": "0.0.0.0"}
    with serve_app(*options, SONOKI_BUNDLE=str(bundle_dir), **variable) as running:
        yield running


@pytest.fixture
def page(browser):  # noqa: F811
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    yield page
    context.close()


def log_in(page, address: str, provider: Provider, roles: list[str], lifetime: int = 3600) -> None:
    provider.roles, provider.lifetime = roles, lifetime
    page.goto(address)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{address}/")


def test_nothing_of_a_page_is_served_without_login(page, address):
    for path in LOOKED_AT:
        page.goto(f"{address}/{path}")
        page.get_by_role("button", name="Log in").wait_for()
        assert page.get_by_test_id("stMain").inner_text().split() == ["Log", "in", "to", "use", "SonoKi.", "Log", "in"]
        assert page.get_by_test_id("stSidebar").count() == 0


def test_a_viewer_sees_cohorts_but_no_patient(page, address, provider):
    log_in(page, address, provider, ["viewer"])
    page.get_by_text("Dr Stub, viewer").wait_for()
    for path in PATHS[1:]:
        page.goto(f"{address}/{path}")
        if path in ROLES:
            page.get_by_text(f"This page needs the role {ROLES[path]}").wait_for()
            assert page.get_by_role("heading").count() == 0
        else:
            page.get_by_role("heading", name=path.replace("_", " "), exact=True).wait_for()


def test_a_clinician_sees_a_patient_until_logout(page, address, provider):
    log_in(page, address, provider, ["clinician"])
    page.get_by_text("Dr Stub, clinician").wait_for()
    page.goto(f"{address}/Case")
    page.get_by_role("button", name="Try this patient").wait_for()
    page.get_by_role("button", name="Log out").click()
    page.get_by_text("Log in to use SonoKi.").wait_for()


def test_a_login_without_a_role_sees_nothing(page, address, provider):
    log_in(page, address, provider, ["staff"])
    page.get_by_text("This page needs the role viewer").wait_for()
    assert page.get_by_role("heading").count() == 0


def test_a_login_runs_out(page, address, provider):
    log_in(page, address, provider, ["admin"], lifetime=3)
    page.wait_for_timeout(4000)
    page.goto(f"{address}/Case")
    page.get_by_text("Your session has expired.").wait_for()
    assert page.get_by_role("heading").count() == 0


def test_nothing_of_a_page_is_served_beyond_the_loopback_without_a_provider(page, exposed):
    for path in LOOKED_AT:
        page.goto(f"{exposed}/{path}")
        page.get_by_text("no login is configured, so nothing is shown").wait_for()
        assert page.get_by_role("heading").count() == 0
        assert page.get_by_test_id("stSidebar").count() == 0


def test_a_proxy_before_the_loopback_needs_a_provider(page, bundle_dir):
    with serve_app(SONOKI_BUNDLE=str(bundle_dir)) as running:
        page.set_extra_http_headers({"X-Forwarded-For": "10.1.2.3"})
        page.goto(f"{running}/Case")
        page.get_by_text("through a proxy or under another name").wait_for()
        assert page.get_by_role("heading").count() == 0


def test_a_session_that_goes_on_ends_with_its_login(page, address, provider):
    log_in(page, address, provider, ["admin"], lifetime=30)
    page.get_by_text("Dr Stub, admin").wait_for()
    page.goto(f"{address}/Tumour_board")
    page.get_by_role("button", name="Begin with the first").wait_for()
    page.wait_for_timeout(30_000)
    page.get_by_role("button", name="Begin with the first").click()
    page.get_by_text("Your session has expired.").wait_for()
    page.get_by_role("heading").first.wait_for(state="detached")
