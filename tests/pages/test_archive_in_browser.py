"""From the archive and back in a real Chromium, with Debian's Orthanc: find, load, estimate, send; and the download."""

import io
import zipfile
from datetime import date

import pydicom
import pytest
from pydicom.uid import JPEG2000Lossless
from requests.auth import HTTPBasicAuth

from core.archive.dicomweb.client import Archive
from core.archive.dicomweb.records import StudyQuery
from core.simulation.dicom import encode_dicom
from tests.core.archive.orthanc import PASSWORD, USER, list_instances, run_orthanc
from tests.pages.serving import PATIENCE_MS, serve_app
from tests.pages.test_in_browser import browser, open_case, page, read_probability, settle  # noqa: F401
from tests.pages.test_in_browser import pytestmark as needs_browser

PATIENT = {"patient_id": "T-77", "exam_date": "2024-01-02", "age": "50", "laterality": "left"}
pytestmark = [
    *needs_browser,
    pytest.mark.needs("orthanc"),
]


@pytest.fixture(scope="module")
def archive(tmp_path_factory, breast_frame):
    """An archive with one study."""
    with run_orthanc(tmp_path_factory.mktemp("orthanc")) as url:
        archive = Archive(url, HTTPBasicAuth(USER, PASSWORD))
        archive.url = url
        archive.store(encode_dicom(breast_frame, PATIENT, seed=1))
        yield archive


@pytest.fixture(scope="module")
def address(archive, bundle_dir, tmp_path_factory):
    outbox = tmp_path_factory.mktemp("outbox")
    environ = {
        "SONOKI_BUNDLE": str(bundle_dir),
        "SONOKI_PACS_URL": archive.url,
        "SONOKI_PACS_USER": USER,
        "SONOKI_PACS_PASSWORD": PASSWORD,
        "SONOKI_OUTBOX": str(outbox),
    }
    with serve_app(**environ) as url:
        yield url


def find_study(page, patient: str) -> None:  # noqa: F811
    if not page.get_by_label("Patient ID").is_visible():
        page.get_by_text("From the archive").click()
    settle(page)
    page.get_by_label("Patient ID").fill(patient)
    settle(page)
    page.get_by_role("button", name="Find studies").click()
    settle(page)


def classes_in(archive) -> set[str]:
    (study,) = archive.find_studies(StudyQuery("T-77", "", date(2024, 1, 2)))
    return {item["00080016"]["Value"][0] for item in list_instances(archive.url, study.uid)}


def test_from_the_archive_to_an_estimate_and_back(page, address, archive):  # noqa: F811
    open_case(page, address)
    find_study(page, "T-78")
    page.get_by_text("The archive has no matching ultrasound study.").wait_for()
    find_study(page, "T-77")
    page.get_by_role("button", name="Load this image").wait_for()
    assert page.get_by_role("combobox", name="Study").input_value() == "1: 2024-01-02, US"
    assert "SYNTHETIC" not in page.content()
    assert "T-77" not in page.url
    page.get_by_role("button", name="Load this image").click()
    page.get_by_text("Draw a box around the lesion").wait_for()
    assert 0 <= read_probability(page) <= 100
    assert len(classes_in(archive)) == 1
    page.get_by_role("button", name="Send results to the archive").click()
    page.get_by_text("The archive holds 4 of 4 results.").wait_for()
    assert len(classes_in(archive)) == 5
    with page.expect_download(timeout=PATIENCE_MS) as download:
        page.get_by_role("button", name="DICOM, names the patient (zip)").click()
    files = unpack(download.value.path().read_bytes())
    assert {str(ds.PatientID) for ds in files.values()} == {"T-77"}


def test_series_and_images_are_shown_small(page, address, archive, breast_frame):  # noqa: F811
    first = pydicom.dcmread(io.BytesIO(encode_dicom(breast_frame, PATIENT | {"patient_id": "T-88"}, seed=2)))
    for series, number in ((1, 1), (1, 2), (2, 1)):
        first.SeriesInstanceUID = f"1.2.88.{series}"
        first.SOPInstanceUID = first.file_meta.MediaStorageSOPInstanceUID = f"1.2.88.{series}.{number}"
        first.SeriesNumber, first.InstanceNumber = series, number
        if number == 2:  # of which Orthanc makes no picture
            first.compress(JPEG2000Lossless, generate_instance_uid=False)
        stored = io.BytesIO()
        first.save_as(stored, enforce_file_format=True)
        archive.store(stored.getvalue())
    open_case(page, address)
    find_study(page, "T-88")
    page.get_by_role("img", name="Picture of Series 2").wait_for()
    page.get_by_role("img", name="Picture of 2: image 2").wait_for()
    assert page.get_by_role("img", name="Picture of").count() == 4


def test_a_simulated_patient_leaves_with_a_pseudonym(page, address):  # noqa: F811
    open_case(page, address)
    page.get_by_role("button", name="Try this patient").click()
    page.get_by_text("image and clinical values are made up").wait_for()
    read_probability(page)
    page.get_by_text("Results go back to the archive where the image came from there.").wait_for()
    assert page.get_by_role("button", name="Send results to the archive").count() == 0
    with page.expect_download(timeout=PATIENCE_MS) as download:
        page.get_by_role("button", name="DICOM with a pseudonym (zip)").click()
    files = unpack(download.value.path().read_bytes())
    assert set(files) == {"sc.dcm", "sr.dcm", "report.dcm"}
    assert all(str(ds.PatientID).startswith("SIM-") for ds in files.values())


def unpack(data: bytes) -> dict[str, pydicom.Dataset]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: pydicom.dcmread(io.BytesIO(archive.read(name))) for name in archive.namelist()}
