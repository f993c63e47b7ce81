"""The door for image files: what comes back for good files, and the sentence for every other one."""

import hashlib
import zipfile
import zlib
from io import BytesIO

import numpy as np
import pydicom.data
import pydicom.encaps
import pytest
from PIL import Image

from core.errors import BusyError, ImageError
from core.imaging import Roi, inspect_image, read_frame, read_frames
from core.imaging.decoding.decoder import Decoder
from core.imaging.intake import read_loop
from tests.core.imaging.samples import (
    encode,
    make_dataset,
    make_dicom,
    make_jpeg_cine,
    make_region,
    make_screen,
    make_speckle,
    save,
)

AREA = make_speckle(300, 360)
SCREEN = make_screen(AREA, (90, 50), (560, 400))


def zip_of(*files: bytes) -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, content in enumerate(files):
            archive.writestr(f"Planted^Patricia/{number}.dat", content)
    return stream.getvalue()


@pytest.mark.parametrize("name", ["PNG", "BMP", "TIFF"])
def test_a_lossless_screen_gives_exactly_its_b_mode_area(name):
    data = encode(SCREEN, name)
    frame = read_frame(data)
    assert inspect_image(data).size == (560, 400)
    assert frame.origin == (90.0, 50.0)
    np.testing.assert_array_equal(frame.pixels, AREA)
    assert frame.mm_per_px is None
    assert frame.sha256 == hashlib.sha256(data).hexdigest()


def test_a_jpeg_screen_gives_its_area_within_a_block():
    frame = read_frame(encode(SCREEN, "JPEG", quality=85))
    assert np.abs(np.subtract(frame.origin, (90, 50))).max() <= 8
    assert np.abs(np.subtract(frame.pixels.shape, AREA.shape)).max() <= 16


def test_pixels_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        read_frame(encode(AREA)).pixels[0, 0] = 1


def test_exif_orientation_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encode(AREA, "JPEG", quality=95, exif=exif)
    assert inspect_image(data).size == (300, 360)
    turned = read_frame(data).pixels
    assert turned.shape == (360, 300)
    assert np.abs(turned.astype(int) - np.rot90(AREA, -1)).mean() < 4


def test_transparent_parts_are_black():
    layer = np.dstack([AREA] * 3 + [np.full_like(AREA, 255)])
    layer[:150, :, 3] = 0
    pixels = read_frame(encode(layer)).pixels
    assert pixels.shape != AREA.shape or not pixels[:150].any()


def test_sixteen_bit_png_keeps_its_order():
    deep = np.round(AREA.astype(np.uint16) * (4095 / 255)).astype(np.uint16)
    np.testing.assert_allclose(read_frame(encode(deep)).pixels, AREA, atol=1)


def test_fractions_of_one_are_levels_too():
    fractions = AREA.astype(np.float32) / 255
    np.testing.assert_allclose(read_frame(encode(fractions, "TIFF")).pixels, AREA, atol=1)


def test_a_page_of_a_tiff_can_be_chosen():
    stream = BytesIO()
    first, second = Image.fromarray(AREA), Image.fromarray(make_speckle(300, 360, seed=2))
    first.save(stream, "TIFF", save_all=True, append_images=[second])
    data = stream.getvalue()
    assert inspect_image(data).frame_count == 2
    np.testing.assert_array_equal(read_frame(data, index=1).pixels, np.asarray(second))
    with pytest.raises(ImageError, match="Frame 3 was asked for, but the file holds 2"):
        read_frame(data, index=2)


def test_a_dicom_region_gives_area_and_scale():
    data = make_dicom(SCREEN, SequenceOfUltrasoundRegions=[make_region((90, 50, 449, 349), TransducerFrequency=12000)])
    frame = read_frame(data)
    np.testing.assert_array_equal(frame.pixels, AREA)
    assert frame.mm_per_px == pytest.approx(0.1)
    assert frame.device == "Acme Echo 9, 12 MHz"
    assert frame.notes == ()


def test_unequal_scales_are_resampled_to_square_pixels_and_boxes_follow():
    region = make_region((90, 50, 449, 349), (0.1, 0.2))
    frame = read_frame(make_dicom(SCREEN, SequenceOfUltrasoundRegions=[region]))
    assert frame.pixels.shape == (600, 360)
    assert frame.mm_per_px == pytest.approx(0.1)
    box = Roi(100.5, 60, 200, 160)
    assert frame.to_frame(box) == Roi(10.5, 20, 110, 220)
    assert frame.to_source(frame.to_frame(box)) == box
    assert any("not square" in note for note in frame.notes)


