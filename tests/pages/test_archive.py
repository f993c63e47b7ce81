"""The archive on the Case page where it is away, or not set at all."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.core.archive.orthanc import find_port
from tests.pages.conftest import start_page

PAGE = "pages/1_Case.py"


@pytest.fixture
def at(use_bundle, bundle_dir, monkeypatch, tmp_path) -> AppTest:
    """The Case page with an archive that is not there."""
    monkeypatch.setenv("SONOKI_PACS_URL", f"http://127.0.0.1:{find_port()}/dicom-web")
    monkeypatch.setenv("SONOKI_OUTBOX", str(tmp_path / "outbox"))
    monkeypatch.setattr("core.archive.dicomweb.client.PAUSES", ())
    use_bundle(bundle_dir)
    return start_page(PAGE)


def find(elements, label: str):
    return next(e for e in elements if e.label == label)


def test_without_a_setting_there_is_no_archive(open_page):
    at = open_page(PAGE)
    assert "From the archive" not in [expander.label for expander in at.expander]


def test_an_archive_that_is_away_is_a_sentence_and_the_page_goes_on(at):
    find(at.text_input, "Patient ID").set_value("PLANTED-4711")
    find(at.button, "Find studies").click().run()
    assert "can't be reached" in at.error[0].value
    assert find(at.button, "Try this patient")
    assert find(at.text_input, "Patient ID").value == ""
    kept = at.session_state.to_dict()
    assert "case_patient" in kept
    assert "PLANTED" not in repr(kept)


def test_a_query_needs_something(at):
    find(at.button, "Find studies").click().run()
    assert "Give a patient ID" in at.error[0].value
    assert not at.exception
