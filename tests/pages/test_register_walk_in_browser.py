"""One walk in a real Chromium: estimated, outcomes imported, judged, an alarm, an update used and taken back; roles."""

import datetime
import io
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from core.inference.trust import load_bundle
from core.register.outcome_entry import NOTHING, check_outcome, make_entry
from core.register.patients import tabulate_register
from core.register.store import Store
from core.simulation import write_cohort
from models.bundle import Bundle
from tests.core.register.register_entries import AB, ESTIMATE
from tests.core.training.update.test_update import draw_clinical
from tests.pages.oidc import CLIENT, SECRET, Provider, run_provider
from tests.pages.serving import PATIENCE_MS, find_port, serve_app
from tests.pages.test_in_browser import browser, pick, press, pytestmark, settle  # noqa: F401

FEW, MANY, CHANGED_AFTER = 40, 320, 150
COLD = ("Register", "Monitoring", "Model")


@dataclass(frozen=True)
class Site:
    """A hospital: its register, its bundle, the simulated patients to score, and the running app."""

    store: Store
    bundle: Bundle
    bundles: Path
    package: bytes
    patients: list[str]
    address: str
    provider: Provider


@pytest.fixture(scope="module")
def site(bundle_dir: Path, tmp_path_factory) -> Iterator[Site]:
    folder, port = tmp_path_factory.mktemp("walk"), find_port()
    before = os.environ.get("XDG_CONFIG_HOME")
    os.environ["XDG_CONFIG_HOME"] = str(folder / "config")
    store = Store(f"sqlite:///{folder / 'board.db'}")
    (folder / "bundles").mkdir()
    package, patients = make_package(folder / "cohort")
    settings = {"DATABASE_URL": str(store.url), "REGISTER": "on", "BUNDLE": str(bundle_dir)}
    settings |= {"BUNDLES": str(folder / "bundles")}
    with run_provider() as provider:
        (folder / "secrets.toml").write_text(
            "[auth]\n"
            f'redirect_uri = "http://127.0.0.1:{port}/oauth2callback"\n'
            'cookie_secret = "a secret of the test, long enough for signing"\n'
            f'client_id = "{CLIENT}"\nclient_secret = "{SECRET}"\n'
            f'server_metadata_url = "{provider.address}/.well-known/openid-configuration"\n'
        )
        options = ("--secrets.files", str(folder / "secrets.toml"))
        with serve_app(*options, port=port, **{f"SONOKI_{name}": value for name, value in settings.items()}) as running:
            yield Site(store, load_bundle(bundle_dir), folder / "bundles", package, patients, running, provider)
    store.close()
    os.environ.pop("XDG_CONFIG_HOME")
    os.environ |= {"XDG_CONFIG_HOME": before} if before else {}


def make_package(folder: Path) -> tuple[bytes, list[str]]:
    table = write_cohort(folder, FEW, 3)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.write(table, "cohort.csv")
        for frame in (folder / "frames").iterdir():
            package.write(frame, f"frames/{frame.name}")
    return buffer.getvalue(), pd.read_csv(table, dtype=str)["patient_id"].tolist()


@pytest.fixture
def open_session(browser):  # noqa: F811
    contexts = []

    def open_one():
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 1000}))
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE_MS)
        return page

    yield open_one
    for context in contexts:
        context.close()


def log_in(page, site: Site, role: str) -> None:
    site.provider.roles = [role]
    page.goto(site.address)
    page.get_by_role("button", name="Log in").click()
    page.get_by_text(f"Dr Stub, {role}").wait_for()


def go(page, site: Site, name: str) -> None:
    page.goto(f"{site.address}/{name}")
    page.get_by_role("heading", name=name.replace("_", " "), exact=True).wait_for()
    settle(page)


def add_scored(page, site: Site) -> None:
    """Score the 40 patients on the Cohort page, and add them all."""
    go(page, site, "Cohort")
    page.get_by_text("Evaluate the model on a cohort of your own").click()
    file = {"name": "cohort.zip", "mimeType": "application/zip", "buffer": site.package}
    place = page.get_by_label("Table and images: ZIP")
    place.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)
    page.get_by_text(f"{FEW} of {FEW} patients of the uploaded cohort").wait_for()
    settle(page)
    page.get_by_text(f"Add all {FEW} patients to the register").click()
    page.get_by_text("These patients are simulated").click()
    settle(page)
    page.get_by_role("button", name="Add all to register").click()
    page.get_by_text(f"{FEW} added").wait_for()


def import_outcomes(page, site: Site, values: dict[str, int], counts: str, *, reason: str = "") -> None:
    go(page, site, "Register")
    page.get_by_text("Enter outcomes from a table or a FHIR Bundle").click()
    table = "".join(f"{name};{value}\n" for name, value in values.items())
    file = {"name": "outcomes.csv", "mimeType": "text/csv", "buffer": f"patient;ki67\n{table}".encode()}
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)
    page.get_by_text(counts).wait_for()
    settle(page)
    if reason:
        page.get_by_label("Reason, to enter the contradicting rows").fill(reason)
        page.get_by_label("Reason, to enter the contradicting rows").press("Enter")
        new, _, contradicting, *_ = (int(part.split()[0]) for part in counts.split(", "))
        page.get_by_role("button", name=f"Enter {new + contradicting} rows").wait_for()
        settle(page)
    press(page, "Enter ", "entries were written.")


