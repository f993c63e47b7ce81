"""Whose a file is: two patients are told apart whatever their files leave out, and one patient stays one."""

import io
import zipfile

import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian

from core.errors import ImageError
from core.imaging.identity import Identity, name_different_patients, read_identity
from tests.core.imaging.decoding.dicom_files import in_syntax, without_preamble
from tests.core.imaging.samples import encode, make_dicom, make_speckle

UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")


def make(**tags):
    return make_dicom(make_speckle(), **tags)


def pack(*files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for number, file in enumerate(files):
            archive.writestr(f"{number}.dcm", file)
    return stream.getvalue()


TWO = {
    "IDs": ({"patient_id": "A1"}, {"patient_id": "a1"}),
    "IDs that differ by a zero": ({"patient_id": "007"}, {"patient_id": "07"}),
    "issuers": ({"patient_id": "1", "issuer": "North"}, {"patient_id": "1", "issuer": "South"}),
    "names": ({"name": "DOE^JANE"}, {"name": "DOE^JOHN"}),
    "a name without ID": ({"patient_id": "1", "name": "DOE^JANE"}, {"name": "ROE^ANN"}),
    "names under one ID": ({"patient_id": "0", "name": "DOE^JANE"}, {"patient_id": "0", "name": "ROE^ANN"}),
    "birth dates": ({"birth_date": "19600101"}, {"birth_date": "19600102"}),
    "birth dates under one ID": (
        {"patient_id": "0", "birth_date": "19600101"},
        {"patient_id": "0", "birth_date": "19600102"},
    ),
    "names of ideographs alone": ({"name": "=\u5c71\u7530^\u592a\u90ce"}, {"name": "=\u5c71\u672c^\u592a\u90ce"}),
    "names of sounds alone": (
        {"name": "==\u3084\u307e\u3060^\u305f\u308d\u3046"},
        {"name": "==\u3084\u307e\u3082\u3068^\u305f\u308d\u3046"},
    ),
    "names of no letters of ours": ({"name": "\u738b^\u5c0f\u4e1c"}, {"name": "\u738b^\u5c0f\u7ea2"}),
}
ONE = {
    "nothing said": ({}, {"patient_id": "1", "name": "DOE^JANE"}),
    "a title": ({"name": "DOE^JANE"}, {"name": "Doe^Jane^^Dr"}),
    "an accent": ({"name": "MULLER^EVA"}, {"name": "M\u00fcller^Eva"}),
    "a name by marriage": ({"patient_id": "1", "name": "DOE^JANE"}, {"patient_id": "1", "name": "ROE^JANE"}),
    "a script": ({"patient_id": "1", "name": "WANG^DONG"}, {"patient_id": "1", "name": "\u738b^\u4e1c"}),
    "ideographs beside letters": (
        {"name": "=\u5c71\u7530^\u592a\u90ce"},
        {"name": "YAMADA^TARO=\u5c71\u7530^\u592a\u90ce"},
    ),
    "ideographs or letters": ({"name": "=\u5c71\u7530^\u592a\u90ce"}, {"name": "YAMADA^TARO"}),
    "a birth date left out": ({"patient_id": "1"}, {"patient_id": "1", "birth_date": "19600101"}),
}


@pytest.mark.parametrize("name", [*TWO, *ONE])
def test_patients_are_told_apart(name):
    first, second = (Identity(**said) for said in (TWO | ONE)[name])
    assert first.is_another(second) == second.is_another(first) == (name in TWO)


def test_one_name_in_two_character_sets_is_one_patient():
    raw, name = b"Zhang=\x1b$)A\xd5\xc5", "Zhang=\u5f20"
    one = make(PatientID=None, PatientBirthDate=None, SpecificCharacterSet=["", "ISO 2022 IR 58"], PatientName="X" * 12)
    two = make(PatientID=None, PatientBirthDate=None, SpecificCharacterSet="GB18030", PatientName=name)
    one = one.replace(b"X" * 12, raw.ljust(12))
    assert read_identity(one).name == read_identity(two).name == name
    assert not name_different_patients([(one, None), (two, None)])


def test_two_patients_are_told_apart_without_any_uid():
    files = [make(PatientID=name, **dict.fromkeys(UIDS, None)) for name in ("P-1", "P-2")]
    assert name_different_patients((file, None) for file in files)
    assert not name_different_patients([(files[0], None), (files[0], None), (encode(make_speckle()), None)])


def test_a_zip_stands_for_its_first_file_or_the_chosen_one():
    one, other = make(PatientID="P-1"), make(PatientID="P-2")
    assert name_different_patients([(pack(one), None), (pack(other), None)])
    assert name_different_patients([(pack(one, other), 1), (one, None)])
    assert not name_different_patients([(pack(one, other), None), (one, None)])


@pytest.mark.parametrize("syntax", [DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_identity_is_read_in_any_syntax_and_of_any_object(syntax):
    found = read_identity(in_syntax(syntax, make_speckle(), PatientID="P-1", Modality="CT", SOPInstanceUID="1.2.3"))
    assert (found.patient_id, found.instance) == ("P-1", "1.2.3")
    assert "P-1" not in repr(found)


def test_what_is_no_dicom_file_names_nobody():
    assert read_identity(without_preamble()) is not None
    with pytest.raises(ImageError, match="names no patient"):
        read_identity(encode(make_speckle()))
