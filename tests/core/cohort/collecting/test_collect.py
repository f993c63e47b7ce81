"""DICOM files and a workbook to a manifest: what pairs, what is named, and what never leaves."""

import csv
import io
import os
import re
import signal
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom.examples
import pytest
from typer.testing import CliRunner

from core.cli import app
from core.cohort.manifest import read_rows
from core.errors import InputError, TableError, UsageError
from core.imaging import deidentify
from tests.core.imaging.samples import make_dicom, make_region, make_speckle

NAME = "Müllerová^Zdenka"
CASES = Path(__file__).parents[2] / "imaging" / "decoding" / "cases"
Collect = Callable[..., "Found"]


class Found:
    """What the command left."""

    def __init__(self, out: Path, said: str) -> None:
        self.out, self.said = out, said
        self.manifest = pd.read_csv(out / "manifest.csv", dtype=str, keep_default_na=False)
        refused = pd.read_csv(out / "refused.csv", dtype=str, keep_default_na=False)
        self.rows = {int(row): why for row, why in zip(refused["row"], refused["reason"], strict=True) if row}
        self.files = dict(refused.loc[refused["file"] != "", ["file", "reason"]].to_numpy().tolist())

    @property
    def bytes(self) -> dict[str, bytes]:
        return {str(p.relative_to(self.out)): p.read_bytes() for p in self.out.rglob("*") if p.is_file()}


def make_file(
    seed: int, patient: str = "4711", *, day: str = "20240503", accession: str = "A1", **tags: object
) -> bytes:
    study = f"1.2.3.{day or 1}"
    about = {"StudyInstanceUID": study, "SeriesInstanceUID": f"{study}.1", "SOPInstanceUID": f"1.2.4.{seed}"}
    about |= {"PatientID": patient, "PatientName": NAME, "StudyDate": day, "AccessionNumber": accession}
    pixels = tags.pop("pixels", make_speckle(seed=seed))
    return make_dicom(pixels, **(about | {"SpecificCharacterSet": "ISO_IR 192"} | tags))


@pytest.fixture
def collect(tmp_path: Path) -> Collect:
    """Run the command on files by name and a table, as text or a workbook's bytes."""

    def run(files: dict[str, bytes], table: str | bytes, *options: str, out: str = "out") -> Found:
        for name, data in files.items():
            path = tmp_path / "export" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        workbook = tmp_path / "patients.csv"
        workbook.write_bytes(table if isinstance(table, bytes) else table.encode())
        key = ["--key", str(tmp_path / "the.key"), "--out", str(tmp_path / out)]
        call = ["collect", str(tmp_path / "export"), "--table", str(workbook), *key, *options]
        result = CliRunner().invoke(app, call, catch_exceptions=False)
        return Found(tmp_path / out, result.output)

    return run


def name_files(tmp_path: Path) -> dict[str, str]:
    """Old names of files to new ones, from the list of the key's keeper."""
    with (tmp_path / "the.csv").open(encoding="utf-8", newline="") as stream:
        return {old: new for what, old, new in csv.reader(stream) if what == "File"}


GERMAN = (
    "Patienten-ID;Klinik;Untersuchungsdatum;Auftragsnummer;Alter;Größe (cm);Ki-67 (%);Rezidiv;Bemerkung\n"
    "4711;Graz;03.05.2024;A1;56;2,4;<20;nein;Frau Müllerová\n"
    "4712;Graz;04.05.2024;A2;k.A.;1,1;35;ja;\n"
)


