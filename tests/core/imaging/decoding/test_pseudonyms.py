"""New names of patients and UIDs: equal for what is one, and different for what is not."""

import csv
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from typer.testing import CliRunner

from core.cli import app
from core.imaging import deidentify
from tests.core.imaging.samples import make_dataset, make_dicom, make_speckle, save

KEY = bytes(range(32))
CASES = Path(__file__).parent / "cases"
UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")


def test_uids_that_are_missing_come_from_the_key_too():
    source = make_dataset(make_speckle())
    first, again, other = (deidentify(save(source), key).replaced["SeriesInstanceUID"] for key in (KEY, KEY, bytes(32)))
    assert first == again
    assert first[0] == ""
    assert first[1] != other[1]


def test_files_that_name_nobody_at_all_are_not_one_patient():
    nameless = dict.fromkeys(("PatientID", "PatientName", "StudyInstanceUID"))
    first, again, other = (
        deidentify(make_dicom(make_speckle(seed=seed), **nameless), KEY).replaced["PatientID"] for seed in (1, 1, 2)
    )
    assert first == again
    assert first[1] != other[1]


def two_of_a_study(**changes: str) -> list[pydicom.Dataset]:
    shared = {"PatientID": "X-77", "StudyInstanceUID": "1.2.3.4.5", "SeriesInstanceUID": "1.2.3.4.6", **changes}
    files = [make_dicom(make_speckle(), SOPInstanceUID=f"1.2.3.4.7.{i}", **shared) for i in (1, 2)]
    return [pydicom.dcmread(BytesIO(deidentify(data, KEY).data)) for data in files]


def test_what_belongs_together_still_does():
    first, second = two_of_a_study()
    for name in ("StudyInstanceUID", "SeriesInstanceUID", "PatientID", "PatientName"):
        assert first[name].value == second[name].value
    assert first.SOPInstanceUID != second.SOPInstanceUID
    assert first.StudyInstanceUID.startswith("2.25.")
    (other, _) = two_of_a_study(PatientID="X-78")
    assert other.PatientID != first.PatientID


def test_another_key_gives_other_names():
    data = make_dicom(make_speckle(), PatientID="X-77", StudyInstanceUID="1.2.3.4.5")
    one, other = (deidentify(data, key).replaced for key in (KEY, bytes(32)))
    assert {name: old for name, (old, _) in one.items()} == {name: old for name, (old, _) in other.items()}
    assert not {new for _, new in one.values()} & {new for _, new in other.values()}


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["deidentify", *map(str, arguments)])
    return result.exit_code, result.output


def test_two_patients_under_one_id_do_not_become_one(tmp_path):
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    named = {"a": ("DOE^JANE", "19600101"), "b": ("ROE^ANN", "19700202"), "c": ("Doe^Jane^^Dr", "19600101")}
    for number, (name, (patient, day)) in enumerate(named.items()):
        tags = {"PatientID": "10", "PatientName": patient, "PatientBirthDate": day, "SOPInstanceUID": f"1.2.{number}"}
        (source / f"{name}.dcm").write_bytes(make_dicom(make_speckle(), **tags))
    code, output = run(source, "--out", out, "--key", tmp_path / "k.key")
    assert code != 0
    assert "b.dcm: Its patient ID is also that of an earlier file" in output
    assert len(list(out.rglob("*.dcm"))) == 2


def test_one_number_of_two_issuers_does_not_become_one_patient(tmp_path):
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for number, issuer in enumerate(("North", "South", "North", "")):
        tags = {"PatientID": "1", "IssuerOfPatientID": issuer, "SOPInstanceUID": f"1.2.{number}"}
        (source / f"{number}.dcm").write_bytes(make_dicom(make_speckle(), **tags))
    code, output = run(source, "--out", out, "--key", tmp_path / "k.key")
    assert code != 0
    assert "1.dcm: Its patient ID is also that of an earlier file" in output
    assert "3 of 4 files copied, 1 refused" in output


def test_a_single_file_is_compared_with_earlier_ones_of_the_key(tmp_path):
    named = {"North": ("DOE^JANE", None), "again": ("Doe^Jane^^Dr", "19600101"), "other": ("ROE^ANN", "19600101")}
    named["birth"] = ("DOE^JANE", "19700202")
    refused = []
    for number, (issuer, (patient, day)) in enumerate(named.items()):
        tags = {"PatientID": "10", "PatientName": patient, "PatientBirthDate": day, "SOPInstanceUID": f"1.2.{number}"}
        tags |= {"IssuerOfPatientID": issuer} if issuer == "North" else {}
        image, copy = tmp_path / f"{issuer}.dcm", tmp_path / f"{issuer}-copy.dcm"
        image.write_bytes(make_dicom(make_speckle(), **tags))
        result = CliRunner().invoke(
            app, ["deidentify", str(image), "--out", str(copy), "--key", str(tmp_path / "k.key")]
        )
        if not copy.exists():
            assert "Its patient ID is also that of an earlier file" in str(result.exception)
            refused.append(issuer)
    assert refused == ["other", "birth"]
    listed = list(csv.reader((tmp_path / "k.csv").read_text(encoding="utf-8").splitlines()))
    assert "ROE^ANN" not in {old for _, old, _ in listed}


@pytest.mark.parametrize(
    "number", ["0", "0000", "UNKNOWN", "", "n/a", "anonymous", "Un-known", "---", "99999999", None]
)
def test_an_id_that_stands_for_anybody_makes_nobody_one_with_another(number):
    def name(patient, day="19600101", study="1.2.3"):
        tags = {"PatientName": patient, "PatientBirthDate": day, "StudyInstanceUID": study, "PatientID": number}
        return deidentify(make_dicom(make_speckle(), **tags), KEY).replaced["PatientID"][1]

    people = ("DOE^JANE", "ROE^ANN", "UNKNOWN", None)
    assert len({*map(name, people[:3]), name("DOE^JANE", "19600102"), name(None, study="1.2.4")}) == 5
    assert name("DOE^JANE", study="1.2.4") == name("Doe^Jane^^") == name("DOE^JANE")
    assert name(None) == name("anonymous")


def test_one_uid_for_study_and_instance_becomes_two():
    copy = deidentify(make_dicom(make_speckle(), **dict.fromkeys(UIDS, "1.2.3")), KEY)
    other = deidentify(make_dicom(make_speckle(), **dict.fromkeys(UIDS, "1.2.3") | {UIDS[-1]: "1.2.4"}), KEY)
    assert len({copy.replaced[name][1] for name in UIDS}) == 3
    assert all(copy.replaced[name] == other.replaced[name] for name in UIDS[:2])
