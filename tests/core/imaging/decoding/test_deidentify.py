"""Copies that name nobody: what is hidden in the pixels, what still belongs together, and the command."""

import csv
import subprocess
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pydicom.examples
import pytest
from PIL import Image, ImageDraw, ImageFont
from typer.testing import CliRunner

from core.cli import app
from core.errors import UsageError
from core.imaging import deidentify
from core.imaging.decoding.hiding import find_tissue, join_boxes
from core.imaging.frame import Roi
from tests.core.imaging.decoding.writing import (
    CODES,
    CONTRASTS,
    SHAPE,
    TURNS,
    draw,
    draw_text,
    hide,
    is_hidden,
    move,
    place,
)
from tests.core.imaging.samples import encode, make_dataset, make_dicom, make_region, make_speckle, save

KEY = bytes(range(32))
TISSUE = (60, 90, 360, 330)


def make_screen_with_header(size: int = 18) -> np.ndarray:
    """A dark screen with a name above bright tissue, and a word on the tissue."""
    screen = Image.new("L", (420, 360), 0)
    screen.paste(Image.fromarray(np.maximum(make_speckle(240, 300), 30).astype(np.uint8)), TISSUE[:2])
    draw = ImageDraw.Draw(screen)
    draw.text((62, 40), "WELLINGTON ARTHUR 19620229", fill=255, font=ImageFont.load_default(size))
    draw.text((70, 300), "RT BREAST 10H WELLINGTON", fill=255, font=ImageFont.load_default(11))
    return np.asarray(screen)


@pytest.mark.parametrize("size", [11, 18, 26])
def test_a_header_is_hidden_where_the_file_names_no_region(size):
    pixels = pydicom.dcmread(BytesIO(deidentify(make_dicom(make_screen_with_header(size)), KEY).data)).pixel_array
    assert not pixels[: TISSUE[1] - 20].any()
    assert pixels[TISSUE[1] + 20 : 280, 80:340].mean() > 30


def test_words_on_the_tissue_are_hidden_and_named():
    screen = make_screen_with_header()
    copy = deidentify(make_dicom(screen), KEY)
    kept = pydicom.dcmread(BytesIO(copy.data)).pixel_array
    assert copy.hidden
    assert (kept[302:312, 72:215] == 0).mean() > 0.9
    assert any(word.x0 <= 120 <= word.x1 and word.y0 <= 305 <= word.y1 for word in copy.hidden)


def test_words_in_any_frame_of_a_loop_are_hidden():
    plain = make_screen_with_header().copy()
    plain[290:320, 60:360] = plain[200:230, 60:360]
    data = save(make_dataset(np.stack([plain, make_screen_with_header()]), frames=2))
    assert deidentify(data, KEY).hidden


def test_the_area_that_was_kept_is_written_as_a_region():
    ds = pydicom.dcmread(BytesIO(deidentify(make_dicom(make_screen_with_header()), KEY).data))
    region = ds.SequenceOfUltrasoundRegions[0]
    assert region.RegionSpatialFormat == region.RegionDataType == 1
    assert region.PhysicalUnitsXDirection == 0


def test_a_copy_says_that_no_writing_is_left_only_where_a_person_has_looked():
    for reviewed, codes in ((False, ["113100"]), (True, ["113100", "113101"])):
        copy = deidentify(make_dicom(make_speckle()), KEY, is_reviewed=reviewed)
        ds = pydicom.dcmread(BytesIO(copy.data))
        assert ds.get("BurnedInAnnotation") == ("NO" if reviewed else "YES")
        assert [code.CodeValue for code in ds.DeidentificationMethodCodeSequence] == codes
        assert copy.is_reviewed == reviewed


@pytest.mark.parametrize("contrast", CONTRASTS)
@pytest.mark.parametrize("turn", TURNS)
def test_writing_on_black_is_hidden_however_faint_and_turned(turn, contrast):
    ground, ink = np.pad(make_speckle(SHAPE[0], 240), ((0, 0), (0, SHAPE[1] - 240))), draw_text("default", 14, turn)
    ink = ink[:300, : SHAPE[1] - 250]
    frame = place(ground, ink, (10, 246), contrast)
    assert is_hidden([frame], place(np.zeros(SHAPE), ink, (10, 246), 255) > 127)


