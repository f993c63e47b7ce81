"""The study that a DICOM image belongs to: what objects derived from it must repeat; runs in the decoder's process.

This is the one way on which a patient's name leaves a file. It leads into the results of the same study and nowhere
else: not into a log, a file's name, a session or a page.
"""

import re

import numpy as np
from pydicom import Dataset
from pydicom.charset import python_encoding
from pydicom.config import RAISE
from pydicom.datadict import dictionary_VM, dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.multival import MultiValue
from pydicom.valuerep import validate_value

from core.errors import ImageError
from core.imaging.decoding.dicom.display import has_table, is_inverse, read_table
from core.imaging.decoding.dicom.opening import open_dicom
from core.imaging.decoding.dicom.side import read_side
from core.imaging.decoding.formats import detect_format
from core.imaging.decoding.limits import Limits

_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")
_IDENTITY = ("PatientID", "PatientName", "AccessionNumber", "StudyID")
_DESCRIPTION = (
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
    "StudyDescription",
    "TimezoneOffsetFromUTC",
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "LossyImageCompressionRatio",
    "LossyImageCompressionMethod",
)
_WINDOW = ("WindowCenter", "WindowWidth", "VOILUTFunction")
_RESCALING = ("RescaleSlope", "RescaleIntercept", "RescaleType")
_TABLES = ("ModalityLUTSequence", "VOILUTSequence")
_LONG_TEXTS, _CONTROL = {"LT", "ST", "UT"}, re.compile(r"[\x00-\x1f\x7f-\x9f]")
_GB2312, _TO_GB2312 = "ISO 2022 IR 58", "\x1b$)A"  # the one escape sequence that pydicom leaves in what it decodes
_CODECS = {_GB2312: "gb2312", "ISO 2022 IR 159": "iso2022_jp_1"}  # pydicom's own know more sets, or can't encode
_DEFAULT_SETS = {"", "ISO_IR 6", "ISO 2022 IR 6"}
_BYTES = (
    "Its {name} holds bytes that its character set does not have, so that results can't be filed with it. Correct "
    "SpecificCharacterSet in the archive."
)
_BREAK = "Its {name} breaks the DICOM standard, so that results can't be filed with it. Correct it in the archive."


def decode_study(data: bytes, limits: Limits) -> dict[str, str | int]:
    """Read what results of the same study must repeat."""
    if detect_format(data) != "DICOM":
        raise ImageError("The file is not a DICOM file, so it names no study to file results with.")
    source = open_dicom(data, limits)
    found: dict[str, str | int] = {name: read_value(source.header, name, strict=True) for name in (*_UIDS, *_IDENTITY)}
    for name in _UIDS:
        if not found[name]:
            raise ImageError(f"The DICOM file has no {name}, so that results can't be filed with it. Export it again.")
    found |= {name: read_value(source.header, name, strict=False) for name in _DESCRIPTION}
    return found | {
        "Rows": source.height,
        "Columns": source.width,
        "NumberOfFrames": source.count,
        "PhotometricInterpretation": str(source.header.get("PhotometricInterpretation") or ""),
        "SamplesPerPixel": int(source.header.get("SamplesPerPixel") or 1),
        "LossyImageCompression": "01" if source.is_lossy else "",
        "Side": read_side(source.header),
        "Display": _copy_display(source.header).to_json(),
    }


def _copy_display(header: Dataset) -> Dataset:
    """Take window, rescaling and lookup tables of grey pixels, where they are filled in, without words on them."""
    display = Dataset()
    if header.get("SamplesPerPixel") != 1 or header.get("PhotometricInterpretation") == "PALETTE COLOR":
        return display
    if is_inverse(header):
        display.PresentationLUTShape = "INVERSE"
    left_out: tuple[str, ...] = () if _has_window(header) else _WINDOW
    left_out += () if header.get("RescaleSlope") else _RESCALING
    for name in (name for name in (*_WINDOW, *_RESCALING) if name not in left_out and is_valid(header, name)):
        setattr(display, name, header[name].value)
    for name in (name for name in _TABLES if has_table(header, name)):
        display.add_new(name, "SQ", [_copy_table(header, name)])
    return display


def _has_window(header: Dataset) -> bool:
    """Whether each window has a centre and a width above 0."""
    centres, widths = (
        list(value) if isinstance(value := header.get(name), MultiValue) else [value] for name in _WINDOW[:2]
    )
    return len(centres) == len(widths) and None not in centres and all(width and width > 0 for width in widths)


def _copy_table(header: Dataset, name: str) -> Dataset:
    """Take a lookup table, its values as words of 16 bits, the lower byte first."""
    table, item = Dataset(), header[name].value[0]
    table.add(item["LUTDescriptor"])
    table.add_new("LUTData", "OW", np.asarray(read_table(header, name), "<u2").tobytes())
    if "ModalityLUTType" in item:
        table.add(item["ModalityLUTType"])
    return table


def read_value(header: Dataset, name: str, *, strict: bool) -> str:
    """Read one value as text; one that its type does not allow is refused or left empty."""
    if name not in header:
        return ""
    text = write_out(header[name], header)
    if not _is_decoded(text, header):
        raise ImageError(_BYTES.format(name=name))
    if _keeps_type(text, dictionary_VR(name)) and not _is_double(text, name):  # files state others
        return text
    if strict:
        raise ImageError(_BREAK.format(name=name))
    return ""


def is_valid(header: Dataset, name: str) -> bool:
    """Whether a header has an element that is not empty and that its type allows, whatever type the file states."""
    try:
        return (
            name in header and bool(text := write_out(header[name], header)) and _keeps_type(text, dictionary_VR(name))
        )
    except ValueError:  # a number that is none
        return False


def write_out(element: DataElement, header: Dataset) -> str:
    """Write an element's value as text, without the escape sequences that pydicom leaves in it."""
    parts = element.value if isinstance(element.value, MultiValue) else [element.value]
    text = "\\".join("" if part is None else str(part).strip() for part in parts)
    return text.replace(_TO_GB2312, "") if _GB2312 in _list_sets(header) else text


def _is_double(text: str, name: str) -> bool:
    """Whether an element that holds one value has several: whose an image is would be left open."""
    return dictionary_VM(name) == "1" and dictionary_VR(name) not in _LONG_TEXTS and "\\" in text


def _keeps_type(text: str, vr: str) -> bool:
    if vr not in _LONG_TEXTS and _CONTROL.search(text):
        return False
    try:
        for part in text.split("\\"):
            validate_value(vr, part, RAISE)
    except (ValueError, TypeError):
        return False
    return True


def _is_decoded(text: str, header: Dataset) -> bool:
    """Whether all bytes of a text were characters of its set; without a set, only ASCII is."""
    sets = _list_sets(header)
    is_known = bool(sets - _DEFAULT_SETS) and sets <= python_encoding.keys() | _DEFAULT_SETS
    if "\ufffd" in text or "\x1b" in text or not is_known:
        return text.isascii() and "\x1b" not in text
    return all(char.isascii() or any(_has(one, char) for one in sets - _DEFAULT_SETS) for char in text)


def _has(character_set: str, char: str) -> bool:
    """Whether a set has a character: bytes of another set may come as letters that none of the stated ones has."""
    try:
        char.encode(_CODECS.get(character_set) or python_encoding[character_set])
    except UnicodeEncodeError:
        return False
    return True


def _list_sets(header: Dataset) -> set[str]:
    stated = header.get("SpecificCharacterSet") or ""
    return {str(one) for one in (stated if isinstance(stated, MultiValue) else [stated])}