def test_a_scale_in_other_units_is_not_taken():
    region = make_region((90, 50, 449, 349), PhysicalUnitsXDirection=4)
    assert read_frame(make_dicom(SCREEN, SequenceOfUltrasoundRegions=[region])).mm_per_px is None


def test_a_region_off_the_pixels_is_ignored_with_its_scale():
    frame = read_frame(make_dicom(SCREEN, SequenceOfUltrasoundRegions=[make_region((180, 100, 899, 699))]))
    assert frame.mm_per_px is None
    assert frame.origin == (90.0, 50.0)
    assert any("lies outside its pixels" in note for note in frame.notes)


def test_a_region_two_pixels_over_the_edge_is_clamped():
    frame = read_frame(make_dicom(AREA, SequenceOfUltrasoundRegions=[make_region((0, 0, 361, 301))]))
    assert frame.pixels.shape == AREA.shape
    assert frame.mm_per_px == pytest.approx(0.1)
    assert any("clamped" in note for note in frame.notes)


def test_of_several_regions_one_can_be_chosen():
    regions = [make_region((90, 50, 189, 349)), make_region((250, 50, 449, 349))]
    data = make_dicom(SCREEN, SequenceOfUltrasoundRegions=regions)
    assert [region.box.width for region in inspect_image(data).regions] == [100, 200]
    assert read_frame(data, region=0).width == 100
    assert read_frame(data).width == 200
    with pytest.raises(ImageError, match="Region 3 was asked for, but the image has 2"):
        read_frame(data, region=2)


def test_traces_alone_are_refused():
    data = make_dicom(SCREEN, SequenceOfUltrasoundRegions=[make_region((0, 0, 99, 99), RegionSpatialFormat=3)])
    with pytest.raises(ImageError, match="no B-mode region"):
        read_frame(data)


def test_the_sharpest_frame_of_a_loop_is_the_default():
    blurred = np.asarray(Image.fromarray(AREA).resize((90, 75)).resize((360, 300), Image.Resampling.BICUBIC))
    loop = [make_screen(area, (90, 50), (560, 400)) for area in (blurred, blurred, AREA, blurred)]
    data = make_jpeg_cine(loop, SequenceOfUltrasoundRegions=[make_region((90, 50, 449, 349))])
    assert inspect_image(data).frame_count == 4
    frame = read_frame(data)
    assert (frame.frame_index, frame.frame_count) == (2, 4)
    assert read_frame(data, index=0).frame_index == 0


def test_an_archive_lists_its_images_without_names():
    data = zip_of(make_dicom(SCREEN), b"a text about it", encode(AREA))
    info = inspect_image(data)
    assert [item.format for item in info.items] == ["DICOM", "PNG"]
    assert "Planted" not in repr(info)
    np.testing.assert_array_equal(read_frame(data, item=1).pixels, AREA)
    with pytest.raises(ImageError, match=r"holds 2 images\. Choose one"):
        read_frame(data)
    assert read_frame(zip_of(encode(AREA))).pixels.shape == AREA.shape


def test_a_dicomdir_folder_in_an_archive_lists_its_images_only():
    data = zip_of(shipped("DICOMDIR"), make_dicom(SCREEN), make_dicom(AREA))
    assert [item.format for item in inspect_image(data).items] == ["DICOM", "DICOM"]
    np.testing.assert_array_equal(read_frame(data, item=1).pixels, AREA)


def test_many_files_come_back_in_order(tmp_path):
    paths = []
    for seed in range(7):
        path = tmp_path / f"{seed}.png"
        path.write_bytes(encode(make_speckle(40, 50, seed)))
        paths.append(path)
    for seed, frame in enumerate(read_frames(paths)):
        np.testing.assert_array_equal(frame.pixels, make_speckle(40, 50, seed))
    assert seed == 6


def deflate_bomb() -> bytes:
    ds = make_dataset(AREA)
    plain = save(ds)
    start = 144 + int.from_bytes(plain[140:144], "little")
    ds.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
    meta = save(ds)
    meta = meta[: 144 + int.from_bytes(meta[140:144], "little")]
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = packer.compress(plain[start:]) + b"".join(packer.compress(bytes(10_000_000)) for _ in range(40))
    return meta + packed + packer.flush()