def test_a_german_workbook_and_mixed_files(collect, tmp_path):
    files = {
        "Müllerová/DICOM/IM1": make_file(1),
        "Müllerová/DICOM/IM2": make_file(2),
        "zipped.zip": zip_up({"b/IM3.dcm": make_file(3, "4712", day="20240504", accession="A2"), "c.txt": b"Frau M."}),
        "notes.txt": b"Frau M\xfcllerov\xe1",
    }
    found = collect(files, GERMAN)
    new = name_files(tmp_path)
    assert len(found.manifest) == 3
    assert found.manifest["patient_id"].nunique() == 2
    assert set(found.manifest["ki67_pct"]) == {"<20", "35"}
    assert set(found.manifest["size_mm"]) == {"24", "11"}
    assert "Bemerkung" not in found.manifest
    assert found.rows == {}
    assert found.files == dict.fromkeys((new["notes.txt"], new["zipped.zip/c.txt"]), "Left out: no DICOM file.")
    rows, reading = read_rows(found.out / "manifest.csv", confined=True)
    assert len(rows) == 3
    assert not reading.refused
    assert {row["ki67_range"] for row in rows} == {"<20", None}


def zip_up(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def test_nothing_identifying_is_left_but_in_the_list_of_the_keeper(collect, tmp_path):
    files = {"Müllerová_4711.dcm": make_file(1), "Müllerová_x.dcm": make_file(2, "9999"), "a.dcm": make_file(3, "")}
    found = collect(files, GERMAN + "8888;Wien;;;'Zdenka';1,1;Zdenka;ja;Müllerová\n")
    assert len(found.manifest) == 1
    everything = b"".join(found.bytes.values()) + found.said.encode() + "".join(found.bytes).encode()
    for word in (b"ller", b"4711", b"4712", b"8888", b"9999", b"Zdenka", b"20240503", b"2024-05-03", b"A1,"):
        assert word not in everything, word
    assert "Müllerová_4711.dcm" in name_files(tmp_path)
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "the.csv").stat().st_mode) == 0o600
        assert {path.stat().st_mode & 0o077 for path in (found.out, *found.out.rglob("*"))} == {0}


def test_the_pseudonym_is_that_of_deidentify(collect, tmp_path):
    found = collect({"a": make_file(1)}, GERMAN)
    key = bytes.fromhex((tmp_path / "the.key").read_text())
    copy = deidentify(make_file(1), key)
    assert found.manifest["patient_id"].tolist() == [copy.replaced["PatientID"][1]]
    assert (found.out / found.manifest["image"][0]).read_bytes() == copy.data


def test_the_same_files_and_key_give_the_same_bytes(collect):
    files = {f"{n}": make_file(n) for n in range(3)} | {"none": make_file(7, StudyInstanceUID="", SOPInstanceUID="")}
    first = collect(files, GERMAN)
    assert first.bytes == collect({}, GERMAN, out="again").bytes


