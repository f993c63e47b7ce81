"""DICOM objects of a case: valid, the same every time, in the source's study, and naming nobody anywhere else."""

import hashlib
import logging
import subprocess
import sys
from dataclasses import replace
from io import BytesIO

import highdicom
import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.uid import ComprehensiveSRStorage, EncapsulatedPDFStorage, SecondaryCaptureImageStorage

from core.archive.dicom_objects.codes import SHARE_OF_VIEW
from core.archive.dicom_objects.export import CAPTURE, DOCUMENT, REPORT, CaseResults, export_case
from core.errors import ImageError, InputError
from core.imaging import Frame, read_frame
from core.inference import Applicability, View
from tests.core.archive.conftest import PDF, make_results

CLASSES = {CAPTURE: SecondaryCaptureImageStorage, REPORT: ComprehensiveSRStorage, DOCUMENT: EncapsulatedPDFStorage}
NAMES = ("Grünwald^Zoë", "Doe", "山田^太郎")
REPEATED = ("PatientID", "PatientName", "PatientBirthDate", "StudyInstanceUID", "StudyDate", "AccessionNumber")


def change(dicom: bytes, **tags: object) -> bytes:
    ds = pydicom.dcmread(BytesIO(dicom))
    ds.SpecificCharacterSet = "ISO_IR 192"
    for name, value in tags.items():
        ds.add_new(name, pydicom.datadict.dictionary_VR(name), value)
    buffer = BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def frame_of(results: CaseResults, source: bytes) -> CaseResults:
    return with_frame(results, read_frame(source))


def with_frame(results: CaseResults, frame: Frame) -> CaseResults:
    (view,) = results.case.views
    return replace(results, case=replace(results.case, views=(replace(view, frame=frame),)))


def read(files: dict[str, bytes]) -> dict[str, pydicom.Dataset]:
    return {name: pydicom.dcmread(BytesIO(data)) for name, data in files.items()}


def measurements(report: bytes) -> dict[str, float]:
    group = highdicom.sr.srread(BytesIO(report)).content.get_planar_roi_measurement_groups()[0]
    return {item.name.value: item.value for item in group.get_measurements()}


@pytest.mark.parametrize("with_source", [True, False])
def test_same_input_and_time_give_the_same_bytes(results, dicom, with_source):
    source = dicom if with_source else None
    assert export_case(results, [source]) == export_case(results, [source])


@pytest.mark.needs("dciodvfy")
@pytest.mark.parametrize("with_source", [True, False])
def test_dciodvfy_finds_no_error(results, dicom, tmp_path, capsys, with_source):
    for name, data in export_case(results, [dicom if with_source else None]).items():
        (tmp_path / name).write_bytes(data)
        found = subprocess.run(["dciodvfy", tmp_path / name], capture_output=True, text=True, check=False)
        with capsys.disabled():
            sys.stdout.write(f"\ndciodvfy {name}: {found.stderr.count('Warning')} warnings\n{found.stderr}")
        assert "Error" not in found.stdout + found.stderr
        assert found.returncode == 0


@pytest.mark.needs("dciodvfy")
def test_dciodvfy_finds_the_error_that_is_planted(results, dicom, tmp_path):
    broken = pydicom.dcmread(BytesIO(export_case(results, [dicom])[CAPTURE]))
    del broken.ConversionType
    broken.save_as(tmp_path / "broken.dcm")
    found = subprocess.run(["dciodvfy", tmp_path / "broken.dcm"], capture_output=True, text=True, check=False)
    assert "Error" in found.stderr


def test_objects_are_filed_in_the_study_of_the_source(results, dicom):
    source, made = pydicom.dcmread(BytesIO(dicom)), read(export_case(results, [dicom]))
    assert {name: ds.SOPClassUID for name, ds in made.items()} == CLASSES
    for ds in made.values():
        assert [ds[name].value for name in REPEATED] == [source[name].value for name in REPEATED]
    uids = {uid for ds in made.values() for uid in (ds.SOPInstanceUID, ds.SeriesInstanceUID)}
    assert len(uids) == 6
    assert all(uid.startswith("2.25.") and len(uid) <= 64 for uid in uids)


@pytest.mark.parametrize("name", NAMES)
def test_names_of_any_script_are_repeated_and_not_logged(results, dicom, caplog, capfd, name):
    caplog.set_level(logging.DEBUG)
    source = change(dicom, PatientName=name, PatientID="PLANT-4711", AccessionNumber="ACC-77")
    made = read(export_case(frame_of(results, source), [source]))
    assert {str(ds.PatientName) for ds in made.values()} == {name}
    seen = caplog.text + "".join(capfd.readouterr())
    assert not [word for word in (name, "PLANT-4711", "ACC-77") if word in seen]


def test_a_source_in_another_character_set_is_read_as_it_says(results, dicom):
    ds = pydicom.dcmread(BytesIO(dicom))
    ds.SpecificCharacterSet, ds.PatientName = "ISO_IR 100", "Müller^Jürgen"
    buffer = BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    source = buffer.getvalue()
    made = read(export_case(frame_of(results, source), [source]))
    assert {str(ds.PatientName) for ds in made.values()} == {"Müller^Jürgen"}