def fill_year(site: Site) -> None:
    """Keep a year of simulated patients; after 150 a new device shifts the image score, and Ki-67 stays as it is."""
    rng, head = np.random.default_rng(4), site.bundle.fusion_heads["m1"]
    estimates, outcomes = [], []
    for i in range(MANY):
        patient, clinical, truth = f"Y-{i:04d}", draw_clinical(rng), float(rng.normal())
        score, given = truth + 2 * (i >= CHANGED_AFTER), head.given(clinical)
        linear, true = (given.intercept + sum(given.contribute(s, clinical).values()) for s in (score, truth))
        day = datetime.date(2025, 1, 6) + datetime.timedelta(days=i)
        about = {"patient": patient, "clinical": clinical, "image_score": score, "probability": float(expit(linear))}
        about |= {"bundle": site.bundle.name, "bundle_sha256": site.bundle.sha256, "exam_date": day.isoformat()}
        about |= {"device": "New Device" if i >= CHANGED_AFTER else "Old Device", "is_simulated": True}
        estimates.append(replace(ESTIMATE, **about).to_entry("AB"))
        found = check_outcome({"ki67_pct": 40 if rng.random() < expit(true) else 10})["outcome"]
        outcomes.append(make_entry(patient, "outcome", found, NOTHING, AB))
    site.store.append_all([*estimates, *outcomes])


def decide(page, label: str) -> None:
    page.get_by_label("Reason (kept in the record)").locator("visible=true").fill("It fits our patients.")
    page.keyboard.press("Tab")
    settle(page)
    page.get_by_role("button", name=label, exact=True).click()
    settle(page)


def test_cold_addresses_serve_nothing(open_session, site):
    page = open_session()
    for name in COLD:
        page.goto(f"{site.address}/{name}")
        page.get_by_role("button", name="Log in").wait_for()
        assert page.get_by_test_id("stMain").inner_text().split() == ["Log", "in", "to", "use", "SonoKi.", "Log", "in"]


def test_an_admin_walks_from_estimates_to_an_update_and_back(open_session, site):
    page = open_session()
    log_in(page, site, "admin")
    add_scored(page, site)
    first = {name: 40 if i % 2 else 10 for i, name in enumerate(site.patients[:20])}
    import_outcomes(page, site, first, "20 new, 0 matched, 0 contradicting, 0 unmatched, 0 not used")
    second = dict.fromkeys(site.patients[:3], 70) | dict.fromkeys(site.patients[20:35], 30)
    second |= {"UNKNOWN-1": 20, "UNKNOWN-2": 20}
    counts = "15 new, 0 matched, 3 contradicting, 2 unmatched, 0 not used"
    import_outcomes(page, site, second, counts, reason="Second reading.")
    kept = tabulate_register(site.store).set_index("patient_id")["ki67_pct"]
    assert kept[site.patients[:3]].eq(70).all()
    assert kept.notna().sum() == 35
    assert kept.index.str.startswith("UNKNOWN").sum() == 0

    go(page, site, "Cohort")
    page.get_by_role("radio", name="The register").click()
    page.get_by_text(f"{FEW} of {FEW} patients of the register (prospective estimates)").wait_for()
    page.get_by_test_id("stSidebar").get_by_role("link", name="Discrimination").click()
    page.get_by_text("of the register (prospective estimates)").first.wait_for()
    assert page.get_by_test_id("stException").count() == 0

    fill_year(site)
    go(page, site, "Monitoring")
    page.get_by_text("Image score differs from training").first.wait_for()
    page.get_by_text("Fewer patients had a high Ki-67 than estimated").first.wait_for()

    go(page, site, "Model")
    page.get_by_text("Update it on the register's patients").click()
    page.get_by_label("Name of the updated bundle").fill("ours-2026")
    page.get_by_label("Reason (kept in the updated bundle)").fill("The new device.")
    page.keyboard.press("Tab")
    settle(page)
    press(page, "Write the update", "ours-2026 was written")
    settle(page)
    page.get_by_text("Put another bundle into use").click()
    pick(page, "Bundle", "ours-2026")
    page.get_by_text("that the update was fitted on").first.wait_for()
    settle(page)
    decide(page, "Put into use")
    page.get_by_text("is in use on every page: entry").wait_for()
    page.goto(f"{site.address}/Case")
    page.get_by_text("Bundle ours-2026").wait_for()
    go(page, site, "Model")
    page.get_by_text("Take it back").click()
    decide(page, "Take back")
    page.get_by_text("was taken back: entry").wait_for()
    assert site.store.verify_chain().holds


@pytest.mark.parametrize(("role", "sees_list"), [("viewer", False), ("clinician", True)])
def test_a_viewer_sees_sums_a_clinician_the_list_and_neither_exports_or_updates(open_session, site, role, sees_list):
    page = open_session()
    log_in(page, site, role)
    go(page, site, "Register")
    page.get_by_text("the surgical Ki-67 of").wait_for()
    assert (page.get_by_text("newest first").count() == 1) == sees_list
    assert page.get_by_text("The whole register (CSV)").count() == 0
    go(page, site, "Monitoring")
    page.get_by_text("Image score differs from training").first.wait_for()
    assert not any(name in page.content() for name in (*site.patients, "Y-0"))
    go(page, site, "Model")
    page.get_by_role("heading", name="Which bundle answers").wait_for()
    assert page.get_by_text("Put another bundle into use").count() == 0
    go(page, site, "Cohort")
    page.get_by_text("Evaluate the model on a cohort of your own").wait_for()
    if sees_list:
        page.get_by_text("The register", exact=True).first.wait_for()
    assert (page.get_by_text("The register", exact=True).count() > 0) == sees_list