MODES = {
    "a loop of 3 frames": {"pixels": np.stack([make_speckle()] * 3), "frames": 3},
    "a secondary capture": {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"},
    "a derived image": {"ImageType": ["DERIVED", "PRIMARY"]},
    "a colour Doppler image": {"ImageType": ["ORIGINAL", "PRIMARY", "", "0010"]},
    "an M-mode image": {"SequenceOfUltrasoundRegions": [make_region((0, 0, 159, 119), RegionSpatialFormat=2)]},
    "a spectral Doppler image": {
        "SequenceOfUltrasoundRegions": [
            make_region((0, 0, 159, 59)),
            make_region((0, 60, 159, 119), RegionSpatialFormat=3, RegionDataType=3),
        ]
    },
    "a split screen of two views": {
        "pixels": make_speckle(160, 320),
        "SequenceOfUltrasoundRegions": [make_region((0, 0, 159, 159)), make_region((160, 0, 319, 159))],
    },
    "a blank image": {"pixels": np.full((120, 160), 40, np.uint8)},
    "an image area of only 40 x 120 pixels": {
        "SequenceOfUltrasoundRegions": [make_region((0, 0, 39, 119))],
    },
}


@pytest.mark.parametrize("words", MODES)
def test_what_is_no_still_of_b_mode_is_left_out_by_name(collect, tmp_path, words):
    found = collect({"a": make_file(1), "b": make_file(2, **MODES[words])}, GERMAN)
    assert found.files == {name_files(tmp_path)["b"]: f"Left out: {words}."}
    assert len(found.manifest) == 1


def colour(share: float, hues: tuple[tuple[int, int, int], ...]) -> np.ndarray:
    pixels = np.repeat(make_speckle()[..., None], 3, axis=2)
    height = int(share * len(pixels))
    for i, hue in enumerate(hues):
        pixels[20 + i : 20 + height : len(hues), 20:140] = hue
    return pixels


@pytest.mark.parametrize("image", [colour(0.2, ((220, 40, 20), (20, 60, 230))), colour(0.3, ((240, 60, 20),))])
def test_an_image_with_a_coloured_overlay_is_left_out(collect, image):
    found = collect({"a": make_file(1), "b": make_file(2, pixels=image)}, GERMAN)
    assert len(found.files) == 1
    assert "as Doppler or elastography is" in next(iter(found.files.values()))


def test_an_image_that_is_tinted_as_a_whole_is_kept(collect):
    tinted = (make_speckle()[..., None] * np.array([1.0, 0.75, 0.4])).astype(np.uint8)
    assert len(collect({"a": make_file(1, pixels=tinted)}, GERMAN).manifest) == 1


def test_a_lossy_or_deidentified_machine_image_counts_as_its_own(collect, tmp_path):
    lossy = make_file(1, ImageType=["DERIVED", "PRIMARY"], LossyImageCompression="01")
    assert len(collect({"a": lossy}, GERMAN).manifest) == 1
    copy = deidentify(make_file(2), bytes(32))
    table = f"patient_id,centre\n{copy.replaced['PatientID'][1]},A\n"
    assert len(collect({"b": copy.data}, table, out="again").manifest) == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"day": "20230503"}, "Its study date is not that of row 2."),
        ({"day": ""}, "It names no study date, and row 2 gives one."),
        ({"accession": "A9"}, "Its accession number is not that of row 2."),
        ({"accession": ""}, "It names no accession number, and row 2 gives one."),
        ({"patient": "9"}, "No row of the table has its patient id."),
        ({"patient": ""}, "The file names no patient."),
    ],
)
def test_a_file_of_another_study_or_patient_is_named(collect, tmp_path, changes, reason):
    found = collect({"a": make_file(1), "b": make_file(2, **changes)}, GERMAN)
    assert found.files == {name_files(tmp_path)["b"]: reason}
    assert found.rows == {3: "No file has its patient id."}


def test_an_id_is_found_whatever_its_case_blanks_and_zeros(collect):
    found = collect({"a": make_file(1, "us-0047")}, "patient_id,centre\nUS-47 ,A\n")
    assert len(found.manifest) == 1
    with pytest.raises(TableError, match="No file could be paired"):
        collect({}, "patient_id,centre\nUS-47 ,A\n", "--exact-ids", out="exact")


def test_two_patients_with_one_folded_id_are_never_joined(collect):
    files = {
        "a": make_file(1, "0047"),
        "b": make_file(2, "47"),
        "c": make_file(3, "4712", day="20240504", accession="A2"),
    }
    found = collect(files, GERMAN + "47;Graz;;;;;;;\n")
    assert len(found.manifest) == 1
    assert list(found.files.values()) == [next(iter(found.files.values()))] * 2
    assert "one patient or two?" in next(iter(found.files.values()))
    assert found.rows[4] == "None of the 2 files with its patient id could be used; each is named with its reason."


def test_an_id_that_another_had_in_an_earlier_run_with_the_key_is_refused(collect):
    collect({"a": make_file(1)}, GERMAN)
    files = {"a": make_file(2, PatientName="Wellington^Arthur"), "c": make_file(3, "4712", day="20240504")}
    found = collect(files, GERMAN.replace(";A2;", ";;"), out="again")
    assert list(found.manifest["ki67_pct"]) == ["35"]
    assert [reason for reason in found.files.values() if "of an earlier file with another name" in reason]