def test_without_a_dicom_source_a_pseudonym_opens_a_new_study(results, dicom):
    made = read(export_case(results))
    assert len({ds.StudyInstanceUID for ds in made.values()}) == 1
    assert {str(ds.PatientID) for ds in made.values()} == {f"SONOKI-{results.case.views[0].frame.sha256[:12].upper()}"}
    for data in export_case(results).values():
        assert b"SYNTHETIC" not in data
        assert pydicom.dcmread(BytesIO(dicom)).StudyInstanceUID.encode() not in data
    assert {str(ds.PatientID) for ds in read(export_case(results, pseudonym="Board 7")).values()} == {"Board 7"}


def test_a_png_is_no_dicom_source(results, bundle_dir, dicom):
    buffer = BytesIO()
    Image.fromarray(pydicom.dcmread(BytesIO(dicom)).pixel_array).save(buffer, "PNG")
    made = make_results(read_frame(buffer.getvalue()), bundle_dir)
    assert export_case(made, [buffer.getvalue()]) == export_case(made)


def test_the_report_holds_the_figures_and_codes(results, dicom):
    report = export_case(results, [dicom])[REPORT]
    assert measurements(report) == {
        "KI67-P": 63.0, "KI67-P-LOW": 51.0, "KI67-P-HIGH": 74.0, "KI67-THRESHOLD": 50.0, "KI67-CUTOFF": 20.0,
    }  # fmt: skip
    group = highdicom.sr.srread(BytesIO(report)).content.get_planar_roi_measurement_groups()[0]
    codes = {
        item.name.value: (item.value.scheme_designator, item.value.value)
        for item in group.get_qualitative_evaluations()
    }
    assert codes["QUANTITY"] == ("LN", "85330-9")
    assert codes["KI67-CALL"] == ("99SONOKI", "KI67-HIGH")
    assert codes["USE"] == ("99SONOKI", "RESEARCH")
    assert codes["TRAINING"] == ("99SONOKI", "SIMULATED")
    assert codes["111413"] == ("BI", "MA.II.A.5.4B")


def test_a_probability_near_the_threshold_is_no_call(results):
    near = replace(results, prediction=replace(results.prediction, probability=0.5))
    assert b"KI67-NO-CALL" in export_case(near)[REPORT]


def test_the_box_lies_where_it_was_drawn(results, dicom):
    def box(source):
        group = highdicom.sr.srread(BytesIO(export_case(results, [source])[REPORT])).content
        region = group.get_planar_roi_measurement_groups()[0].roi
        return region.value.min(axis=0).tolist() + region.value.max(axis=0).tolist()

    frame, roi = results.case.views[0].frame, results.case.views[0].roi
    drawn = frame.to_source(roi)
    assert box(dicom) == pytest.approx([drawn.x0, drawn.y0, drawn.x1, drawn.y1], abs=0.01)
    scale = 450 / frame.width
    assert box(None) == pytest.approx([scale * edge for edge in (roi.x0, roi.y0, roi.x1, roi.y1)], abs=0.01)


@pytest.mark.needs("dcmtk")
def test_dcmtk_reads_the_report(results, dicom, tmp_path):
    (tmp_path / "sr.dcm").write_bytes(export_case(results, [dicom])[REPORT])
    found = subprocess.run(["dsrdump", tmp_path / "sr.dcm"], capture_output=True, text=True, check=True)
    assert 'Estimated probability that Ki-67 is high")="63.0"' in found.stdout
    assert "E:" not in found.stderr


def test_pixels_and_document_come_back(results, dicom):
    made = read(export_case(results, [dicom]))
    np.testing.assert_array_equal(made[CAPTURE].pixel_array, results.overlays[0])
    document = made[DOCUMENT]
    assert document.EncapsulatedDocument[: document.EncapsulatedDocumentLength] == PDF
    assert "Research use only" in made[CAPTURE].ImageComments
    assert DOCUMENT not in export_case(replace(results, document=None), [dicom])


def test_other_content_gets_other_uids(results):
    uids = {name: ds.SOPInstanceUID for name, ds in read(export_case(results)).items()}
    other = replace(results, case=replace(results.case, clinical={"birads": "5"}))
    assert all(uids[name] != ds.SOPInstanceUID for name, ds in read(export_case(other)).items())
    painted = read(export_case(replace(results, overlays=(results.overlays[0] + 1,))))
    assert painted[CAPTURE].SOPInstanceUID != uids[CAPTURE]
    assert painted[DOCUMENT].SOPInstanceUID == uids[DOCUMENT]


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"StudyInstanceUID": ""}, "has no StudyInstanceUID"),
        ({"SOPInstanceUID": ""}, "has no SOPInstanceUID"),
    ],
)
def test_a_source_that_names_no_study_is_refused(results, dicom, tags, message):
    source = change(dicom, **tags)
    with pytest.raises(ImageError, match=message):
        export_case(frame_of(results, source), [source])