@pytest.mark.parametrize("turn", TURNS)
def test_faint_writing_on_dark_tissue_is_hidden_upright_and_turned(turn):
    ground, ink = (make_speckle(*SHAPE) * 0.2).astype(np.uint8), draw_text("default", 14, turn)
    at = (40, 30)
    frame = place(ground, ink, at, ground.mean() + 40)
    assert is_hidden([frame], place(np.zeros(SHAPE), ink, at, 255) > 127)


@pytest.mark.parametrize(
    "kind", [*CODES, "QR code, 35 above", "black", "black on a white field", "25 above", "slanted"]
)
@pytest.mark.parametrize("share", [0.35, 1])
def test_codes_and_dark_faint_and_slanted_writing_on_tissue_are_hidden(kind, share):
    ground = (make_speckle(*SHAPE) * share).astype(np.uint8)
    assert is_hidden(*draw(kind, ground, np.random.default_rng(4), loop=False))


@pytest.mark.parametrize("kind", ["15 above", "black", "slanted, 25 above", "turned, 25 above"])
def test_writing_that_stays_while_tissue_moves_is_hidden(kind):
    assert is_hidden(*draw(kind, make_speckle(*SHAPE), np.random.default_rng(4), loop=True))


def test_writing_that_stands_in_a_part_of_a_loop_is_hidden():
    drawn, strokes = draw("15 above", make_speckle(*SHAPE), np.random.default_rng(4), loop=True)
    plain = move(make_speckle(*SHAPE), np.random.default_rng(4), 8)
    assert is_hidden([*plain, *drawn[:4]], strokes)


@pytest.mark.parametrize("count", [1, 12])
def test_tissue_is_not_taken_for_writing(count):
    frames = move(make_speckle(*SHAPE), np.random.default_rng(1), count)
    for kept, frame in zip(hide(frames), frames[::6], strict=True):
        assert (kept == frame).all()


def test_a_large_image_is_looked_at_in_a_smaller_size():
    large = np.kron(make_speckle(500, 800), np.ones((2, 2), np.uint8))
    ink = np.kron(draw_text("default", 20, 0), np.ones((2, 2)))
    frame = place(large, ink, (400, 300), 255)
    assert is_hidden([frame], place(np.zeros(large.shape), ink, (400, 300), 255) > 127)


NAMED_AS = {
    "a model that holds the hospital's name": (
        {"InstitutionName": "Plantedhaus", "ManufacturerModelName": "X9 PLANTEDHAUS"},
        "ManufacturerModelName",
    ),
    "a series number that is a date": ({"SeriesNumber": "19620229"}, "SeriesNumber"),
    "an instance number that is a patient's": ({"InstanceNumber": "471108"}, "InstanceNumber"),
}


@pytest.mark.parametrize("name", NAMED_AS)
def test_what_names_somebody_in_an_element_that_is_kept_is_left_out(name):
    planted, keyword = NAMED_AS[name]
    assert not pydicom.dcmread(BytesIO(deidentify(make_dicom(make_speckle(), **planted), KEY).data)).get(keyword)
    kept = {"ManufacturerModelName": "X9 Elite", "SeriesNumber": "3", "InstanceNumber": "12"}
    ds = pydicom.dcmread(BytesIO(deidentify(make_dicom(make_speckle(), **kept), KEY).data))
    assert str(ds[keyword].value) == kept[keyword]


@pytest.mark.parametrize(
    ("patient", "model", "kept"),
    [
        ("LI^NA", "Echo of Li Na", None),
        ("\u738b^\u5c0f\u4e1c", "\u738b\u5c0f\u4e1c 9", None),
        ("WANG^DONG=\u738b^\u4e1c", "Echo \u738b\u4e1c", None),
        ("LI^NA", "Echo 9", "Echo 9"),
        ("\u738b^\u5c0f\u4e1c", "\u5f69\u8d85 9", "\u5f69\u8d85 9"),
    ],
)
def test_a_short_name_in_the_name_of_a_device_is_left_out(patient, model, kept):
    tags = {"SpecificCharacterSet": "ISO_IR 192", "PatientName": patient, "ManufacturerModelName": model}
    copy = pydicom.dcmread(BytesIO(deidentify(make_dicom(make_speckle(), **tags), KEY).data))
    assert copy.get("ManufacturerModelName") == kept


