"""A DICOM copy without the patient: PS3.15 basic profile, then only the tags and the pixels that an image needs."""

import re
from hashlib import sha256
from io import BytesIO
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders import RLELosslessEncoder
from pydicom.tag import Tag
from pydicom.uid import UID, RLELossless

from core.errors import ImageError
from core.imaging.decoding.decode import choose_region
from core.imaging.decoding.dicom.items import read_items
from core.imaging.decoding.dicom.opening import open_dicom
from core.imaging.decoding.dicom.side import read_side
from core.imaging.decoding.dicom.source import DicomSource
from core.imaging.decoding.dicom.study import is_valid, write_out
from core.imaging.decoding.dicom.ultrasound import find_regions
from core.imaging.decoding.formats import detect_format
from core.imaging.decoding.hiding import find_faint, hide_identity, join_boxes
from core.imaging.decoding.limits import Limits
from core.imaging.decoding.pseudonyms import make_pseudonym, make_uid, tell_patient
from core.imaging.decoding.raster import to_grey
from core.imaging.frame import CleanedFile, Roi

_IMAGE = UID("1.2.840.10008.5.1.4.1.1.6.1")
_LOOP = UID("1.2.840.10008.5.1.4.1.1.3.1")
_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
_OF_PATIENT = ("IssuerOfPatientID", "PatientName", "PatientBirthDate")
_LOSSY_METHOD, _STANDARDS = "LossyImageCompressionMethod", re.compile(r"[\[\]', ]*(?:ISO_[0-9_]+[\[\]', ]*)+")
_KEPT = (
    "FrameTime",
    "LossyImageCompression",
    "LossyImageCompressionRatio",
    _LOSSY_METHOD,
    "PixelSpacing",
    "PixelAspectRatio",
)
_DEVICE = ("Manufacturer", "ManufacturerModelName")
_OF_DEVICES = {*_DEVICE, "SoftwareVersions", "TransducerData", "ProtocolName"}
_NUMBERS = ("SeriesNumber", "InstanceNumber")
_MOST_DIGITS = 4  # a longer one is a date, a time or a patient's number
_NAMING_VRS, _NAMING_WORD = ("PN", "LO", "SH", "AE", "LT", "ST", "UT", "UC", "DA"), re.compile(r"[^\W_]{4,}")
_SHORT_WORD = re.compile(r"[^\W_]{2,}")
_EMPTIED = (
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ReferringPhysicianName",
    "PatientBirthDate",
    "PatientSex",
    "StudyID",
    "PatientOrientation",
    "Manufacturer",
    "SeriesNumber",
    "InstanceNumber",
)
_REGION_KEPT = (
    "RegionSpatialFormat",
    "RegionDataType",
    "RegionFlags",
    "RegionLocationMinX0",
    "RegionLocationMinY0",
    "RegionLocationMaxX1",
    "RegionLocationMaxY1",
    "PhysicalUnitsXDirection",
    "PhysicalUnitsYDirection",
    "PhysicalDeltaX",
    "PhysicalDeltaY",
    "TransducerFrequency",
)
_METHOD = "PS3.15 basic profile; tags and pixels of the image only"
_PROFILE, _CLEAN_PIXELS = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113101", "Clean Pixel Data Option"),
)
_NO_UNIT = 0
_SAMPLED_FRAMES = 16  # of a loop, in which faint writing is looked for: it stays where it is
_FRAME_TIME = 1000 / 25  # ms; what machines mean who state none


def decode_deidentified(data: bytes, limits: Limits, *, key: bytes, is_reviewed: bool = False) -> CleanedFile:
    """Write a copy of an ultrasound DICOM file that names nobody; runs in the decoder's process."""
    if detect_format(data) != "DICOM":
        raise ImageError("Only DICOM files hold a header to clean; other images are kept as their B-mode area anyway.")
    source = open_dicom(data, limits)
    replaced = _rename(source.header, key, sha256(data).hexdigest())
    named, _ = find_regions(source.header, source.width, source.height)
    regions = [_copy_region(item) for item in read_items(source.header, "SequenceOfUltrasoundRegions") if len(item)]
    copy = _clean_header(source.header, {name: replaced[name][1] for name in ("PatientID", *_UIDS)})
    _claim(copy, is_reviewed=is_reviewed)
    if source.is_lossy:
        copy.LossyImageCompression = "01"
    boxes, hidden, flow = _write_pixels(copy, source, [region.box for region in named])
    copy.SequenceOfUltrasoundRegions = regions if named else [_describe_region(box) for box in boxes]
    stream = BytesIO()
    copy.save_as(stream, enforce_file_format=True)
    return CleanedFile(stream.getvalue(), hidden, flow, replaced)


