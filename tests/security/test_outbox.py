"""Files given to `send`: nothing is written outside the outbox, only our results are queued, none blocks the queue."""

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pydicom
import pytest

from core.archive.dicom_objects.export import export_case
from core.archive.outbox import Outbox
from core.errors import ImageError, InputError
from core.imaging import read_frame
from tests.core.archive.conftest import dicom, results  # noqa: F401

FILES = Path(__file__).parents[1] / "core" / "archive" / "files"


class TakesAll:
    """An archive that holds whatever it is sent."""

    def __init__(self) -> None:
        self.held: list[bytes] = []

    def store(self, data: bytes) -> None:
        self.held.append(data)


def change(data: bytes, **values: str) -> bytes:
    buffer, read = io.BytesIO(), pydicom.dcmread(io.BytesIO(data))
    for name, value in values.items():
        setattr(read, name, value)
    read.save_as(buffer)
    return buffer.getvalue()


@pytest.fixture
def report(results) -> bytes:  # noqa: F811
    return export_case(results)["sr.dcm"]


@pytest.mark.parametrize("name", ["send_traversal_uid.dcm", "send_uid_abc.dcm"])
def test_a_uid_that_is_none_is_refused_and_nothing_is_written(tmp_path, name):
    with pytest.raises(InputError, match="UID is not a DICOM UID"):
        Outbox(tmp_path / "a" / "b" / "outbox").put([(FILES / name).read_bytes()])
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("uid", ["1.2/../../x", "/tmp/x", "1.02.3", "1..2", "1.2.", "1", "", "1." * 40 + "1", ".."])
def test_other_uids_that_are_none_are_refused(tmp_path, report, uid):
    with pytest.raises(InputError):
        Outbox(tmp_path).put([change(report, SOPInstanceUID=uid)])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("data", [b"", b"DICM", b"\0" * 128 + b"DICM", b"\0" * 128 + b"DICM" + b"\xff" * 400])
def test_a_damaged_file_gets_a_sentence(tmp_path, data):
    with pytest.raises(InputError, match="export"):
        Outbox(tmp_path).put([data])


def test_only_our_results_are_queued(tmp_path, report, dicom):  # noqa: F811
    for other in (dicom, change(report, Manufacturer="ACME")):
        with pytest.raises(InputError, match="not a result that SonoKi made"):
            Outbox(tmp_path).put([other])


def test_a_broken_file_does_not_block_the_queue(tmp_path, results):  # noqa: F811
    outbox, archive = Outbox(tmp_path), TakesAll()
    outbox.put(export_case(results).values())
    (tmp_path / "1.2.3.dcm").write_bytes(b"broken")
    delivery = outbox.send(archive)
    assert (delivery.sent, delivery.waiting, len(archive.held)) == (3, 1, 3)
    assert "remove 1.2.3.dcm from its folder" in delivery.reason


def test_many_sessions_queue_the_same_case_at_once(tmp_path, results):  # noqa: F811
    files = list(export_case(results).values())
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: Outbox(tmp_path).put(files), range(16)))
    assert len(list(tmp_path.iterdir())) == 3
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    assert sorted(path.read_bytes() for path in tmp_path.iterdir()) == sorted(files)


ACME = {"Manufacturer": "ACME", "ManufacturerModelName": "Box", "SeriesDescription": "Breast"}


def test_our_own_results_get_no_estimate(results):  # noqa: F811
    for data in export_case(results).values():
        with pytest.raises(ImageError):
            read_frame(data)
    with pytest.raises(ImageError, match="a result that SonoKi made"):
        read_frame(export_case(results)["sc.dcm"])
    kept, equipment = export_case(results)["sc.dcm"], pydicom.Dataset()
    equipment.Manufacturer = "SonoKi"
    for said in ({"Manufacturer": "ACME"}, ACME | {"ContributingEquipmentSequence": [equipment]}):
        with pytest.raises(ImageError, match="a result that SonoKi made"):
            read_frame(change(kept, **said, Modality="US", ImageType=["DERIVED", "SECONDARY"]))
    for kind in (["DERIVED", "SECONDARY"], ["DERIVED ", "SECONDARY"], "DERIVED"):
        with pytest.raises(ImageError, match="derived secondary capture"):
            read_frame(change(export_case(results)["sc.dcm"], **ACME, ImageType=kind))
