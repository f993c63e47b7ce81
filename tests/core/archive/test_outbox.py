"""Results that wait: a file that is cut short is named, reaches no archive and holds up no other."""

from dataclasses import replace

import pytest

from core.archive.dicom_objects.export import export_case
from core.archive.outbox import Outbox, name_result
from core.errors import InputError
from tests.core.archive.conftest import PDF

NAMES = ("sc.dcm", "sr.dcm", "pr.dcm", "report.dcm")


class Taker:
    """An archive that takes all."""

    def __init__(self):
        self.held = []

    def store(self, data):
        self.held.append(data)


@pytest.fixture
def objects(results, dicom):
    return export_case(replace(results, document=PDF), [dicom])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_a_result_that_is_cut_anywhere_is_refused(objects, name):
    data = objects[name]
    assert name_result(data)
    for cut in (*range(0, len(data) - 700, max(1, len(data) // 60)), *range(len(data) - 700, len(data), 7)):
        with pytest.raises(InputError, match=r"cut short|can't be read|is not a result|is not a DICOM UID"):
            name_result(data[:cut])


@pytest.mark.parametrize("share", [0.04, 0.5, 0.999])
@pytest.mark.filterwarnings("ignore")
def test_a_file_that_was_cut_in_the_outbox_is_named_and_holds_up_no_other(objects, share, tmp_path):
    outbox = Outbox(tmp_path / "outbox")
    outbox.put(objects.values())
    broken = outbox.folder / f"{name_result(objects['sc.dcm'])}.dcm"
    broken.write_bytes(objects["sc.dcm"][: int(share * len(objects["sc.dcm"]))])
    archive = Taker()
    delivery = outbox.send(archive)
    assert (delivery.sent, delivery.waiting) == (3, 1)
    assert broken.name in delivery.reason
    assert objects["sc.dcm"] not in archive.held
    assert broken.exists()
