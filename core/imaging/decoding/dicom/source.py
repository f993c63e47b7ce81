"""A DICOM file that was found fit to decode, and its frames as grey or RGB pixels."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from io import BytesIO

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.encaps import generate_fragments, get_frame, parse_basic_offsets
from pydicom.pixels import convert_color_space, iter_pixels
from pydicom.uid import (
    UID,
    JPEG2000TransferSyntaxes,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLSNearLossless,
    JPEGLSTransferSyntaxes,
    JPEGTransferSyntaxes,
    MPEGTransferSyntaxes,
    RLELossless,
)

from core.errors import ImageError
from core.imaging.decoding.dicom.colours import TOLD, find_arrangement
from core.imaging.decoding.dicom.display import find_display, render_8_bit
from core.imaging.decoding.dicom.jpeg_xl import JPEG_XL, decode_jpeg_xl
from core.imaging.decoding.dicom.streams import is_irreversible, read_precision, turns_to_rgb
from core.imaging.decoding.dicom.video import iter_video
from core.imaging.decoding.raster import check_scans

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_CAPTURED = "The file is a derived secondary capture, not the machine's own image: check that it shows no report."
_NOT_SAID = "The file does not say that it is an ultrasound image."
_OVERLAY = "The file holds an overlay of graphics beside its pixels, which is not shown."
_ROWS, _BITS = 0x0010, 0x3000  # an overlay without bits of its own lies in the upper bits of the pixels
_OVERLAY_TAGS = [(group, element) for group in range(0x6000, 0x6020, 2) for element in (_ROWS, _BITS)]
_OF_COLOUR = 3  # samples
_TABLES = ("ExtendedOffsetTable", "ExtendedOffsetTableLengths")
_LOSSY = (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless, *MPEGTransferSyntaxes, JPEG_XL[1])  # of a JPEG
_OF_ANY_DEPTH = (*JPEG2000TransferSyntaxes, *JPEGLSTransferSyntaxes, *JPEGTransferSyntaxes)
_TOO_DEEP = (
    "The file's compressed samples have {} bits, but its header keeps {} for each, so that they can't be shown right. "
    "Export it again."
)
_SILENT_ON_COLOURS = (*JPEG2000TransferSyntaxes, *JPEGLSTransferSyntaxes, *JPEGTransferSyntaxes, RLELossless)


@dataclass(frozen=True)
class DicomSource:
    """A DICOM file that was found fit to decode."""

    data: bytes  # the file; a deflated one is inflated and has lost its preamble
    header: Dataset  # everything before the pixels
    syntax: UID  # transfer syntax of `data`
    # width, height, count: size of a frame in pixels, and number of frames
    width: int
    height: int
    count: int
    # header elements, by keyword, that stand in place of the file's own where its pixels contradict them; None for one
    # to leave out
    changes: dict[str, object] = field(default_factory=dict)
    pixel_notes: tuple[str, ...] = ()  # sentences on what the pixels contradict

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what the header leaves open, and on what is not shown."""
        unsaid = () if str(self.header.get("Modality") or "").upper() == "US" else (_NOT_SAID,)
        is_captured = str(self.header.get("SOPClassUID")).startswith(SECONDARY_CAPTURE)
        captured = (_CAPTURED,) if is_captured and "DERIVED" in str(self.header.get("ImageType")).upper() else ()
        overlay = (_OVERLAY,) if any(tag in self.header for tag in _OVERLAY_TAGS) else ()
        return (*unsaid, *captured, *self.pixel_notes, *overlay)

    def iter_frames(self, indices: Sequence[int]) -> Iterator[np.ndarray]:
        """Decode frames one at a time."""
        if self.syntax in MPEGTransferSyntaxes:
            yield from iter_video(self.read_stream(), indices)
            return
        for index, stored in zip(indices, self._iter_stored(list(indices)), strict=False):
            yield render_8_bit(stored, find_display(self.header, index))

    @property
    def is_lossy(self) -> bool:
        """Whether the pixels went through a lossy compression, by the header, the transfer syntax or their coding."""
        if self.header.get("LossyImageCompression") == "01" or self.syntax in _LOSSY:
            return True
        return self.syntax in JPEG2000TransferSyntaxes and is_irreversible(self._read_first())

    def read_stream(self) -> bytes:
        """Give the coded bytes of all fragments, as a video has them."""
        return b"".join(self._iter_fragments())

    def tell_colours(self, stated: str) -> "DicomSource":
        """Tell RGB from YBR by the first frame's values, where its coding does not settle it.

        `stated` is the file's photometric interpretation, `header` has what its coding says. A note tells where neither
        does.
        """
        coded = str(self.header.get("PhotometricInterpretation") or "")
        is_colour = (self.header.get("SamplesPerPixel"), self.header.get("BitsAllocated")) == (3, 8)
        if not is_colour or not coded.startswith(("RGB", "YBR")) or self.syntax not in _SILENT_ON_COLOURS:
            return self
        found = self._find_colours(coded)
        if found == coded or (found == "YBR_FULL") == coded.startswith("YBR_FULL"):
            return self
        self.header.PhotometricInterpretation = found
        changes = self.changes | {"PhotometricInterpretation": found}
        is_stated = found[:3] == stated[:3]
        return replace(self, changes=changes, pixel_notes=self.pixel_notes + (TOLD.format(stated),) * (not is_stated))

    def check_precision(self) -> "DicomSource":
        """Refuse a stream whose samples have more bits than the header keeps for them: they would be cut."""
        allocated = int(self.header.get("BitsAllocated") or 8)
        precision = read_precision(self._read_first()) if self.syntax in _OF_ANY_DEPTH else 0
        if precision > allocated:
            raise ImageError(_TOO_DEEP.format(precision, allocated))
        return self

    def _find_colours(self, stated: str) -> str:
        """Tell by the values, else by the coding of a JPEG 2000, else by what is stated."""
        (frame,) = self._decode([0], raw=True)
        found = find_arrangement(frame, stated if stated.startswith("YBR_FULL") else "RGB", 0)
        if found is not None and not found[1]:
            return found[0]
        turns = self.syntax in JPEG2000TransferSyntaxes and turns_to_rgb(self._read_first())
        return "RGB" if turns and stated.startswith("YBR_FULL") else stated

    def _read_first(self) -> bytes:
        """Give the first fragment."""
        return next(self._iter_fragments(), b"")

    def _iter_fragments(self) -> Iterator[bytes]:
        stream = BytesIO(self._read().PixelData)
        parse_basic_offsets(stream)  # the table lies before the fragments
        return generate_fragments(stream)

    def _iter_stored(self, indices: list[int]) -> Iterator[np.ndarray]:
        if self.syntax in JPEG_XL:
            yield from self._decode_jpeg_xl(indices)
            return
        is_jpeg = self.syntax in JPEGTransferSyntaxes and self.header.get("SamplesPerPixel") == _OF_COLOUR
        yield from self._decode_jpeg(indices) if is_jpeg else self._decode(indices)

    def _decode_jpeg(self, indices: list[int]) -> Iterator[np.ndarray]:
        """Decode coloured frames as the header has their colours, whatever marks the decoder goes by."""
        is_rgb = str(self.header.get("PhotometricInterpretation") or "").startswith("RGB")
        for frame in self._decode(indices, raw=True):
            yield frame if is_rgb else convert_color_space(frame, "YBR_FULL", "RGB")

    def _decode_jpeg_xl(self, indices: list[int]) -> Iterator[np.ndarray]:
        pixels, bits = self._read().PixelData, int(self.header.get("BitsStored") or 8)
        for index in indices:
            stream = get_frame(pixels, index, number_of_frames=self.count)
            yield decode_jpeg_xl(stream, (self.width, self.height), bits)

    def _decode(self, indices: list[int], *, raw: bool = False) -> Iterator[np.ndarray]:
        """Decode from the bytes; from the whole data set where its coding is not the one that its syntax promises."""
        self._check_scans(indices)
        plugin = "pillow" if self.syntax == JPEGBaseline8Bit else ""  # its libjpeg rounds as DCMTK's and GDCM's do
        decode = partial(iter_pixels, indices=indices, raw=raw, decoding_plugin=plugin, transfer_syntax_uid=self.syntax)
        if self.header.get("PhotometricInterpretation") == "YBR_FULL_422" and not self.syntax.is_encapsulated:
            for index in indices:  # pydicom takes frames behind the first for full data
                yield next(decode(self._read(), indices=[index]))
            return
        unread = {"PhotometricInterpretation"} if raw else set()
        if self.changes.keys() - unread or self.syntax != getattr(
            self.header.file_meta, "TransferSyntaxUID", self.syntax
        ):
            yield from decode(self._read())
            return
        frames = decode(BytesIO(self.data))
        try:
            first = next(frames)
        except ValueError:
            frames = decode(self._read())
            first = next(frames)
        yield first
        yield from frames

    def _check_scans(self, indices: list[int]) -> None:
        """Refuse a frame that is a JPEG of very many scans, however it is cut into fragments."""
        if self.syntax not in JPEGTransferSyntaxes:
            return
        whole = self._read()
        offsets = (whole[_TABLES[0]].value, whole[_TABLES[1]].value) if all(name in whole for name in _TABLES) else None
        with suppress(ValueError):  # the decoder says what is wrong with its fragments
            for index in indices:
                check_scans(get_frame(whole.PixelData, index, number_of_frames=self.count, extended_offsets=offsets))

    def _read(self) -> Dataset:
        whole = dcmread(BytesIO(self.data), force=True)
        change(whole, self.changes)
        return whole


def change(header: Dataset, changes: dict[str, object]) -> None:
    """Put other elements into a header."""
    for keyword, value in changes.items():
        if value is not None:
            setattr(header, keyword, value)
        elif keyword in header:
            delattr(header, keyword)
