"""DICOM: which files are taken, and one frame of them as grey or RGB pixels.

Of the header only modality, manufacturer, model, transducer frequency and scale are read out.
"""

import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from typing import NoReturn

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.encaps import get_frame
from pydicom.pixels import get_decoder, iter_pixels
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGTransferSyntaxes,
)

from core.errors import ImageError
from core.imaging.decoding.display import render_8_bit
from core.imaging.decoding.limits import Limits
from core.imaging.decoding.pixel_data import check_pixels
from core.imaging.decoding.raster import check_scans

_VIDEO = "1.2.840.10008.1.2.4.10"
_DICOMDIR = "1.2.840.10008.1.3.10"
_DOCUMENT = "1.2.840.10008.5.1.4.1.1.104."
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_ULTRASOUND = ("1.2.840.10008.5.1.4.1.1.3.1", "1.2.840.10008.5.1.4.1.1.6")
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
_LARGEST_RATIO = 100
_UPLOAD = "Upload the B-mode ultrasound image."
_NOT_SAID = "The file does not say that it is an ultrasound image."
_OVERLAY = "The file holds an overlay of graphics beside its pixels, which is not shown."
_OVERLAY_GROUPS = range(0x6000, 0x6020, 2)


@dataclass(frozen=True)
class DicomSource:
    """A DICOM file that was found fit to decode.

    Attributes
    ----------
    data : bytes
        The file; a deflated one is inflated and has lost its preamble.
    header : Dataset
        Everything before the pixels.
    syntax : UID
        Transfer syntax of `data`.
    width, height, count : int
        Size of a frame in pixels, and number of frames.
    changes : dict
        Header elements, by keyword, that stand in place of the file's own where its pixels contradict them.
    pixel_notes : tuple of str
        Sentences on what the pixels contradict.
    """

    data: bytes
    header: Dataset
    syntax: UID
    width: int
    height: int
    count: int
    changes: dict[str, object] = field(default_factory=dict)
    pixel_notes: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what the header leaves open, and on what is not shown."""
        unsaid = () if self.header.get("Modality") == "US" else (_NOT_SAID,)
        overlay = (_OVERLAY,) if any((group, 0x3000) in self.header for group in _OVERLAY_GROUPS) else ()
        return (*unsaid, *self.pixel_notes, *overlay)

    def iter_frames(self, indices: Sequence[int]) -> Iterator[np.ndarray]:
        """Decode frames one at a time.

        Parameters
        ----------
        indices : sequence of int
            Frames, from 0.

        Yields
        ------
        ndarray of uint8, shape (height, width) or (height, width, 3)
            Grey or RGB.
        """
        for stored in self._iter_stored(list(indices)):
            yield render_8_bit(stored, self.header)

    def _iter_stored(self, indices: list[int]) -> Iterator[np.ndarray]:
        """Decode from the bytes; from the whole data set where its coding is not the one that its syntax promises."""
        self._check_scans(indices)
        plugin = "pillow" if self.syntax == JPEGBaseline8Bit else ""  # its libjpeg rounds as DCMTK's and GDCM's do
        decode = partial(iter_pixels, indices=indices, decoding_plugin=plugin, transfer_syntax_uid=self.syntax)
        if self.changes:
            yield from decode(self._read_changed())
            return
        frames = decode(BytesIO(self.data))
        try:
            first = next(frames)
        except ValueError:
            frames = decode(self._read_changed())
            first = next(frames)
        yield first
        yield from frames

    def _check_scans(self, indices: list[int]) -> None:
        """Refuse a frame that is a JPEG of very many scans, however it is cut into fragments."""
        if self.syntax not in JPEGTransferSyntaxes:
            return
        whole = self._read_changed()
        table = ("ExtendedOffsetTable", "ExtendedOffsetTableLengths")
        offsets = (whole[table[0]].value, whole[table[1]].value) if all(name in whole for name in table) else None
        with suppress(ValueError):  # the decoder says what is wrong with its fragments
            for index in indices:
                check_scans(get_frame(whole.PixelData, index, number_of_frames=self.count, extended_offsets=offsets))

    def _read_changed(self) -> Dataset:
        whole = dcmread(BytesIO(self.data), force=True)
        for keyword, value in self.changes.items():
            setattr(whole, keyword, value)
        return whole


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
        If it is another modality, a video, a document or too large, or holds no pixels.
    """
    if DeflatedExplicitVRLittleEndian.encode() in data[132:_META_AT_MOST]:
        data = _inflate(data, limits)
    stream = BytesIO(data)
    header = dcmread(stream, stop_before_pixels=True, force=True)
    _refuse_by_class(header)
    syntax = _transfer_syntax(header)
    if syntax.startswith(_VIDEO):
        raise ImageError(
            "The file is a video (MPEG or HEVC), which can't be read. Export a still frame or a cine loop."
        )
    if not _is_decoded(syntax):
        raise ImageError(
            "The file's pixels are stored in a transfer syntax that is not known here. Export it without compression."
        )
    width, height = int(header.get("Columns") or 0), int(header.get("Rows") or 0)
    if not width or not height:
        raise ImageError(f"The DICOM file holds no image. {_UPLOAD}")
    limits.check_size(width, height)
    checked = check_pixels(data, header, stream.tell())
    for keyword, value in checked.changes.items():
        setattr(header, keyword, value)
    count = int(header.get("NumberOfFrames") or 1)
    limits.check_frames(count)
    return DicomSource(checked.data, header, syntax, width, height, count, checked.changes, checked.notes)


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
    """Transfer syntax by the file meta group, or as the data set itself shows it."""
    stated = getattr(header.file_meta, "TransferSyntaxUID", None)
    if stated and stated != DeflatedExplicitVRLittleEndian:
        return UID(stated)
    implicit, little = header.original_encoding
    if implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if little else ExplicitVRBigEndian


def _is_decoded(syntax: UID) -> bool:
    try:
        return bool(get_decoder(syntax).is_available)
    except NotImplementedError:
        return False


def _refuse_by_class(header: Dataset) -> None:
    sop_class = str(header.get("SOPClassUID") or getattr(header.file_meta, "MediaStorageSOPClassUID", ""))
    modality = str(header.get("Modality") or "")
    if sop_class == _DICOMDIR:
        _refuse("a DICOMDIR, the index of a folder; put the folder into a zip archive to choose from its images")
    if sop_class.startswith(_DOCUMENT):
        _refuse("an encapsulated document, such as a PDF")
    if str(header.get("Manufacturer") or "").strip().casefold() == "sonoki":
        _refuse("a result that SonoKi made, no image of a machine")
    is_derived = "DERIVED" in str(header.get("ImageType"))  # one value or several, padded by some writers
    if is_derived and modality != "US" and sop_class.startswith(_SECONDARY_CAPTURE):
        _refuse("a derived secondary capture, such as a report's picture")
    if modality in _MODALITIES:
        _refuse(_MODALITIES[modality])
    if modality not in {"", "US", "OT"}:
        _refuse("of another modality")
    if sop_class and not sop_class.startswith((*_ULTRASOUND, _SECONDARY_CAPTURE)):
        _refuse("no ultrasound image, by its SOP class")


def _refuse(what: str) -> NoReturn:
    raise ImageError(f"The DICOM file is {what}. {_UPLOAD}")