def _rename(header: Dataset, key: bytes, sha256: str) -> dict[str, tuple[str, str]]:
    """Give new names to the patient and to study, series and instance; what has none gets one from study or file."""
    old = {name: str(header.get(name) or "").strip() for name in _UIDS}
    named = {name: write_out(header[name], header).strip("\0 ") for name in _OF_PATIENT if header.get(name)}
    patient_id = str(header.get("PatientID") or "").strip()
    identity = tell_patient(patient_id, named.get("PatientName", ""), named.get("PatientBirthDate", ""))
    pseudonym = make_pseudonym(key, identity or old["StudyInstanceUID"] or f"patient of {sha256}")
    renamed = {name: (uid, make_uid(key, name, uid or f"{name} of {sha256}")) for name, uid in old.items()}
    patient = {"PatientID": patient_id, **named}
    return {name: (value, pseudonym) for name, value in patient.items()} | renamed


def _clean_header(header: Dataset, names: dict[str, str]) -> Dataset:
    """Apply the basic profile, and keep of its result what an image needs."""
    from dicomanonymizer import anonymize_dataset  # noqa: PLC0415 - needed by this task alone

    device = {name: _printable(header[name].value) for name in _DEVICE if header.get(name)}
    naming = _list_naming_words(header)
    device = {name: value for name, value in device.items() if not _names_somebody(value, naming)}
    numbers = [name for name in _NUMBERS if is_valid(header, name) and len(str(header[name].value)) <= _MOST_DIGITS]
    kept = {name: header[name].value for name in (*_KEPT, *numbers) if is_valid(header, name)}
    if not _STANDARDS.fullmatch(str(kept.get(_LOSSY_METHOD, ""))):
        kept.pop(_LOSSY_METHOD, None)
    side = read_side(header)
    anonymize_dataset(header)
    copy = Dataset()
    copy.SpecificCharacterSet = "ISO_IR 192"
    for name in _EMPTIED:
        setattr(copy, name, None)
    if len(side) == 1:
        copy.ImageLaterality = side
    else:
        copy.Laterality = None
    for name, value in (kept | device | names).items():
        setattr(copy, name, value)
    copy.PatientName, copy.Modality = names["PatientID"], "US"
    copy.ImageType = ["DERIVED", "PRIMARY"]
    copy.PatientIdentityRemoved, copy.DeidentificationMethod = "YES", _METHOD
    copy.LongitudinalTemporalInformationModified = "REMOVED"
    copy.file_meta = FileMetaDataset()
    copy.file_meta.TransferSyntaxUID = RLELossless
    copy.file_meta.MediaStorageSOPInstanceUID = copy.SOPInstanceUID
    return copy


def _claim(copy: Dataset, *, is_reviewed: bool) -> None:
    """Say what was done; that no writing is left on the pixels, only where a person has looked (PS3.15 E.3.1)."""
    codes = (_PROFILE, _CLEAN_PIXELS) if is_reviewed else (_PROFILE,)
    copy.DeidentificationMethodCodeSequence = [_make_code(*code) for code in codes]
    copy.BurnedInAnnotation = "NO" if is_reviewed else "YES"


def _list_naming_words(header: Dataset) -> set[str]:
    """Words by which a header names persons, places and times, wherever they stand in it."""
    found: set[str] = set()
    for element in header.iterall():
        if element.VR in _NAMING_VRS and element.keyword not in _OF_DEVICES and not element.tag.is_private:
            found |= _list_words(str(element.value))
            if element.VR == "PN":
                found |= _list_name(str(element.value))
    return found


