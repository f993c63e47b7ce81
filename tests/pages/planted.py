"""Breast images with names planted wherever a file can hold them, and the search for those names."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import fields, is_dataclass

import numpy as np
import pydicom
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from core.simulation import SimulatedFrame
from core.simulation.dicom import encode_dicom

NAME, PATIENT_ID, BIRTH, WARD = "Smithers^Annabel", "PLANT-4711", "19620229", "Wellington Infirmary"
FILE_NAME = "Smithers_Annabel_19620229.dcm"
WORDS = ("smithers", "annabel", "plant-4711", BIRTH, "wellington")
ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be")
CORNER, BAND = (560, 20), (slice(16, 40), slice(556, 900))


def make_files(frame: SimulatedFrame) -> dict[str, bytes]:
    """One image in a file of each kind, each full of names."""
    dicom = make_dicom(frame)
    folder = {"DICOMDIR": make_index(), f"IMAGES/{FILE_NAME}": dicom, f"{NAME}.txt": NAME.encode()}
    return {
        "dicom": dicom,
        "png": make_png(frame),
        "jpeg": make_jpeg(frame),
        "zip": make_zip({FILE_NAME: dicom}),
        "folder": make_zip(folder | {f"IMAGES/{NAME}.png": make_png(frame)}),
    }


def burn_in(frame: SimulatedFrame, words: str = f"{NAME} {BIRTH}") -> np.ndarray:
    """The screen with words above the B-mode area."""
    screen = Image.fromarray(frame.pixels)
    ImageDraw.Draw(screen).text(CORNER, words, fill=255, font_size=18)
    return np.asarray(screen)


def make_dicom(frame: SimulatedFrame, words: str = f"{NAME} {BIRTH}") -> bytes:
    """Names in tags of every group, in a sequence, in private tags, and burned in."""
    patient = {"patient_id": PATIENT_ID, "exam_date": "2024-01-02", "age": "50", "laterality": "left"}
    ds = pydicom.dcmread(io.BytesIO(encode_dicom(frame, patient, seed=1)))
    ds.PatientName, ds.PatientBirthDate, ds.InstitutionName, ds.OperatorsName = NAME, BIRTH, WARD, NAME
    ds.StudyDescription, ds.ImageComments, ds.StationName = f"Breast of {NAME}", f"{NAME}, {WARD}", "Wellington 3"
    ds.AccessionNumber, ds.DeviceSerialNumber, ds.ProtocolName = PATIENT_ID, f"S {WARD}", NAME
    ds.StudyInstanceUID, ds.SeriesInstanceUID = f"1.2.{BIRTH}", f"1.2.{BIRTH}.1"
    ds.private_block(0x0011, f"Maker for {WARD}", create=True).add_new(1, "LO", NAME)
    ds.SequenceOfUltrasoundRegions[0].add_new(0x00081030, "LO", NAME)
    inner = Dataset()
    inner.PatientName, inner.PatientID = NAME, PATIENT_ID
    ds.RequestAttributesSequence = [inner]
    ds.PixelData = burn_in(frame, words).tobytes()
    return _save(ds)


def make_index() -> bytes:
    """The index of a folder, which names the patients of its files."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    ds.file_meta.MediaStorageSOPInstanceUID = f"1.2.{BIRTH}.2"
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    record = Dataset()
    record.DirectoryRecordType, record.PatientName, record.PatientID = "PATIENT", NAME, PATIENT_ID
    ds.DirectoryRecordSequence = [record]
    return _save(ds)


def make_png(frame: SimulatedFrame) -> bytes:
    """Names in text chunks, in EXIF and burned in."""
    info = PngInfo()
    for key in ("Title", "Author", "Comment"):
        info.add_text(key, f"{NAME} {PATIENT_ID}")
    info.add_itxt("Description", f"{NAME}, {WARD}", zip=True)
    return _encode(frame, "PNG", pnginfo=info, exif=_make_exif(), compress_level=1)


def make_jpeg(frame: SimulatedFrame) -> bytes:
    """Names in EXIF, in a comment and burned in."""
    return _encode(frame, "JPEG", quality=100, exif=_make_exif(), comment=f"{NAME} {BIRTH}".encode())


def make_zip(files: dict[str, bytes]) -> bytes:
    """Pack files; their names name the patient, and so does the comment."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.comment = NAME.encode()
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def find_words(*things: object) -> set[str]:
    """The planted words in what things hold, through their attributes, arrays and bytes."""
    found = set()
    for data in (piece.lower() for thing in things for piece in walk(thing, set())):
        found |= {word for word in WORDS if any(word.encode(encoding) in data for encoding in ENCODINGS)}
    return found


def find_ink(frame: SimulatedFrame, *things: object) -> bool:
    """Whether a row of the burned-in letters is among the pixels that things hold."""
    rows = {row.tobytes() for row in burn_in(frame)[BAND] if (row > 200).sum() > 30}
    assert rows
    return any(row in data for thing in things for data in walk(thing, set()) for row in rows)


def walk(thing: object, seen: set[int]) -> Iterator[bytes]:
    """The bytes of every text, number, array and buffer that can be reached from a thing."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, bytes | bytearray | memoryview):
        yield bytes(thing)
    elif isinstance(thing, np.ndarray):
        yield thing.tobytes()
    elif isinstance(thing, dict):
        for item in thing.items():
            yield from walk(item, seen)
    elif isinstance(thing, list | tuple | set | frozenset):
        for item in thing:
            yield from walk(item, seen)
    elif isinstance(thing, str | int | float | None) or type(thing).__module__ == "builtins":
        yield str(thing).encode()
    else:
        yield repr(thing).encode()
        names = (
            [field.name for field in fields(thing)] if is_dataclass(thing) else vars(type(thing)).get("__slots__", ())
        )
        yield from walk([getattr(thing, name, None) for name in names], seen)
        yield from walk(getattr(thing, "__dict__", {}), seen)


def _make_exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010E], exif[0x013B], exif[0x8298] = f"{NAME} {PATIENT_ID}", NAME, WARD
    return exif


def _encode(frame: SimulatedFrame, name: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(burn_in(frame)).save(buffer, name, **options)
    return buffer.getvalue()


def _save(ds: Dataset) -> bytes:
    buffer = io.BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
