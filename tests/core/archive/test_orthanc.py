"""The round trip with a real archive: store, find, retrieve, predict, send the results back, find them there."""

import subprocess
import sys
from dataclasses import replace
from datetime import date
from io import BytesIO

import pydicom
import pytest
import requests
from requests.auth import HTTPBasicAuth

from core.archive.dicom_objects.export import export_case
from core.archive.dicomweb.client import Archive
from core.archive.dicomweb.records import InstanceReference, StudyQuery
from core.archive.outbox import Outbox
from core.errors import ArchiveError
from core.imaging import default_roi, read_frame
from core.inference import Case
from core.inference.predictor import Predictor
from tests.core.archive.orthanc import PASSWORD, USER, list_instances, run_orthanc
from tests.tools import is_installed

pytestmark = pytest.mark.needs("orthanc")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with run_orthanc(tmp_path_factory.mktemp("orthanc")) as url:
        yield url


@pytest.fixture(scope="module")
def archive(address):
    return Archive(address, HTTPBasicAuth(USER, PASSWORD))


@pytest.fixture(scope="module")
def stored(archive, dicom):
    archive.store(dicom)
    return pydicom.dcmread(BytesIO(dicom))


def refer(ds: pydicom.Dataset) -> InstanceReference:
    return InstanceReference(str(ds.StudyInstanceUID), str(ds.SeriesInstanceUID), str(ds.SOPInstanceUID))


def find_image(archive: Archive) -> InstanceReference:
    (study,) = archive.find_studies(StudyQuery(patient_id="T-1"))
    (series,) = archive.list_series(study)
    (image,) = archive.list_images(series)
    return image


def test_a_study_is_found_by_what_is_typed(archive, stored):
    queries = (StudyQuery(patient_id="T-1"), StudyQuery(date=date(2024, 1, 2)), StudyQuery("T-1", "", date(2024, 1, 2)))
    for query in queries:
        (study,) = archive.find_studies(query)
        assert study.uid == stored.StudyInstanceUID
        assert study.date == "20240102"
    assert archive.find_studies(StudyQuery(patient_id="T-2")) == []
    assert archive.find_studies(StudyQuery(patient_id="T-1", date=date(2024, 1, 3))) == []


def test_what_a_machine_pushes_to_orthanc_is_found(address, archive, stored, dicom):
    """Orthanc stands in front: it takes C-STORE, here its REST route, and SonoKi asks it by DICOMweb."""
    pushed = pydicom.dcmread(BytesIO(dicom))
    pushed.PatientID, pushed.StudyInstanceUID, pushed.SOPInstanceUID = "T-5", "1.2.3.5", "1.2.3.5.6"
    pushed.file_meta.MediaStorageSOPInstanceUID = pushed.SOPInstanceUID
    stream = BytesIO()
    pushed.save_as(stream, enforce_file_format=True)
    root = address.removesuffix("/dicom-web")
    answer = requests.post(f"{root}/instances", data=stream.getvalue(), auth=(USER, PASSWORD), timeout=30)
    assert answer.json()["Status"] == "Success"
    (study,) = archive.find_studies(StudyQuery(patient_id="T-5"))
    assert study.uid == "1.2.3.5"


def test_lists_name_nobody(archive, stored):
    (study,) = archive.find_studies(StudyQuery(patient_id="T-1"))
    (series,) = archive.list_series(study)
    assert series.manufacturer == stored.Manufacturer
    assert series.n_images == "1"
    shown = repr((study, series, archive.list_images(series)))
    assert "SYNTHETIC" not in shown
    assert "T-1" not in shown


def test_the_image_comes_back_as_it_was_stored(archive, stored, dicom):
    back = archive.retrieve(find_image(archive))
    assert pydicom.dcmread(BytesIO(back)) == stored
    assert (read_frame(back).pixels == read_frame(dicom).pixels).all()


def test_a_small_picture_of_an_image_is_given(archive, stored, dicom):
    small, whole = read_frame(archive.render(find_image(archive))), read_frame(dicom)
    assert small.width <= 320
    assert small.height <= 240
    assert small.pixels.mean() == pytest.approx(whole.pixels.mean(), rel=0.15)


def test_results_come_home(archive, stored, results, bundle_dir, tmp_path, capsys):
    source = archive.retrieve(find_image(archive))
    frame = read_frame(source)
    predictor = Predictor.load(bundle_dir)
    case = Case.of(frame, default_roi(frame), {"birads": "4B"})
    files = export_case(replace(results, case=case, prediction=predictor.predict(case)), [source])
    outbox = Outbox(tmp_path / "outbox")
    outbox.put(files.values())
    seen = []
    delivery = outbox.send(archive, lambda done, total: seen.append((done, total)))
    assert (delivery.sent, delivery.waiting, delivery.reason) == (4, 0, "")
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert outbox.list_waiting() == []
    for name, data in files.items():
        made = pydicom.dcmread(BytesIO(data))
        assert made.StudyInstanceUID == stored.StudyInstanceUID
        assert archive.holds(refer(made))
        if is_installed("dciodvfy"):
            path = tmp_path / name
            path.write_bytes(archive.retrieve(refer(made)))
            found = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
            with capsys.disabled():
                sys.stdout.write(f"\ndciodvfy of the archive's {name}:\n{found.stderr}")
            assert "Error" not in found.stderr


def test_sending_twice_stores_once(archive, address, stored, results, tmp_path):
    files = export_case(results)
    outbox = Outbox(tmp_path)
    for _ in range(2):
        outbox.put(files.values())
        assert outbox.send(archive).sent == 3
    made = pydicom.dcmread(BytesIO(files["sr.dcm"]))
    assert len(list_instances(address, made.StudyInstanceUID)) == 3


def test_a_wrong_password_is_a_sentence(address):
    with pytest.raises(ArchiveError, match="refuses the user or the password"):
        Archive(address, HTTPBasicAuth(USER, "wrong")).find_studies(StudyQuery(patient_id="T-1"))


def test_what_is_not_there_is_a_sentence(archive):
    gone = InstanceReference("1.2.3", "1.2.3.4", "1.2.3.4.5")
    assert not archive.holds(gone)
    with pytest.raises(ArchiveError, match=r"\.$"):
        archive.retrieve(gone)