def _list_name(name: str) -> set[str]:
    """Words of a name of two letters or more, and each way of writing it as one word, as Chinese and Korean are."""
    groups = re.split(r"[=,\[\]']+", name.casefold())
    joined = {re.sub(r"[\W_]+", "", group) for group in groups if not group.isascii()}
    return set(_SHORT_WORD.findall(name.casefold())) | joined - {""}


def _names_somebody(value: str, naming: set[str]) -> bool:
    words = set(_SHORT_WORD.findall(value.casefold()))
    return bool(words & naming) or any(
        not name.isascii() and len(name) > 1 and name in value.casefold() for name in naming
    )


def _list_words(text: str) -> set[str]:
    return set(_NAMING_WORD.findall(text.casefold()))


def _printable(value: object) -> str:
    return "".join(char for char in str(value) if char.isprintable())[:64]


def _make_code(value: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "DCM", meaning
    return code


def _copy_region(item: Dataset) -> Dataset:
    region = Dataset()
    for name in _REGION_KEPT:
        if isinstance(value := item.get(name), int | float):
            setattr(region, name, value)
    return region


def _describe_region(box: Roi) -> Dataset:
    """Write the area that was kept as a region of tissue without scale."""
    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 0
    region.RegionLocationMinX0, region.RegionLocationMinY0 = int(box.x0), int(box.y0)
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = int(box.x1) - 1, int(box.y1) - 1
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = _NO_UNIT
    region.PhysicalDeltaX = region.PhysicalDeltaY = 1.0
    return region


def _write_pixels(
    copy: Dataset, source: DicomSource, named: list[Roi]
) -> tuple[list[Roi], tuple[Roi, ...], tuple[Roi, ...]]:
    """Write all frames, one at a time; give the areas that were kept, where words were blackened, and the flow."""
    boxes, frames = list(named), []
    hidden: tuple[Roi, ...] = ()
    flow: tuple[Roi, ...] = ()
    sampled = np.unique(np.linspace(0, source.count - 1, min(source.count, _SAMPLED_FRAMES)).astype(int)).tolist()
    faint = find_faint(list(source.iter_frames(sampled)))
    for image in source.iter_frames(range(source.count)):
        boxes = boxes or [choose_region((), None, to_grey(image))[0].box]
        kept, words, coloured = hide_identity(image, boxes, are_named=bool(named), faint=faint)
        hidden, flow = join_boxes((*hidden, *words)), join_boxes((*flow, *coloured))
        _describe_pixels(copy, image.shape, source.count)
        frames.append(RLELosslessEncoder.encode(kept.tobytes(), **_encoding(copy)))
    if not frames:
        raise ImageError("The DICOM file holds no frames. Export it again.")
    copy.PixelData = encapsulate(frames)
    copy["PixelData"].VR = "OB"
    copy["PixelData"].is_undefined_length = True
    return boxes, hidden, flow


def _describe_pixels(copy: Dataset, shape: tuple[int, ...], count: int) -> None:
    copy.Rows, copy.Columns = shape[:2]
    copy.SOPClassUID = copy.file_meta.MediaStorageSOPClassUID = _LOOP if count > 1 else _IMAGE
    if count > 1:
        copy.NumberOfFrames = count
        copy.FrameTime = copy.get("FrameTime") or _FRAME_TIME
        copy.FrameIncrementPointer = Tag("FrameTime")
    copy.SamplesPerPixel = 3 if len(shape) == 3 else 1
    copy.PhotometricInterpretation = "RGB" if len(shape) == 3 else "MONOCHROME2"
    if len(shape) == 3:
        copy.PlanarConfiguration = 0
    copy.BitsAllocated = copy.BitsStored = 8
    copy.HighBit, copy.PixelRepresentation = 7, 0


def _encoding(copy: Dataset) -> dict[str, Any]:
    return {
        "rows": copy.Rows,
        "columns": copy.Columns,
        "samples_per_pixel": copy.SamplesPerPixel,
        "bits_allocated": 8,
        "bits_stored": 8,
        "pixel_representation": 0,
        "photometric_interpretation": copy.PhotometricInterpretation,
        "number_of_frames": 1,
        "planar_configuration": 0,
    }