@pytest.mark.parametrize(("value", "kept"), [("12", "12"), ("A", "")])
def test_a_number_of_another_type_is_written_in_its_own_or_left_out(value, kept):
    source = make_dataset(make_speckle())
    for name in ("SeriesNumber", "InstanceNumber"):
        source.add_new(name, "LO", value)
    copy = pydicom.dcmread(BytesIO(deidentify(save(source), KEY).data))
    for name in ("SeriesNumber", "InstanceNumber"):
        assert copy[name].VR == "IS"
        assert str(copy[name].value or "") == kept


@pytest.mark.parametrize("method", ["PLANTED_PATRICIA", ["ISO_10918_1", "PLANTED"]])
def test_only_terms_of_the_standard_name_a_compression(method):
    made = make_dicom(make_speckle(), LossyImageCompression="01", LossyImageCompressionMethod=method)
    copy = deidentify(made, KEY)
    assert b"PLANTED" not in copy.data
    kept = make_dicom(make_speckle(), LossyImageCompressionMethod=["ISO_10918_1", "ISO_15444_1"])
    read = pydicom.dcmread(BytesIO(deidentify(kept, KEY).data))
    assert list(read.LossyImageCompressionMethod) == ["ISO_10918_1", "ISO_15444_1"]


def test_the_shape_of_a_pixel_is_kept():
    made = make_dicom(make_speckle(), PixelAspectRatio=[2, 1])
    assert list(pydicom.dcmread(BytesIO(deidentify(made, KEY).data)).PixelAspectRatio) == [2, 1]


def test_side_and_lossy_compression_are_kept_and_a_lossy_stream_is_called_so():
    kept = {"ImageLaterality": "L", "LossyImageCompression": "01", "LossyImageCompressionRatio": "12.5"}
    ds = pydicom.dcmread(BytesIO(deidentify(make_dicom(make_speckle(), **kept), KEY).data))
    assert {name: str(ds[name].value) for name in kept} == kept
    loop = deidentify(pydicom.examples.get_path("ybr_color").read_bytes(), KEY)
    assert pydicom.dcmread(BytesIO(loop.data)).LossyImageCompression == "01"


def make_item(**values):
    item = pydicom.Dataset()
    for name, value in values.items():
        setattr(item, name, value)
    return item


def nest(sequence, **values):
    return make_item(**{sequence: [make_item(**values)]})


SIDES = {
    "left": ({"ImageLaterality": "L"}, "L"),
    "of the series": ({"Laterality": "R"}, "R"),
    "twice": ({"ImageLaterality": "L", "Laterality": "L"}, "L"),
    "both": ({"ImageLaterality": "L", "Laterality": "R"}, None),
    "of a frame": ({"PerFrameFunctionalGroupsSequence": [nest("FrameAnatomySequence", FrameLaterality="R")]}, "R"),
    "of frames that differ": (
        {"PerFrameFunctionalGroupsSequence": [nest("FrameAnatomySequence", FrameLaterality=one) for one in "LR"]},
        None,
    ),
    **{
        f"the breast itself, {code}": ({"AnatomicRegionSequence": [make_item(CodeValue=code)]}, side)
        for code, side in {"80248007": "L", "T-04030": "L", "73056007": "R", "T-04020": "R", "76752008": None}.items()
    },
    "of the structure": (
        {"PrimaryAnatomicStructureSequence": [nest("PrimaryAnatomicStructureModifierSequence", CodeValue="7771000")]},
        "L",
    ),
    "region and header differ": (
        {"ImageLaterality": "L", "AnatomicRegionSequence": [make_item(CodeValue="73056007")]},
        None,
    ),
    "a word": ({"Laterality": "left, Planted"}, None),
}


@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
@pytest.mark.parametrize("name", SIDES)
def test_a_side_that_is_certain_is_kept(name):
    said, side = SIDES[name]
    ds = pydicom.dcmread(BytesIO(deidentify(make_dicom(make_speckle(), **said), KEY).data))
    assert ds.get("ImageLaterality") == side


def test_elements_that_break_their_type_are_left_out():
    loop = save(make_dataset(np.stack([make_speckle()] * 2), frames=2, FrameTime="33.3"))
    ds = pydicom.dcmread(BytesIO(deidentify(loop.replace(b"33.3", b"ab c"), KEY).data))
    assert ds.FrameTime == 40