@pytest.mark.parametrize("number", ["0", "UNKNOWN"])
def test_an_id_that_stands_for_anybody_is_refused(collect, number):
    files = {"a": make_file(1, number), "c": make_file(3, "4712", day="20240504", accession="A2")}
    found = collect(files, GERMAN.replace("4711;", f"{number};"))
    assert len(found.manifest) == 1
    assert [reason for reason in found.files.values() if "stands for anybody" in reason]


@pytest.mark.parametrize("other", [{"PatientBirthDate": "19500101"}, {"PatientName": "Wellington^Arthur"}])
def test_an_id_that_two_people_share_is_refused(collect, other):
    files = {"a": make_file(1), "b": make_file(2, **other), "c": make_file(3, "4712", day="20240504", accession="A2")}
    found = collect(files, GERMAN)
    assert len(found.manifest) == 1
    assert all("name different people" in reason for reason in found.files.values())


def test_a_married_name_is_no_other_person(collect):
    files = {"a": make_file(1), "b": make_file(2, PatientName="Nováková^Zdenka")}
    assert len(collect(files, GERMAN).manifest) == 2


def test_rows_that_contradict_each_other_take_no_image(collect):
    files = {"a": make_file(1), "c": make_file(3, "4712", day="20240504", accession="A2")}
    found = collect(files, GERMAN + "4711;Graz;03.05.2024;A1;57;2,4;<20;nein;\n")
    assert len(found.manifest) == 1
    assert set(found.rows) == {2, 4}
    assert "contradict each other: Age 56 and 57" in found.rows[2]
    assert list(found.files.values()) == ["The row of its patient, row 2, can't be used."]


def test_a_row_that_repeats_another_is_named(collect):
    found = collect({"a": make_file(1)}, "patient_id,centre,age\n4711,A,50\n4711,A,50\n")
    assert found.rows == {3: "The row says what row 2 says: that one was taken."}
    assert len(found.manifest) == 1


def test_several_studies_need_a_date_or_a_number(collect):
    files = {"a": make_file(1), "b": make_file(2, day="20230101"), "c": make_file(3, "5")}
    found = collect(files, "patient_id,centre\n4711,A\n5,A\n")
    assert len(found.manifest) == 1
    assert len(found.files) == 2
    assert all("has 2 studies, and row 2 names neither" in reason for reason in found.files.values())
    both = collect({}, "patient_id,exam_date,age\n4711,2024-05-03,50\n4711,2023-01-01,50\n5,,40\n", out="both")
    assert len(both.manifest) == 3


def test_a_date_that_is_not_understood_takes_no_image(collect):
    found = collect(
        {"a": make_file(1), "b": make_file(2, "5")}, "patient_id,exam_date\n4711,03/05/2024\n5,2024-05-03\n"
    )
    assert len(found.manifest) == 1
    assert "is not a date" in found.rows[2]
    assert "03/05/2024" not in found.rows[2]


def test_the_other_breast_is_left_out(collect):
    files = {"a": make_file(1, ImageLaterality="L"), "b": make_file(2, ImageLaterality="R"), "c": make_file(3)}
    found = collect(files, "Patienten-ID;Seite\n4711;links\n")
    assert len(found.manifest) == 2
    assert list(found.files.values()) == ["It shows the other breast than row 2 names."]


def test_equal_pixels_are_taken_once_and_never_for_two_patients(collect, tmp_path):
    files = {"a": make_file(1), "b": make_file(1, SOPInstanceUID="1.2.4.9")}
    found = collect(files, GERMAN)
    new = name_files(tmp_path)
    assert found.files == {new["b"]: f"It shows the same pixels as {new['a']}."}
    files = {"c": make_file(1, "4712", day="20240504", accession="A2"), "d": make_file(5)}
    found = collect(files, GERMAN, out="two")
    assert len(found.manifest) == 1
    assert set(found.files.values()) == {"It shows the same pixels as an image of another patient."}


