"""DICOM files whose pixels contradict their header: the right picture, or a sentence; never another picture."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, JPEGBaseline8Bit

from core.errors import ImageError
from core.imaging import inspect_image, read_frame
from core.imaging.decoding.dicom.opening import open_dicom
from core.imaging.decoding.dicom.study import decode_study
from tests.core.imaging.decoding.dicom_files import COLOUR, GREY, in_syntax
from tests.core.imaging.decoding.viewers import LIMITS, show
from tests.core.imaging.samples import make_dataset, make_dicom, make_jpeg_cine, make_region, save

CASES = Path(__file__).with_name("cases")
GREY_RGB = np.dstack([GREY] * 3)
UIDS = {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.4"}
FRAMES = [GREY, GREY[::-1].copy(), GREY[:, ::-1].copy()]


def with_tags(data: bytes, *deleted: str, **tags: object) -> bytes:
    ds = pydicom.dcmread(BytesIO(data))
    for name in deleted:
        delattr(ds, name)
    for name, value in tags.items():
        setattr(ds, name, value)
    return save(ds)


def assert_shows(data: bytes, expected: np.ndarray, index: int = 0, atol: int = 1) -> None:
    np.testing.assert_allclose(show(data, index).astype(int), expected, atol=atol)


@pytest.mark.parametrize("stated", [None, 1, 2])
@pytest.mark.parametrize("colour", [False, True])
def test_frames_that_the_header_does_not_count_can_be_chosen(stated, colour):
    frames = np.stack([np.dstack([f] * 3) if colour else f for f in FRAMES])
    data = save(make_dataset(frames, frames=3))
    data = with_tags(data, "NumberOfFrames") if stated is None else with_tags(data, NumberOfFrames=stated)
    assert inspect_image(data).frame_count == 3
    assert any("holds 3" in note for note in inspect_image(data).notes)
    for index, expected in enumerate(frames):
        assert_shows(data, expected, index)


def test_a_loop_of_streams_is_counted_too():
    data = with_tags(make_jpeg_cine([np.dstack([f] * 3) for f in FRAMES], quality=95), NumberOfFrames=1)
    assert inspect_image(data).frame_count == 3


def test_a_loop_that_was_cut_off_gives_the_frames_that_came():
    data = save(make_dataset(np.stack(FRAMES), frames=3))[: -GREY.size - 9]
    assert inspect_image(data).frame_count == 1
    assert "holds 1: it may have been cut off" in " ".join(read_frame(data).notes)
    with pytest.raises(ImageError, match="damaged or incomplete"):
        read_frame(make_dicom(GREY)[:-2000])


def test_padding_is_no_frame():
    odd = GREY[:59, :79].copy()
    assert inspect_image(make_dicom(odd)).frame_count == 1
    assert_shows(make_dicom(odd), odd)


@pytest.mark.parametrize("planar", [0, 1])
def test_full_rgb_that_calls_itself_subsampled_is_shown_as_rgb(planar):
    stored = GREY_RGB.transpose(2, 0, 1) if planar else GREY_RGB
    tags = {"PhotometricInterpretation": "YBR_FULL_422", "PlanarConfiguration": planar, "PixelData": stored.tobytes()}
    assert_shows(make_dicom(GREY_RGB, **tags), GREY_RGB)


def test_full_ybr_that_calls_itself_subsampled_is_shown_as_ybr():
    ybr = np.asarray(Image.fromarray(GREY_RGB).convert("YCbCr"))
    assert_shows(make_dicom(ybr, PhotometricInterpretation="YBR_FULL_422", PixelData=ybr.tobytes()), GREY_RGB, atol=2)


def test_full_colour_that_can_be_neither_is_refused_for_that_reason():
    data = make_dicom(COLOUR, PhotometricInterpretation="YBR_FULL_422", PixelData=COLOUR.tobytes())
    with pytest.raises(ImageError, match="YBR_FULL_422"):
        read_frame(data)


@pytest.mark.parametrize("bits", [8, 16])
def test_palettes_of_big_endian_files_read_as_their_little_endian_twins(bits):
    ramp = np.linspace(2**bits - 1, 0, 256).round().astype(">u2" if bits == 16 else "u1")
    table = ramp.tobytes() if bits == 16 else ramp.view("<u2").astype(">u2").tobytes()
    tags: dict[str, object] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for channel in ("Red", "Green", "Blue"):
        tags[f"{channel}PaletteColorLookupTableDescriptor"] = [256, 0, bits]
        tags[f"{channel}PaletteColorLookupTableData"] = table
    shown = show(in_syntax(ExplicitVRBigEndian, GREY, **tags))
    assert_shows(in_syntax(ExplicitVRBigEndian, GREY, **tags), np.dstack([255 - GREY] * 3)[..., : shown.shape[-1]])
    source = open_dicom(in_syntax(ExplicitVRBigEndian, GREY, **tags), LIMITS)
    first, again = (next(source.iter_frames([0])) for _ in range(2))
    assert (first == again).all()


def test_segmented_palettes_are_read_in_both_orders():
    for syntax, order in ((ExplicitVRLittleEndian, "<u2"), (ExplicitVRBigEndian, ">u2")):
        ramp = np.concatenate([[0, 256], np.linspace(65535, 0, 256).round()]).astype(order).tobytes()
        tags: dict[str, object] = {"PhotometricInterpretation": "PALETTE COLOR"}
        for channel in ("Red", "Green", "Blue"):
            tags[f"{channel}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
            tags[f"Segmented{channel}PaletteColorLookupTableData"] = ramp
        assert_shows(in_syntax(syntax, GREY, **tags), np.dstack([255 - GREY] * 3))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("sequence", ["ModalityLUTSequence", "VOILUTSequence"])
@pytest.mark.parametrize(("bits", "packed"), [(16, False), (8, False), (8, True)])
def test_lookup_tables_are_read_and_filed_in_any_order_and_packing(syntax, sequence, bits, packed):
    table = np.linspace(2**bits - 1, 0, 256).round()
    words = table.astype("u1").view("<u2") if packed else table
    order = "<u2" if syntax == ExplicitVRLittleEndian else ">u2"
    data = in_syntax(syntax, GREY, **UIDS, **{sequence: [make_table(bits, words.astype(order).tobytes())]})
    shown = 255 - GREY.astype(int) if sequence == "VOILUTSequence" or bits == 8 else GREY.max() - GREY.astype(int)
    scale = 255 / np.ptp(GREY.astype(int)) if (sequence, bits) == ("ModalityLUTSequence", 16) else 1
    assert_shows(data, np.round(shown * scale))
    filed = pydicom.Dataset.from_json(decode_study(data, LIMITS)["Display"])[sequence].value[0].LUTData
    assert np.frombuffer(filed, "<u2").tolist() == table.tolist()


@pytest.mark.parametrize(
    ("sequence", "stated"), [("VOILUTSequence", 12), ("VOILUTSequence", 8), ("ModalityLUTSequence", 12)]
)
def test_a_table_of_signed_values_and_of_any_depth_is_read(sequence, stated):
    item = make_table(stated, np.round(np.linspace(4095, 0, 256)).astype("<u2").tobytes())
    item["LUTDescriptor"] = pydicom.DataElement("LUTDescriptor", "SS", [256, -128, stated])
    window = {"WindowCenter": 2048, "WindowWidth": 4096} if sequence == "ModalityLUTSequence" else {}
    data = make_dicom((GREY.astype(int) - 128).astype("i1"), **UIDS, **window, **{sequence: [item]})
    np.testing.assert_allclose(show(data).astype(int), 255 - GREY.astype(int), atol=1)


@pytest.mark.parametrize("sequence", ["ModalityLUTSequence", "VOILUTSequence"])
@pytest.mark.parametrize("held", [2, 100])
def test_a_part_of_a_lookup_table_is_ignored(sequence, held):
    data = make_dicom(GREY, **UIDS, **{sequence: [make_table(16, bytes(held))]})
    assert_shows(data, GREY)
    assert sequence not in str(decode_study(data, LIMITS)["Display"])


def make_table(bits, content):
    item = pydicom.Dataset()
    item.add_new("LUTDescriptor", "US", [256, 0, bits])
    item.add_new("LUTData", "OW", content)
    item.add_new("ModalityLUTType", "LO", "US")
    return item


@pytest.mark.parametrize("bits", [4, 6, 7])
def test_fewer_bits_than_8_reach_white(bits):
    low = GREY >> (8 - bits)
    stretched = np.round(low * (255 / (2**bits - 1)))
    assert_shows(make_dicom(low, BitsStored=bits, HighBit=bits - 1), stretched)
    assert_shows(make_dicom(np.dstack([low] * 3), BitsStored=bits, HighBit=bits - 1), np.dstack([stretched] * 3))


@pytest.mark.parametrize("order", ["<u2", ">u2"])
def test_values_in_the_upper_bits_are_read_as_they_count(order):
    stored = (GREY.astype(np.uint16) << 8).astype(order)
    tags = {"BitsStored": 8, "HighBit": 15, "WindowCenter": 128, "WindowWidth": 256}
    syntax = ExplicitVRLittleEndian if order == "<u2" else ExplicitVRBigEndian
    assert_shows(in_syntax(syntax, stored, **tags), GREY)


def test_terms_in_lower_case_are_understood():
    data = make_dicom(GREY_RGB).replace(b"CS\x02\x00US", b"CS\x02\x00us").replace(b"CS\x04\x00RGB ", b"CS\x04\x00rgb\0")
    assert_shows(data, GREY_RGB)
    assert not inspect_image(data).notes
    assert_shows(with_tags(make_dicom(GREY_RGB), "PlanarConfiguration"), GREY_RGB)


def test_empty_elements_of_display_are_ignored():
    empty = [pydicom.Dataset()]
    tags = {"ModalityLUTSequence": empty, "VOILUTSequence": empty, "RescaleSlope": None, "RescaleIntercept": None}
    assert_shows(make_dicom(GREY, **tags), GREY)
    assert_shows(make_dicom(GREY, VOILUTSequence=[pydicom.Dataset()], WindowCenter=None, WindowWidth=None), GREY)


def test_an_inverse_presentation_is_inverted_once():
    assert_shows(make_dicom(GREY, PresentationLUTShape="INVERSE"), 255 - GREY)
    inverse = make_dicom(GREY, PresentationLUTShape="INVERSE", PhotometricInterpretation="MONOCHROME1")
    assert_shows(inverse, 255 - GREY)
    assert_shows(make_dicom(GREY, PresentationLUTShape="IDENTITY"), GREY)


def test_pixel_spacing_gives_the_scale_where_no_region_does():
    frame = read_frame(make_dicom(GREY, PixelSpacing=[0.1, 0.1]))
    assert frame.mm_per_px == pytest.approx(0.1)
    assert any("pixel spacing" in note for note in frame.notes)
    both = read_frame(
        make_dicom(GREY, PixelSpacing=[0.3, 0.3], SequenceOfUltrasoundRegions=[make_region((0, 0, 79, 59))])
    )
    assert both.mm_per_px == pytest.approx(0.1)
    assert read_frame(make_dicom(GREY, PixelSpacing=[9, 9])).mm_per_px is None


def test_spacing_of_an_enhanced_file_comes_from_its_functional_groups():
    measures, group = pydicom.Dataset(), pydicom.Dataset()
    measures.PixelSpacing = [0.2, 0.1]
    group.PixelMeasuresSequence = [measures]
    frame = read_frame(make_dicom(GREY, SharedFunctionalGroupsSequence=[group]))
    assert frame.mm_per_px == pytest.approx(0.1)
    assert frame.source_scale == pytest.approx((1.0, 2.0), abs=0.05)


def test_an_overlay_is_said_to_be_left_out():
    ds = make_dataset(GREY)
    ds.add_new((0x6000, 0x3000), "OW", bytes(600))
    assert any("overlay" in note for note in read_frame(save(ds)).notes)


def test_files_as_strangers_write_them():
    assert show((CASES / "bits_stored_7.dcm").read_bytes()).max() == 255
    lut = show((CASES / "empty_lut_item_leadtools.dcm").read_bytes())
    assert lut.shape == (535, 800)
    assert lut.std() > 20
    rgb = read_frame((CASES / "d_422_but_rgb_native.dcm").read_bytes())
    assert rgb.colour.mean() < 0.05


def test_a_stream_of_another_syntax_keeps_its_sentence():
    ds = make_dataset(GREY)
    ds.PixelData = encapsulate([b"no stream at all"])
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    ds.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    with pytest.raises(ImageError, match="damaged or incomplete"):
        read_frame(save(ds))


@pytest.mark.parametrize("term", ["YBR_PARTIAL_422", "YBR_PARTIAL_420"])
def test_partial_levels_are_those_of_a_jpeg_or_refused(term):
    jpeg = make_jpeg_cine([GREY_RGB] * 2, quality=95)
    np.testing.assert_array_equal(show(with_tags(jpeg, PhotometricInterpretation=term)), show(jpeg))
    with pytest.raises(ImageError, match="stores its colours"):
        show(make_dicom(GREY_RGB, PhotometricInterpretation=term))


@pytest.mark.parametrize("term", ["YBR_ICT", "YBR_RCT"])
@pytest.mark.parametrize("held", ["RGB", "YCbCr"])
def test_a_codec_s_colours_without_the_codec_are_told_by_their_values(term, held):
    stored = np.asarray(Image.fromarray(GREY_RGB).convert(held))
    assert_shows(make_dicom(stored, PhotometricInterpretation=term), GREY_RGB, atol=2)


def test_an_overlay_in_unused_bits_is_said_to_be_left_out():
    ds = make_dataset((GREY.astype("<u2") << 4) | 0x8000, bits=12)
    ds.add_new(0x60000010, "US", GREY.shape[0])
    ds.add_new(0x60000102, "US", 15)
    assert any("overlay" in note for note in read_frame(save(ds)).notes)
    np.testing.assert_array_equal(show(save(ds)), show(make_dicom(GREY.astype("<u2") << 4, bits=12)))


@pytest.mark.parametrize("sop_class", ["1.2.840.10008.5.1.4.1.1.6.1", "1.2.840.10008.5.1.4.1.1.7", ""])
@pytest.mark.parametrize("value", ["REPORT", "DOSE REPORT", "DOSE_REPORT", "WORKSHEET"])
def test_a_report_is_refused_in_any_class(sop_class, value):
    with pytest.raises(ImageError, match="a report's picture"):
        read_frame(make_dicom(GREY, SOPClassUID=sop_class, ImageType=["DERIVED", "PRIMARY", value]))


def test_a_derived_capture_of_ultrasound_is_said_to_be_one():
    derived = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "ImageType": ["DERIVED", "SECONDARY"]}
    assert "secondary capture" in " ".join(read_frame(make_dicom(GREY, **derived)).notes)
    assert read_frame(make_dicom(GREY, ImageType=derived["ImageType"])).notes == ()


@pytest.mark.parametrize(
    "said",
    [
        {"ConversionType": "SYN"},
        {"ImageType": ["DERIVED", "SECONDARY"], "SeriesDescription": "OB Report, screen"},
        {"ImageType": ["DERIVED", "SECONDARY"], "Modality": "OT"},
    ],
)
def test_a_secondary_capture_of_a_report_is_refused_whatever_its_modality(said):
    capture = "1.2.840.10008.5.1.4.1.1.7"
    with pytest.raises(ImageError, match="secondary capture"):
        read_frame(make_dicom(GREY, SOPClassUID=capture, **said))
    assert read_frame(make_dicom(GREY, SOPClassUID=capture, ConversionType="DV")).is_ultrasound


@pytest.mark.parametrize("below", ["66", "66.4", "77.1.1", "78.1", "60", "128"])
def test_a_class_whose_number_only_begins_like_ultrasound_is_refused(below):
    with pytest.raises(ImageError, match="no ultrasound image, by its SOP class"):
        read_frame(make_dicom(GREY, SOPClassUID=f"1.2.840.10008.5.1.4.1.1.{below}"))


@pytest.mark.parametrize("below", ["3", "3.1", "6", "6.1", "6.2"])
def test_ultrasound_of_any_year_is_read(below):
    assert read_frame(make_dicom(GREY, SOPClassUID=f"1.2.840.10008.5.1.4.1.1.{below}")).is_ultrasound