def test_an_id_that_breaks_the_standard_is_refused_and_not_repeated(results, dicom):
    ds = pydicom.dcmread(BytesIO(dicom))
    with pydicom.config.disable_value_validation():
        ds.PatientID = "PLANTED" * 20
        buffer = BytesIO()
        ds.save_as(buffer, enforce_file_format=True)
    source = buffer.getvalue()
    with pytest.raises(ImageError, match="PatientID breaks the DICOM standard") as refusal:
        export_case(frame_of(results, source), [source])
    assert "PLANTED" not in str(refusal.value)


def test_another_file_than_the_frames_is_refused(results, dicom):
    with pytest.raises(ImageError, match="another file than the one"):
        export_case(results, [dicom + b"\0\0"])


@pytest.mark.parametrize("cut", [100, 200, 500, 900])
def test_a_damaged_source_ends_in_a_sentence(results, dicom, cut):
    data = dicom[:cut]
    frame = replace(results.case.views[0].frame, sha256=hashlib.sha256(data).hexdigest())
    with pytest.raises(ImageError, match=r"\.$"):
        export_case(with_frame(results, frame), [data])


def test_what_can_not_be_exported_is_refused(results):
    (view,) = results.prediction.views
    reading = replace(view.reading, applicability=Applicability("refused", ("No ultrasound.",)))
    with pytest.raises(InputError, match="nothing to export"):
        replace(results, prediction=replace(results.prediction, views=(replace(view, reading=reading),)))
    with pytest.raises(InputError, match="no PDF"):
        replace(results, document=b"hello")
    with pytest.raises(ImageError, match="RGB"):
        replace(results, overlays=(results.overlays[0][..., 0],))


def two_views(results: CaseResults, other: bytes) -> CaseResults:
    """The same case with a second view, whose share is the other half of the image's term."""
    (view,), (estimate,) = results.case.views, results.prediction.views
    half = replace(estimate, contribution=estimate.contribution / 2)
    second = replace(half, probability=0.7, reading=replace(estimate.reading, input_sha256="cd" * 32))
    return replace(
        results,
        case=replace(results.case, views=(view, View(read_frame(other), view.roi, "longitudinal"))),
        prediction=replace(results.prediction, views=(half, second)),
        overlays=(results.overlays[0], results.overlays[0] // 2),
    )


def test_the_report_holds_every_view_with_its_image_and_share(results, dicom):
    other = change(dicom, SOPInstanceUID=pydicom.uid.generate_uid(entropy_srcs=["second"]))
    made = export_case(two_views(results, other), [dicom, other])
    assert list(made) == [CAPTURE, "sc-2.dcm", REPORT, DOCUMENT]
    report = highdicom.sr.srread(BytesIO(made[REPORT]))
    images = {
        item.ReferencedSOPInstanceUID
        for s in report.CurrentRequestedProcedureEvidenceSequence
        for series in s.ReferencedSeriesSequence
        for item in series.ReferencedSOPSequence
    }
    assert images == {pydicom.dcmread(BytesIO(data)).SOPInstanceUID for data in (dicom, other)}
    groups = report.content.get_planar_roi_measurement_groups()
    shares = [{m.name.meaning: m.value for m in group.get_measurements()} for group in groups]
    assert sum(share[SHARE_OF_VIEW.meaning] for share in shares) == pytest.approx(0.43, abs=1e-6)
    assert [group.tracking_identifier for group in groups] == ["Lesion 1, view 1", "Lesion 1, view 2"]
    (joint,) = report.content.get_image_measurement_groups()
    assert {m.name.value: m.value for m in joint.get_measurements()}["KI67-P"] == 63
    captures = [pydicom.dcmread(BytesIO(made[name])) for name in (CAPTURE, "sc-2.dcm")]
    assert len({ds.SeriesInstanceUID for ds in captures}) == 1
    assert [ds.InstanceNumber for ds in captures] == [1, 2]


@pytest.mark.needs("dciodvfy")
@pytest.mark.parametrize("with_source", [True, False])
def test_dciodvfy_finds_no_error_in_objects_of_two_views(results, dicom, tmp_path, capsys, with_source):
    other = change(dicom, SOPInstanceUID=pydicom.uid.generate_uid(entropy_srcs=["second"]))
    for name, data in export_case(two_views(results, other), [dicom, other] if with_source else []).items():
        (tmp_path / name).write_bytes(data)
        done = subprocess.run(["dciodvfy", tmp_path / name], capture_output=True, text=True, check=False)
        assert "Error" not in done.stderr


def test_views_of_two_patients_are_refused(results, dicom):
    other = change(dicom, PatientID="another", SOPInstanceUID=pydicom.uid.generate_uid(entropy_srcs=["second"]))
    with pytest.raises(ImageError, match="different patients"):
        export_case(two_views(results, other), [dicom, other])