def test_two_images_with_one_uid_are_both_refused(collect):
    found = collect({"a": make_file(1), "b": make_file(2, SOPInstanceUID="1.2.4.1"), "c": make_file(3)}, GERMAN)
    assert set(found.files.values()) == {"Another image has the same SOP instance UID."}
    assert len(found.manifest) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="names of files that are no UTF-8")
def test_a_file_whose_name_is_in_another_encoding_is_taken(collect, tmp_path):
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / os.fsdecode(b"M\xfcller.dcm")).write_bytes(make_file(1))
    found = collect(
        {"b.dcm": make_file(2, patient="4712", day="20240504")}, "ID;Ki67\n4711;12\n4712;30\n", "--centre", "Graz"
    )
    assert len(found.manifest) == 2


def test_strangers_files_are_taken_or_named(collect):
    examples = {
        name: pydicom.examples.get_path(name).read_bytes() for name in ("ybr_color", "rgb_color", "jpeg2k", "ct")
    }
    files = {path.name: path.read_bytes() for path in CASES.glob("*.dcm")} | examples
    deep = zip_up({"in.zip": zip_up({"a": make_file(1)}), "x.xlsx": zip_up({"[Content_Types].xml": b"x"})})
    found = collect(files | {"deep.zip": deep, "cut.zip": deep[:200], "empty": b""}, GERMAN)
    assert len(found.manifest) == 1
    assert len(found.files) + 1 == len(files) + 4
    assert "Files: " + str(len(files) + 4) in found.said


@pytest.mark.parametrize(
    ("table", "message"),
    [("name,age\nx,5\n", "is the patient ids; --map"), ("patient_id,age\n77,50\n", "No file could be paired")],
)
def test_a_table_that_can_not_be_used_is_refused_in_a_sentence(collect, table, message):
    with pytest.raises(InputError, match=message):
        collect({"a": make_file(1)}, table)


def test_a_refusal_of_the_whole_quotes_no_cell(collect):
    with pytest.raises(TableError, match="No file could be paired") as refused:
        collect({"a": make_file(1)}, "patient_id,exam_date\n4711,Müllerová Zdenka\n")
    (((row, reason),),) = (refused.value.rows,)
    assert row == 2
    assert reason == "exam_date: '…' is not a date; write it as 2026-03-31 or 31.3.2026"


def test_places_in_each_other_or_in_use_are_refused(collect, tmp_path):
    collect({"a": make_file(1)}, GERMAN)
    with pytest.raises(UsageError, match="holds something already"):
        collect({}, GERMAN)
    with pytest.raises(UsageError, match="within each other"):
        collect({}, GERMAN, out="export/out")


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_was_ended_goes_on_and_ends_in_the_same_bytes(collect, tmp_path, end):
    files = {f"{n:02d}": make_file(n) for n in range(12)}
    whole = collect(files, GERMAN)
    command = [
        sys.executable,
        "-m",
        "core",
        "collect",
        str(tmp_path / "export"),
        "--table",
        str(tmp_path / "patients.csv"),
    ]
    command += ["--key", str(tmp_path / "the.key"), "--out", str(tmp_path / "killed")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as run:
        journal = tmp_path / "killed" / ".collect.part"
        while not journal.exists() or len(journal.read_text().splitlines()) < 5:
            assert run.poll() is None
            time.sleep(0.01)
        run.send_signal(end)
        said = run.communicate()[1].decode()
    assert "Traceback" not in said
    assert ("Stopped. What is done is kept" in said) == (end == signal.SIGINT)
    assert not re.search("4711|ller|2024", journal.read_text())
    assert collect({}, GERMAN, out="killed").bytes == whole.bytes
