"""Small files that unpack, nest or count without end: each ends in a sentence, within limits, beside others' work."""

import asyncio
import io
import struct
import time
import zipfile
import zlib

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, UltrasoundMultiFrameImageStorage

from core.errors import ImageError, TableError
from core.imaging import read_frame
from core.tabular.read import read_table
from tests.core.tabular.workbooks import SHEET, replace_parts, write_sheet, write_workbook
from tests.security.client import Stranger

PAGE, UPLOADER = "Cohort", "Prediction table: CSV, Excel, ODS or Parquet"
WORKBOOK = write_workbook([["patient_id", "y", "prob"], ["P1", 1, 0.75]])
ENTITIES = "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9))
TABLES = {
    "deep XML": {SHEET: b"<worksheet><sheetData>" + b"<a>" * 1_000_000},
    "entities": {SHEET: f'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">{ENTITIES}]><worksheet>&j;</worksheet>'.encode()},
    "a far row": {SHEET: write_sheet('<row r="4000000000"><c r="ZZZZZZZ4000000000"><v>1</v></c></row>')},
    "a long attribute": {SHEET: b'<worksheet><sheetData a="' + b"x" * 50_000_000 + b'"/></worksheet>'},
}


def write_dicom(inserted: bytes = b"", syntax: str = ExplicitVRLittleEndian) -> bytes:
    """Write a small frame with bytes put in front of its modality."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = UltrasoundMultiFrameImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = "1.2.3"
    dataset.Modality, dataset.PhotometricInterpretation, dataset.NumberOfFrames = "US", "MONOCHROME2", "1"
    dataset.Rows = dataset.Columns = 64
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.SamplesPerPixel, dataset.PixelRepresentation = 7, 1, 0
    dataset.PixelData = bytes(64 * 64)
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    data = file.getvalue()
    at = data.index(struct.pack("<HH", 0x0008, 0x0060)) if inserted else len(data)
    return data[:at] + inserted + data[at:]


def write_deep_sequence(depth: int) -> bytes:
    """Write sequences within sequences."""
    opened = (
        struct.pack("<HH", 0x0008, 0x1140) + b"SQ\0\0\xff\xff\xff\xff" + struct.pack("<HHI", 0xFFFE, 0xE000, 2**32 - 1)
    )
    closed = struct.pack("<HHI", 0xFFFE, 0xE00D, 0) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    return write_dicom(opened * depth + closed * depth)


def write_deflated(megabytes: int) -> bytes:
    """Write a deflated file that unpacks to so many megabytes."""
    data = write_dicom(syntax=DeflatedExplicitVRLittleEndian)
    head = data[: 144 + struct.unpack("<I", data[140:144])[0]]
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return head + b"".join(packer.compress(bytes(1 << 20)) for _ in range(megabytes)) + packer.flush()


def write_png(inserted: bytes) -> bytes:
    """Write a grey PNG of 64 x 64 pixels with text that unpacks to much more."""
    header = struct.pack(">IIBBBBB", 64, 64, 8, 0, 0, 0, 0)
    chunks = [
        (b"IHDR", header),
        (b"zTXt", b"a\0\0" + inserted),
        (b"IDAT", zlib.compress(bytes(65 * 64))),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def write_nested_zip() -> bytes:
    """Write an archive of archives of 64 MB of zeros."""
    inner, outer = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", bytes(1 << 26))
    with zipfile.ZipFile(outer, "w") as archive:
        for number in range(20):
            archive.writestr(f"{number}.zip", inner.getvalue())
    return outer.getvalue()


IMAGES = {
    "deep sequences": lambda: write_deep_sequence(20_000),
    "deflated": lambda: write_deflated(400),
    "text in a PNG": lambda: write_png(zlib.compress(bytes(1 << 28), 9)),
    "archives in an archive": write_nested_zip,
}


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_that_grows_ends_in_a_sentence(name: str) -> None:
    began = time.monotonic()
    with pytest.raises(ImageError):
        read_frame(IMAGES[name]())
    assert time.monotonic() - began < 60


@pytest.mark.parametrize("name", TABLES)
def test_a_workbook_that_grows_ends_in_a_sentence(name: str) -> None:
    began = time.monotonic()
    with pytest.raises(TableError):
        read_table(replace_parts(WORKBOOK, TABLES[name]))
    assert time.monotonic() - began < 60


def test_others_go_on_beside_a_session_that_uploads_them(local: str) -> None:
    async def work() -> None:
        stranger, doctor = Stranger(local), Stranger(local)
        assert await stranger.knock() == await doctor.knock() == 101
        assert await stranger.open(PAGE)
        for name, parts in TABLES.items():
            attack = asyncio.create_task(stranger.upload(UPLOADER, replace_parts(WORKBOOK, parts), "t.xlsx"))
            began = time.monotonic()
            assert await doctor.open("Model"), name
            assert time.monotonic() - began < 20
            assert await attack
        await stranger.leave()
        await doctor.leave()

    asyncio.run(work())
