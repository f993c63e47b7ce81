"""DICOM: which files are taken.

Of the header only modality, manufacturer, model, transducer frequency and scale are read out.
"""

import re
import zlib
from dataclasses import replace
from io import BytesIO
from typing import NoReturn

from pydicom import Dataset, dcmread
from pydicom.pixels import get_decoder
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    MPEGTransferSyntaxes,
)

from core.errors import ImageError
from core.imaging.decoding.dicom.directory import DICOMDIR
from core.imaging.decoding.dicom.display import COLOURS, PARTIAL
from core.imaging.decoding.dicom.items import read_items
from core.imaging.decoding.dicom.jpeg_xl import JPEG_XL
from core.imaging.decoding.dicom.pixel_data import check_pixels
from core.imaging.decoding.dicom.source import SECONDARY_CAPTURE, DicomSource, change
from core.imaging.decoding.dicom.video import measure_video
from core.imaging.decoding.limits import Limits

_DOCUMENT = "1.2.840.10008.5.1.4.1.1.104."
_NOT_ACQUIRED = {"SYN", "SD"}  # a synthesised image, a scanned document (PS3.3 C.8.6.1)
_MAKERS = ("Manufacturer", "ManufacturerModelName", "SeriesDescription")
_REPORT = re.compile(r"(?<![A-Z])(REPORT|WORKSHEET)S?(?![A-Z])")
_ULTRASOUND = ("1.2.840.10008.5.1.4.1.1.3", "1.2.840.10008.5.1.4.1.1.6")  # with what lies below them
_MODALITIES = {
    "CT": "a CT image",
    "MR": "an MRI image",
    "MG": "a mammogram",
    "CR": "an X-ray image",
    "DX": "an X-ray image",
    "RF": "an X-ray fluoroscopy",
    "XA": "an angiography",
    "PT": "a PET image",
    "NM": "a nuclear medicine image",
    "IVUS": "an intravascular ultrasound",
    "IVOCT": "an optical coherence tomography",
    "OPT": "an optical coherence tomography",
    "ES": "an endoscopy image",
    "SM": "a microscopy image",
    "XC": "a photo",
    "SR": "a report",
    "DOC": "a document",
    "KO": "a list of key images",
    "PR": "a presentation state",
    "SEG": "a segmentation",
    "RTDOSE": "a radiotherapy dose",
    "RTPLAN": "a radiotherapy plan",
    "RTSTRUCT": "a radiotherapy structure set",
    "ECG": "an ECG",
}
_META_AT_MOST = 2048
_EXPLICIT = (b"OB\0\0", b"OW\0\0")  # what follows the tag of pixels where types are written out
_NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)
_LARGEST_RATIO = 100
_SAMPLES = (1, 3)
_UPLOAD = "Upload the B-mode ultrasound image."


def open_dicom(data: bytes, limits: Limits) -> DicomSource:
    """Read a DICOM file's header, and refuse what holds no ultrasound image.

    Parameters
    ----------
    data : bytes
        The file, with or without preamble.
    limits : Limits
        Limits to keep.

    Returns
    -------
    DicomSource
        The file, ready to decode.

    Raises
    ------
    ImageError
        If it is another modality, a document or too large, or holds no pixels.
    """
    data, header, end = read_header(data, limits)
    _refuse_by_class(header)
    syntax = _transfer_syntax(header)
    if syntax == ImplicitVRLittleEndian and data[end + 4 : end + 8] in _EXPLICIT:
        syntax = ExplicitVRLittleEndian
    if not _is_decoded(syntax):
        raise ImageError(
            "The file's pixels are stored in a transfer syntax that is not known here. Export it without compression."
        )
    width, height = int(header.get("Columns") or 0), int(header.get("Rows") or 0)
    if not width or not height:
        raise ImageError(f"The DICOM file holds no image. {_UPLOAD}")
    limits.check_size(width, height)
    if (header.get("SamplesPerPixel") or 1) not in _SAMPLES:
        raise ImageError(COLOURS)
    if syntax in MPEGTransferSyntaxes:
        return _open_video(DicomSource(data, header, syntax, width, height, 1), limits)
    unwritten = _write_as_standard(header, syntax)
    stated = str(header.get("PhotometricInterpretation") or "")
    checked = check_pixels(data, header, end)
    change(header, checked.changes)
    count = int(header.get("NumberOfFrames") or 1)
    limits.check_frames(count)
    changes = unwritten | checked.changes
    source = DicomSource(checked.data, header, syntax, width, height, count, changes, checked.notes)
    return source.check_precision().tell_colours(stated)


def read_header(data: bytes, limits: Limits) -> tuple[bytes, Dataset, int]:
    """Read what stands before the pixels; give it with the file, inflated if need be, and the place where it ends."""
    if DeflatedExplicitVRLittleEndian.encode() in data[132:_META_AT_MOST]:
        data = _inflate(data, limits)
    stream = BytesIO(data)
    header = dcmread(stream, stop_before_pixels=True, force=True)
    return data, header, stream.tell()