@pytest.mark.needs("dciodvfy")
@pytest.mark.parametrize("name", ["still", "colour", "loop", "named", "side"])
def test_copies_are_valid_objects(tmp_path, name):
    grey = make_screen_with_header()
    source = {
        "still": make_dicom(grey),
        "colour": make_dicom(np.dstack([grey] * 3)),
        "loop": save(make_dataset(np.stack([grey, grey]), frames=2)),
        "side": make_dicom(grey, ImageLaterality="L", Laterality="L"),
        "named": make_dicom(grey, SequenceOfUltrasoundRegions=[make_region((60, 90, 359, 329), RegionFlags=2)]),
    }[name]
    file = tmp_path / "copy.dcm"
    file.write_bytes(deidentify(source, KEY).data)
    found = subprocess.run(["dciodvfy", str(file)], capture_output=True, text=True, check=False)
    assert [line for line in found.stderr.splitlines() if "Error" in line] == []


def test_tissue_is_the_largest_lit_part():
    tissue = find_tissue(make_screen_with_header())
    assert tissue[100:320, 70:350].all()
    assert not tissue[:60].any()
    assert not find_tissue(np.zeros((40, 40), np.uint8)).any()


def test_boxes_that_touch_are_joined():
    boxes = (Roi(0, 0, 10, 10), Roi(30, 0, 40, 10), Roi(10, 0, 30, 10), Roi(60, 60, 70, 70))
    assert set(join_boxes(boxes)) == {Roi(0, 0, 40, 10), Roi(60, 60, 70, 70)}


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["deidentify", *map(str, arguments)])
    return result.exit_code, result.output


def test_a_folder_is_copied_at_once_and_what_is_none_is_named(tmp_path):
    source = tmp_path / "in"
    (source / "deep").mkdir(parents=True)
    shared = {"PatientID": "X-77", "StudyInstanceUID": "1.2.3.4.5"}
    for i, folder in enumerate((source, source / "deep"), start=1):
        (folder / f"{i}.dcm").write_bytes(make_dicom(make_speckle(), SOPInstanceUID=f"1.2.3.{i}", **shared))
    (source / "notes.txt").write_text("no image", encoding="utf-8")
    code, output = run(source, "--out", tmp_path / "out", "--key", tmp_path / "k.key")
    assert code != 0
    assert "notes.txt: " in output
    assert "2 of 3 files copied, 1 refused" in output
    (patient,) = (tmp_path / "out").iterdir()
    (study,) = patient.iterdir()
    assert len(list(study.glob("*.dcm"))) == 2
    assert "X-77" not in str(list((tmp_path / "out").rglob("*")))
    listed = list(csv.reader((tmp_path / "k.csv").read_text(encoding="utf-8").splitlines()))
    assert ["PatientID", "X-77", patient.name] in listed
    assert sum(row[0] == "PatientID" for row in listed) == 1
    for private in (tmp_path / "k.key", tmp_path / "k.csv", *study.iterdir(), study, patient):
        assert private.stat().st_mode & 0o077 == 0


def test_a_key_that_is_none_and_a_file_in_the_way_are_refused(tmp_path):
    image = tmp_path / "a.dcm"
    image.write_bytes(make_dicom(make_speckle()))
    (tmp_path / "bad.key").write_text("hello", encoding="utf-8")
    assert run(image, "--out", tmp_path / "b.dcm", "--key", tmp_path / "bad.key")[0] != 0
    assert not (tmp_path / "b.dcm").exists()
    assert run(image, "--out", image, "--key", tmp_path / "k.key")[0] != 0
    assert Path(image).read_bytes() == image.read_bytes()


