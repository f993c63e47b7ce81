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
from pydicom.uid import (
    ColorSoftcopyPresentationStateStorage,
    ComprehensiveSRStorage,
    EncapsulatedPDFStorage,
    GrayscaleSoftcopyPresentationStateStorage,
    SecondaryCaptureImageStorage,
)

from core.archive.dicom_objects.codes import SHARE_OF_VIEW
from core.archive.dicom_objects.export import CAPTURE, DOCUMENT, PRESENTATION, REPORT, CaseResults, export_case
from core.errors import ImageError, InputError
from core.imaging import Frame, read_frame
from core.inference import Applicability, View
from tests.core.archive.conftest import PDF, make_results
from tests.core.imaging.samples import make_dataset, make_jpeg_cine, make_speckle, save

CLASSES = {
    CAPTURE: SecondaryCaptureImageStorage,
    REPORT: ComprehensiveSRStorage,
    DOCUMENT: EncapsulatedPDFStorage,
    PRESENTATION: GrayscaleSoftcopyPresentationStateStorage,
}
UIDS = {
    "StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.4", "SOPInstanceUID": "1.2.3.4.5", "StudyDate": "20240102",
    "PatientBirthDate": "",
}  # fmt: skip
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
    assert len(uids) == 8
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


@pytest.mark.parametrize(
    ("stated", "raw", "name"),
    [
        (["", "ISO 2022 IR 58"], b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab", "Zhang^XiaoDong=张^小东"),
        (["", "ISO 2022 IR 149"], b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7", "Hong^Gildong=洪^吉洞"),
        (["", "ISO 2022 IR 87"], b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", "Yamada^Tarou=山田^太郎"),
        ("GB18030", b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab", "Wang^XiaoDong=王^小东"),
        ("ISO_IR 192", b"M\xc3\xbcller^J", "Müller^J"),
        ("ISO_IR 192", b"M\xfcller^J", None),
        (None, b"M\xfcller^J", None),
        ("ISO_IR 6", b"M\xfcller^J", None),
        ("ISO_IR 999", b"M\xfcller^J", None),
        *((stated, b"\x1b$B;3ED\x1b(B^Taro", None) for stated in (None, "ISO_IR 100", "ISO_IR 192", "ISO 2022 IR 100")),
        (["", "ISO 2022 IR 87"], b"\x1b$)C\xfb\xf3\x1b(B^Taro", None),
        ("ISO_IR 100", b"\x1b$)A\xd5\xc5^Taro", None),
        (["", "ISO 2022 IR 149"], b"Hong=\xfb\xf3", None),
        (["", "ISO 2022 IR 87"], "=\u5c71\u7530".encode("euc_jp"), None),
        (["ISO 2022 IR 100", "ISO 2022 IR 87"], b"M\xfcller=\x1b$B;3ED\x1b(B", "M\u00fcller=\u5c71\u7530"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_names_come_through_their_character_set_or_are_refused(results, dicom, stated, raw, name):
    ds = pydicom.dcmread(BytesIO(dicom))
    ds.SpecificCharacterSet, ds.PatientName = stated, "X" * (len(raw) + len(raw) % 2)
    buffer = BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    source = buffer.getvalue().replace(b"X" * (len(raw) + len(raw) % 2), raw.ljust(len(raw) + len(raw) % 2))
    if name is None:
        with pytest.raises(ImageError, match="PatientName holds bytes that its character set does not have"):
            export_case(frame_of(results, source), [source])
        return
    for data in export_case(frame_of(results, source), [source]).values():
        assert str(pydicom.dcmread(BytesIO(data)).PatientName) == name
        assert b"\x1b" not in pydicom.dcmread(BytesIO(data))["PatientName"].value.original_string


@pytest.mark.parametrize(
    ("header", "form", "side"), [("L", "left", "L"), ("L", "", "L"), ("", "right", "R"), ("", "", "")]
)
def test_the_breast_is_named_by_whoever_knows_it(results, dicom, header, form, side):
    source = change(dicom, ImageLaterality=header)
    framed = frame_of(results, source)
    case = replace(framed.case, side=form or None)
    made = export_case(replace(framed, case=case), [source])
    assert (pydicom.dcmread(BytesIO(made[CAPTURE])).Laterality or "") == side
    site = highdicom.sr.srread(BytesIO(made[REPORT])).content.get_planar_roi_measurement_groups()[0].finding_sites[0]
    modifiers = [item.ConceptCodeSequence[0].CodeMeaning for item in site.get("ContentSequence", [])]
    assert modifiers == ([{"L": "Left", "R": "Right"}[side]] if side else [])


@pytest.mark.parametrize("where", ["form", "Laterality", "modifier"])
def test_two_breasts_are_asked_about(results, dicom, where):
    tags: dict[str, object] = {"ImageLaterality": "L"}
    if where == "Laterality":
        tags["Laterality"] = "R"
    if where == "modifier":
        code, region = pydicom.Dataset(), pydicom.Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "24028007", "SCT", "Right"
        region.AnatomicRegionModifierSequence = [code]
        tags["AnatomicRegionSequence"] = [region]
    source = change(dicom, **tags)
    framed = frame_of(results, source)
    case = replace(framed.case, side="right" if where == "form" else None)
    with pytest.raises(ImageError, match="breast"):
        export_case(replace(framed, case=case), [source])


def test_what_the_source_says_of_itself_is_kept(results, dicom):
    said = {"TimezoneOffsetFromUTC": "-0400", "PatientIdentityRemoved": "YES", "DeidentificationMethod": ["one", "two"]}
    lossy = {
        "LossyImageCompression": "01",
        "LossyImageCompressionMethod": "ISO_10918_1",
        "LossyImageCompressionRatio": 9,
    }
    source = change(dicom, **said, **lossy)
    made = read(export_case(frame_of(results, source), [source]))
    for ds in made.values():
        assert {name: ds[name].value for name in said} == said
    for name in (CAPTURE, DOCUMENT):
        assert {key: made[name][key].value for key in lossy} == lossy


def test_objects_point_to_their_frame_and_hold_no_time_of_the_export(bundle_dir):
    source = make_jpeg_cine([np.dstack([make_speckle()] * 3)] * 3, **UIDS)
    frame = read_frame(source, index=2)
    made = read(export_case(replace(make_results(frame, bundle_dir), document=None), [source]))
    assert made[CAPTURE].SourceImageSequence[0].ReferencedFrameNumber == 3
    state = made[PRESENTATION]
    reference = state.GraphicAnnotationSequence[0].ReferencedImageSequence[0]
    assert (reference.ReferencedSOPInstanceUID, reference.ReferencedFrameNumber) == (UIDS["SOPInstanceUID"], 3)
    assert state.SOPClassUID == ColorSoftcopyPresentationStateStorage
    assert made[REPORT].ContentDate == "20240102"
    assert made[CAPTURE].LossyImageCompression == "01"
    assert made[CAPTURE].BurnedInAnnotation == "YES"
    assert not any("InstanceCreationDate" in ds or "DateOfSecondaryCapture" in ds for ds in made.values())


LOOP = np.stack([make_speckle(seed=seed) for seed in (1, 2, 3)])
ENHANCED, STILL = "1.2.840.10008.5.1.4.1.1.6.2", "1.2.840.10008.5.1.4.1.1.6.1"
SOURCES = {
    "a grey loop": ({}, LOOP),
    "a volume": ({"SOPClassUID": ENHANCED}, LOOP),
    "a loop of a class of stills": ({"SOPClassUID": STILL}, LOOP),
    "a copy without its method": ({"PatientIdentityRemoved": "YES"}, LOOP[0]),
    "a colour still": ({}, np.dstack([LOOP[0]] * 3)),
}


@pytest.mark.needs("dciodvfy")
@pytest.mark.parametrize("name", SOURCES)
def test_objects_of_any_source_are_valid(bundle_dir, tmp_path, name):
    tags, pixels = SOURCES[name]
    frames = len(pixels) if pixels is LOOP else 1
    source = save(make_dataset(pixels, frames=frames, **UIDS, **tags))
    made = export_case(make_results(read_frame(source, index=frames - 1), bundle_dir), [source])
    assert (PRESENTATION in made) == (name != "a loop of a class of stills")
    for file, data in made.items():
        (tmp_path / file).write_bytes(data)
        found = subprocess.run(["dciodvfy", tmp_path / file], capture_output=True, text=True, check=False)
        assert [line for line in found.stderr.splitlines() if "Error" in line] == []


def test_results_of_a_retired_class_are_refused(bundle_dir):
    source = save(make_dataset(LOOP[0], **UIDS | {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.6"}))
    with pytest.raises(ImageError, match="retired class"):
        export_case(make_results(read_frame(source), bundle_dir), [source])


def make_table(bits: int = 8) -> pydicom.Dataset:
    table = pydicom.Dataset()
    table.LUTDescriptor, table.LUTExplanation = [256, 0, bits], "Planted^Patricia"
    table["LUTDescriptor"].VR = "US"
    table.add_new("LUTData", "OW", np.arange(256, dtype="<u2").tobytes())
    return table


@pytest.mark.needs("dciodvfy")
@pytest.mark.parametrize(
    "how", ["window", "two windows", "table", "inverse", "inverse by its shape", "no width", "more centres", "no slope"]
)
def test_the_presentation_state_keeps_how_the_source_is_shown(results, dicom, how, tmp_path):
    tags = {
        "window": {"WindowCenter": "90", "WindowWidth": "120", "RescaleSlope": "2", "RescaleIntercept": "-3"},
        "two windows": {"WindowCenter": ["90", "40"], "WindowWidth": ["120", "80"]},
        "table": {"VOILUTSequence": [make_table()]},
        "inverse": {"PhotometricInterpretation": "MONOCHROME1"},
        "inverse by its shape": {"PresentationLUTShape": "INVERSE"},
        "no width": {"WindowCenter": "90", "WindowWidth": "0"},
        "more centres": {"WindowCenter": ["90", "40"], "WindowWidth": "120"},
        "no slope": {"RescaleSlope": "0", "RescaleIntercept": "5"},
    }[how]
    source = change(dicom, **tags)
    data = export_case(frame_of(results, source), [source])[PRESENTATION]
    made = pydicom.dcmread(BytesIO(data))
    voi = made.get("SoftcopyVOILUTSequence", [pydicom.Dataset()])[0]
    assert made.PresentationLUTShape == ("INVERSE" if how.startswith("inverse") else "IDENTITY")
    assert str(voi.get("WindowCenter", "")) == {"window": "90.0", "two windows": "90.0"}.get(how, "")
    assert ("VOILUTSequence" in voi) == (how == "table")
    assert made.get("RescaleSlope", 1) == (2 if how == "window" else 1)
    assert b"Planted^Patricia" not in data
    (tmp_path / "pr.dcm").write_bytes(data)
    found = subprocess.run(["dciodvfy", tmp_path / "pr.dcm"], capture_output=True, text=True, check=False)
    assert [line for line in found.stderr.splitlines() if "Error" in line] == []


def make_curve(bits: int, first: int = 0, count: int = 256) -> pydicom.Dataset:
    """A table that turns the levels round, and bends them."""
    table = pydicom.Dataset()
    table.add_new("LUTDescriptor", "SS" if first < 0 else "US", [count, first, bits])
    table.add_new("LUTData", "US", np.round(np.linspace(1, 0, count) ** 2 * (2**bits - 1)).astype(int).tolist())
    table.ModalityLUTType = "US"
    return table


WIDE = {"WindowCenter": 32768, "WindowWidth": 65536}
SHOWN = {
    **{f"output of {bits} bits": {"VOILUTSequence": [make_curve(bits)]} for bits in (8, 10, 12, 16)},
    "a part of the levels": {"VOILUTSequence": [make_curve(8, 64, 100)]},
    "signed": {"VOILUTSequence": [make_curve(12, -128)]},
    "output beside a window": {"VOILUTSequence": [make_curve(8)], **WIDE},
    "values": {"ModalityLUTSequence": [make_curve(16)], **WIDE},
    "values of 12 bits": {"ModalityLUTSequence": [make_curve(12)], "WindowCenter": 2048, "WindowWidth": 4096},
    "two windows": {"WindowCenter": ["90", "40"], "WindowWidth": ["120", "80"]},
    "rescaled": {"RescaleSlope": -2, "RescaleIntercept": 255, "WindowCenter": 0, "WindowWidth": 512},
}


@pytest.mark.needs("dcmtk")
@pytest.mark.parametrize("frames", [1, 2])
@pytest.mark.parametrize("how", SHOWN)
def test_dcmtk_shows_the_source_by_the_presentation_state_as_it_is_shown_here(bundle_dir, how, frames, tmp_path):
    pixels = make_speckle()
    if how == "signed":
        pixels = (pixels.astype(int) - 128).astype("i1")
    source = save(
        make_dataset(np.stack([pixels] * frames) if frames > 1 else pixels, frames=frames, **UIDS, **SHOWN[how])
    )
    made = export_case(make_results(read_frame(source), bundle_dir), [source])[PRESENTATION]
    (tmp_path / "pr.dcm").write_bytes(made)
    (tmp_path / "image.dcm").write_bytes(source)
    names = [str(tmp_path / name) for name in ("pr.dcm", "image.dcm", "shown.pgm")]
    subprocess.run(["dcmp2pgm", "-p", *names], check=True, capture_output=True)
    apart = np.abs(np.asarray(Image.open(names[-1])).astype(int) - read_frame(source).pixels)
    assert np.mean(apart > 1) < 0.02  # box and outline are drawn


@pytest.mark.needs("dciodvfy")
def test_the_outline_is_drawn_beside_the_box(results, dicom, tmp_path):
    view = results.case.views[0]
    corners = np.array([(20.0, 30.0), (60.0, 30.0), (45.5, 70.25)])
    outlined = replace(results, outlines=(corners,))
    made = export_case(outlined, [dicom])
    box, outline = read(made)[PRESENTATION].GraphicAnnotationSequence[0].GraphicObjectSequence
    assert box.NumberOfGraphicPoints == 5
    drawn = np.reshape(outline.GraphicData, (-1, 2))
    assert drawn[:3] == pytest.approx(corners / view.frame.source_scale + view.frame.origin, abs=1e-3)
    assert (drawn[0] == drawn[-1]).all()
    plain = read(export_case(results, [dicom]))[PRESENTATION]
    assert len(plain.GraphicAnnotationSequence[0].GraphicObjectSequence) == 1
    assert plain.SOPInstanceUID != read(made)[PRESENTATION].SOPInstanceUID
    assert made == export_case(outlined, [dicom])
    (tmp_path / "pr.dcm").write_bytes(made[PRESENTATION])
    found = subprocess.run(["dciodvfy", tmp_path / "pr.dcm"], capture_output=True, text=True, check=False)
    assert [line for line in found.stderr.splitlines() if "Error" in line] == []


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
        ({"StudyInstanceUID": ["1.2.3", "1.2.4"]}, "StudyInstanceUID breaks the DICOM standard"),
        ({"PatientID": ["1", "2"]}, "PatientID breaks the DICOM standard"),
        ({"PatientName": ["DOE^JANE", "ROE^ANN"]}, "PatientName breaks the DICOM standard"),
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
    with pytest.raises(InputError, match="not a PDF"):
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
    assert list(made) == [CAPTURE, "sc-2.dcm", REPORT, DOCUMENT, PRESENTATION, "pr-2.dcm"]
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


def test_the_report_names_the_entry_of_the_register_and_has_uids_of_its_own(results):
    plain, named = (
        pydicom.dcmread(BytesIO(export_case(one)[REPORT])) for one in (results, replace(results, entry="7:abcd"))
    )
    texts = [[item.value for item in one.iterall() if item.keyword == "TextValue"] for one in (plain, named)]
    assert [value for value in texts[1] if value not in texts[0]] == ["entry of the register 7:abcd"]
    assert plain.SOPInstanceUID != named.SOPInstanceUID


def test_a_value_of_another_type_is_repeated_only_where_its_own_type_has_it(dicom, results):
    ds = pydicom.dcmread(BytesIO(dicom))
    ds.add_new("PatientBirthDate", "LO", "born in May")
    ds.add_new("StudyDescription", "ST", "Breast")
    buffer = BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    source = buffer.getvalue()
    case = replace(results.case, views=(replace(results.case.views[0], frame=read_frame(source)),))
    report = pydicom.dcmread(BytesIO(export_case(replace(results, case=case), [source])[REPORT]))
    assert (report["PatientBirthDate"].VR, report.PatientBirthDate) == ("DA", "")
    assert (report["StudyDescription"].VR, report.StudyDescription) == ("LO", "Breast")