def _open_video(source: DicomSource, limits: Limits) -> DicomSource:
    """Count a video's frames, and refuse one of another size than the header states."""
    width, height, count = measure_video(source.read_stream())
    limits.check_size(width, height)
    limits.check_frames(count)
    if (width, height) != (source.width, source.height):
        raise ImageError(
            f"The file's video has {width} x {height} pixels, but its header states {source.width} x {source.height}. "
            "Export it again."
        )
    return replace(source, count=count)


def _write_as_standard(header: Dataset, syntax: UID) -> dict[str, object]:
    """Give what some writers leave out or write otherwise: the case of a term, a JPEG's colours, and their order."""
    stated, changes = str(header.get("PhotometricInterpretation") or ""), dict[str, object]()
    term = stated.strip("\0 ").upper()
    if term.startswith(PARTIAL) and syntax in (JPEGBaseline8Bit, JPEGExtended12Bit):
        term = "YBR_FULL_422"  # a JPEG of this process holds all levels (ISO/IEC 10918-5)
    if stated != term:
        changes["PhotometricInterpretation"] = term
    planar = header.get("PlanarConfiguration")
    if header.get("SamplesPerPixel") == 3 and (planar is None or (planar and syntax.is_encapsulated)):
        changes["PlanarConfiguration"] = 0  # as decoders give the pixels of a stream
    change(header, changes)
    return changes


def _inflate(data: bytes, limits: Limits) -> bytes:
    """Unpack a deflated data set into one without preamble and file meta group; stops early at a bomb."""
    start = _end_of_meta(data)
    limit = min(limits.max_bytes, _LARGEST_RATIO * len(data))
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        unpacked = inflater.decompress(data[start:], limit + 1)
    except zlib.error:
        raise ImageError("The deflated DICOM file is damaged. Export it again.") from None
    if len(unpacked) > limit:
        raise ImageError(f"The file unpacks to more than {limit / 1e6:.0f} MB. Export it without compression.")
    return unpacked


def _end_of_meta(data: bytes) -> int:
    """Offset of the data set: behind preamble, prefix and the file meta group."""
    length = int.from_bytes(data[140:144], "little") if data[132:138] == b"\x02\x00\x00\x00UL" else None
    if length is None or 144 + length > len(data):
        raise ImageError("The deflated DICOM file is damaged at its start. Export it again.")
    return 144 + length


def _transfer_syntax(header: Dataset) -> UID:
    """Transfer syntax by the file meta group where it is a compressed one, else as the data set itself shows it."""
    stated = getattr(header.file_meta, "TransferSyntaxUID", None)
    if stated and stated not in _NATIVE:
        return UID(stated)
    implicit, little = header.original_encoding
    if implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if little else ExplicitVRBigEndian


def _is_decoded(syntax: UID) -> bool:
    if syntax in (*MPEGTransferSyntaxes, *JPEG_XL):
        return True
    try:
        return bool(get_decoder(syntax).is_available)
    except NotImplementedError:
        return False


def _refuse_by_class(header: Dataset) -> None:
    sop_class = str(header.get("SOPClassUID") or getattr(header.file_meta, "MediaStorageSOPClassUID", ""))
    modality = str(header.get("Modality") or "").upper()
    if sop_class == DICOMDIR:
        _refuse("a DICOMDIR, the index of a folder; put the folder into a zip archive to choose from its images")
    if sop_class.startswith(_DOCUMENT):
        _refuse("an encapsulated document, such as a PDF")
    makers = (header, *read_items(header, "ContributingEquipmentSequence"))
    if any("sonoki" in str(item.get(name)).casefold() for item in makers for name in _MAKERS):
        _refuse("a result that SonoKi made, no image of a machine")
    kind = str(header.get("ImageType")).upper()  # one value or several, padded by some writers
    if _REPORT.search(kind):
        _refuse("a report's picture, no image of a machine")
    is_made = str(header.get("ConversionType") or "").strip() in _NOT_ACQUIRED
    is_report = modality != "US" or _REPORT.search(str(header.get("SeriesDescription")).upper())
    if (is_made or ("DERIVED" in kind and is_report)) and sop_class.startswith(SECONDARY_CAPTURE):
        _refuse("a derived secondary capture, such as a report's picture")
    if modality in _MODALITIES:
        _refuse(_MODALITIES[modality])
    if modality not in {"", "US", "OT"}:
        _refuse("of another modality")
    if sop_class and not f"{sop_class}.".startswith(tuple(f"{one}." for one in (*_ULTRASOUND, SECONDARY_CAPTURE))):
        _refuse("no ultrasound image, by its SOP class")


def _refuse(what: str) -> NoReturn:
    raise ImageError(f"The DICOM file is {what}. {_UPLOAD}")