def test_two_images_with_one_uid_do_not_replace_each_other(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    same = {"StudyInstanceUID": "1.2.3.4.5", "SeriesInstanceUID": "1.2.3.4.6", "SOPInstanceUID": "1.2.3.1"}
    for name, seed in {"a": 1, "again": 1, "other": 2}.items():
        (source / f"{name}.dcm").write_bytes(make_dicom(make_speckle(seed=seed), **same))
    code, output = run(source, "--out", tmp_path / "out", "--key", tmp_path / "k.key")
    assert code != 0
    assert "other.dcm: Another file of the folder" in output
    assert "2 of 3 files copied, 1 refused" in output
    assert len(list((tmp_path / "out").rglob("*.dcm"))) == 1


@pytest.mark.parametrize(
    ("out", "key"), [("nowhere/b.dcm", "k.key"), ("b.dcm", "nowhere/k.key"), ("b.dcm", "k.csv"), ("b.dcm", "k.CSV")]
)
def test_places_that_are_missing_or_taken_by_the_list_are_refused(tmp_path, out, key):
    image = tmp_path / "a.dcm"
    image.write_bytes(make_dicom(make_speckle()))
    result = CliRunner().invoke(
        app, ["deidentify", str(image), "--out", f"{tmp_path / out}", "--key", f"{tmp_path / key}"]
    )
    assert isinstance(result.exception, UsageError)
    assert f"--{'out' if 'nowhere' in out else 'key'}" in str(result.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["a.dcm"]


def make_flow_screen(text: str, colour: tuple[int, int, int], at: tuple[int, int], quality: int | None) -> np.ndarray:
    """Tissue with power Doppler, red to yellow from rim to core, and a line of writing; RGB."""
    tissue = (make_speckle(240, 420) // 2 + 20).astype(np.uint8)
    picture = np.dstack([tissue] * 3)
    y, x = np.mgrid[:240, :420]
    inside = 1 - np.minimum(np.hypot((x - 210) / 120, (y - 120) / 40), 1) - 0.15 * (np.sin(x / 7) * np.sin(y / 5)) ** 2
    power = inside.clip(0, 1)[..., None]
    flow = np.concatenate([120 + 130 * power, 230 * power, 0 * power], axis=2).astype(np.uint8)
    picture = np.where(power > 0.1, flow, picture)
    screen = Image.fromarray(picture)
    ImageDraw.Draw(screen).text(at, text, fill=colour, font=ImageFont.load_default(14))
    if quality:
        screen = Image.open(BytesIO(encode(np.asarray(screen), "JPEG", quality=quality)))
    return np.asarray(screen)


@pytest.mark.parametrize("quality", [None, 90, 75])
def test_coloured_flow_is_kept_and_named(quality):
    screen = make_flow_screen("", (0, 0, 0), (0, 0), quality)
    copy = deidentify(make_dicom(screen, SequenceOfUltrasoundRegions=[make_region((0, 0, 419, 239))]), KEY)
    kept = pydicom.dcmread(BytesIO(copy.data)).pixel_array
    assert (kept[100:140, 130:290].any(axis=2)).mean() > 0.95
    assert any(box.x0 <= 210 <= box.x1 and box.y0 <= 120 <= box.y1 for box in copy.flow)


@pytest.mark.parametrize("quality", [None, 90, 75])
@pytest.mark.parametrize("colour", [(255, 255, 255), (255, 255, 0), (0, 255, 0), (255, 160, 60), (0, 255, 255)])
def test_writing_of_any_colour_is_hidden_beside_flow(colour, quality):
    box, text = (150, 20, 290, 40), "WELLINGTON ARTHUR"
    screen = make_flow_screen(text, colour, (150, 20), quality)
    drawn = (screen != make_flow_screen("", colour, (150, 20), quality)).any(axis=2)[box[1] : box[3], box[0] : box[2]]
    copy = deidentify(make_dicom(screen, SequenceOfUltrasoundRegions=[make_region((0, 0, 419, 239))]), KEY)
    kept = pydicom.dcmread(BytesIO(copy.data)).pixel_array[box[1] : box[3], box[0] : box[2]].any(axis=2)
    assert drawn.sum() > 300
    assert (kept & drawn).sum() < 0.1 * drawn.sum()


def test_white_writing_is_hidden_on_flow():
    screen = make_flow_screen("WELLINGTON ARTHUR", (255, 255, 255), (140, 112), None)
    drawn = screen.min(axis=2) > 200
    copy = deidentify(make_dicom(screen, SequenceOfUltrasoundRegions=[make_region((0, 0, 419, 239))]), KEY)
    kept = pydicom.dcmread(BytesIO(copy.data)).pixel_array.any(axis=2)
    assert drawn[112:130].sum() > 100
    assert (kept & drawn)[112:130].sum() < 0.1 * drawn[112:130].sum()