def shipped(name: str) -> bytes:
    with open(pydicom.data.get_testdata_file(name), "rb") as file:
        return file.read()


def huge_png() -> bytes:
    data = bytearray(encode(AREA))
    data[16:24] = (40_000).to_bytes(4, "big") + (40_000).to_bytes(4, "big")
    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
    return bytes(data)


REFUSED = {
    "empty": (b"", "The file is empty"),
    "text": (b"patient;age\n1;63\n" * 40, "holds text, not an image"),
    "PDF": (b"%PDF-1.7\n\x00" + bytes(400), "a PDF document"),
    "GIF": (b"GIF89a" + bytes(400), "a GIF image"),
    "MP4": (b"\0\0\0\x20ftypisom" + bytes(400), "MP4 video"),
    "noise": (bytes(range(255, 3, -1)) * 4, "no known image format"),
    "huge": (huge_png(), "40000 x 40000 pixels"),
    "wide": (encode(np.zeros((4, 40_000), np.uint8)), "40000 x 4 pixels"),
    "truncated PNG": (encode(SCREEN)[:9_000], "damaged or incomplete"),
    "truncated JPEG": (encode(SCREEN, "JPEG")[:9_000], "damaged or incomplete"),
    "truncated TIFF": (encode(SCREEN, "TIFF")[:9_000], "damaged or incomplete"),
    "truncated DICOM": (make_dicom(SCREEN)[:9_000], "damaged or incomplete"),
    "CT": (shipped("CT_small.dcm"), "is a CT image"),
    "MRI": (shipped("MR_small.dcm"), "is an MRI image"),
    "report": (shipped("reportsi.dcm"), "is a report"),
    "DICOMDIR": (shipped("DICOMDIR"), "is a DICOMDIR"),
    "ECG": (shipped("waveform_ecg.dcm"), "is an ECG"),
    "other": (make_dicom(AREA, Modality="ZZ"), "of another modality"),
    "document": (make_dicom(AREA, SOPClassUID="1.2.840.10008.5.1.4.1.1.104.1"), "an encapsulated document"),
    "frames": (make_dicom(np.zeros((2001, 8, 8), np.uint8), frames=2001), "holds 2001 frames; at most 2000"),
    "deflate bomb": (deflate_bomb(), "The file unpacks to more than"),
    "zip bomb": (zip_of(bytes(310_000_000)), "unpacks to more than 300 MB"),
    "zip of text": (zip_of(b"only words"), "holds no image"),
    "truncated zip": (zip_of(encode(SCREEN))[:5_000], "zip archive is damaged"),
}


@pytest.mark.parametrize(("data", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_cant_be_used_is_refused_in_one_sentence(data, sentence):
    with pytest.raises(ImageError, match=sentence) as refusal:
        read_frame(data)
    assert "\n" not in str(refusal.value)
    assert "Planted" not in str(refusal.value)


def test_a_video_that_is_none_is_refused_by_name():
    ds = make_dataset(AREA)
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.102"
    ds.PixelData = pydicom.encaps.encapsulate([b"\0\0\1\x67stream"])
    with pytest.raises(ImageError, match="video is damaged"):
        inspect_image(save(ds))


@pytest.mark.parametrize("indices", [[0], [1, 3], [0, 1, 2, 3]])
def test_frames_of_a_loop_decoded_together_are_those_decoded_alone(indices):
    data = make_jpeg_cine([np.roll(SCREEN, shift, axis=1) for shift in range(4)])
    together = read_loop(data, indices)
    for index, frame in zip(indices, together, strict=True):
        alone = read_frame(data, index=index)
        np.testing.assert_array_equal(frame.pixels, alone.pixels)
        assert (frame.frame_index, frame.frame_count, frame.origin) == (index, 4, alone.origin)
        assert frame.sha256 == alone.sha256


def test_one_of_many_files_is_read_again_where_the_computer_was_too_busy(monkeypatch):
    asked = []

    def ask(decoder: Decoder, request: dict, data: bytes) -> tuple[dict, bytes]:
        asked.append(1)
        if len(asked) < 3:
            raise BusyError("The server is busy with others.")
        return own(decoder, request, data)

    own = Decoder.ask
    monkeypatch.setattr(Decoder, "ask", ask)
    assert read_frame(encode(AREA), bulk=True).pixels.shape == AREA.shape
    asked.clear()
    with pytest.raises(BusyError):
        read_frame(encode(AREA))
