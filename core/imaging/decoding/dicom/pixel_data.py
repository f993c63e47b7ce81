"""Pixel data against its header: frames counted, offset tables written anew, and colours that can't be as stated."""

from dataclasses import dataclass, field, replace
from io import BytesIO

import numpy as np
from pydicom import Dataset
from pydicom.encaps import parse_basic_offsets, parse_fragments
from pydicom.uid import RLELossless

from core.errors import ImageError
from core.imaging.decoding.dicom.colours import TOLD, find_arrangement
from core.imaging.decoding.dicom.streams import find_marks

_PIXEL_DATA = (b"\xe0\x7f\x10\x00", b"\x7f\xe0\x00\x10")
_LONG_VRS = (b"OB", b"OW", b"UN", b"OF", b"OD")
_UNDEFINED = 0xFFFFFFFF
_STREAM_STARTS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cj", b"\xff\x0a", b"\x00\x00\x00\x0cJXL")
_RLE_START, _MOST_SEGMENTS = b"\x40\x00\x00\x00", 15
_SEQUENTIAL, _SCAN, _WHOLE_SPECTRUM = (0xC0, 0xC1), 0xDA, b"\x00\x3f\x00"
_ITEM, _OF_COLOUR = 8, 3
_COLOURS = {"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"}
_TABLES = ("ExtendedOffsetTable", "ExtendedOffsetTableLengths")
_ABOVE = "The file's values lie in the upper bits of compressed words, which can't be read. Export it uncompressed."
_MISCOUNTED = "The file states {} frame{}, but holds {}: all of them can be chosen."
_CUT = "The file states {} frame{}, but holds {}: it may have been cut off. These can be chosen."


@dataclass(frozen=True)
class CheckedPixels:
    """What of a file has to be read otherwise than its header says."""

    data: bytes  # the file, with the right offset table where its own was wrong
    # header elements, by keyword, that stand in place of the file's own; None for one to leave out
    changes: dict[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()  # sentences on what was counted anew


def check_pixels(data: bytes, header: Dataset, position: int) -> CheckedPixels:
    """Compare the pixel data's length, fragments and offset table with the header."""
    little = data[position : position + 4] != _PIXEL_DATA[1]
    if data[position : position + 4] not in _PIXEL_DATA:
        return CheckedPixels(data)
    start = position + (12 if data[position + 4 : position + 6] in _LONG_VRS else 8)
    length = int.from_bytes(data[start - 4 : start], "little" if little else "big")
    above = int(header.get("HighBit") or 0) + 1 - int(header.get("BitsStored") or 8)
    is_above = above > 0 and header.get("BitsAllocated") == 16
    if length == _UNDEFINED:
        if is_above and getattr(header.file_meta, "TransferSyntaxUID", "") == RLELossless:
            raise ImageError(_ABOVE)
        return _check_encapsulated(data, header, start)
    length = min(length, len(data) - start)
    checked = _check_native(data, header, start, length)
    if not is_above:
        return checked
    data = _shift_down(data, slice(start, start + length // 2 * 2), above, "<u2" if little else ">u2")
    return replace(checked, data=data, changes=checked.changes | {"HighBit": int(header.BitsStored) - 1})


def _shift_down(data: bytes, pixels: slice, above: int, words: str) -> bytes:
    """Give values that lie in the upper bits of their words as they count."""
    shifted = (np.frombuffer(data[pixels], words) >> above).astype(words)
    return data[: pixels.start] + shifted.tobytes() + data[pixels.stop :]


def _check_native(data: bytes, header: Dataset, start: int, length: int) -> CheckedPixels:
    """Count frames by their size, and tell the arrangement of colours by their values."""
    samples, bits = int(header.get("SamplesPerPixel") or 1), int(header.get("BitsAllocated") or 8)
    pixels = int(header.get("Rows") or 0) * int(header.get("Columns") or 0)
    if not pixels or bits % 8:
        return CheckedPixels(data)
    stated = max(int(header.get("NumberOfFrames") or 1), 1)
    photometric = str(header.get("PhotometricInterpretation") or "")
    changes: dict[str, object] = {}
    notes: tuple[str, ...] = ()
    frame_size = pixels * samples * bits // 8
    if photometric == "YBR_FULL_422" and _is_subsampled(length, stated, frame_size):
        frame_size = frame_size * 2 // 3
    elif photometric in _COLOURS and (samples, bits) == (3, 8) and length >= frame_size:
        changes, notes = _settle_colours(data[start : start + frame_size], header, photometric)
    counted, noted = _settle_count(stated, length // frame_size, length % frame_size <= 1)
    return CheckedPixels(data, changes | counted, notes + noted)


def _is_subsampled(length: int, stated: int, full: int) -> bool:
    """Whether frames hold two thirds of all samples: by their stated number, or as they go up in the whole."""
    return length // stated < full or (length % full > 1 and length % (full * 2 // 3) <= 1)


def _settle_colours(frame: bytes, header: Dataset, photometric: str) -> tuple[dict[str, object], tuple[str, ...]]:
    planar = 1 if header.get("PlanarConfiguration") == 1 else 0
    found = find_arrangement(np.frombuffer(frame, np.uint8), photometric, planar)
    if found is None and photometric == "YBR_FULL_422":
        raise ImageError(
            "The file says that it leaves out every second colour sample (YBR_FULL_422), but holds all of them. "
            "Export it as RGB or greyscale."
        )
    if found in {None, (photometric, planar)}:
        return {}, ()
    return dict(zip(("PhotometricInterpretation", "PlanarConfiguration"), found, strict=True)), (
        TOLD.format(f"{photometric}, planar configuration {planar}"),
    )


def _settle_count(stated: int, held: int, is_whole: bool) -> tuple[dict[str, object], tuple[str, ...]]:
    """Take the frames that are there, where they are not as many as stated; what is left over is none."""
    if not held or held == stated or (held > stated and not is_whole):
        return {}, ()
    sentence = (_MISCOUNTED if held > stated else _CUT).format(stated, "" if stated == 1 else "s", held)
    return {"NumberOfFrames": held}, (sentence,)


def _check_encapsulated(data: bytes, header: Dataset, start: int) -> CheckedPixels:
    """Count the streams, and write an offset table anew that points elsewhere than to their first fragments."""
    stream = BytesIO(data)
    stream.seek(start)
    try:
        offsets = parse_basic_offsets(stream)
        first = stream.tell()
        places = parse_fragments(stream)[1]
    except (ValueError, EOFError):
        return CheckedPixels(data)
    starts = [place for place in places if _begins_stream(data[place + _ITEM : place + _ITEM + 12])]
    if not starts or starts[0] != first:
        return CheckedPixels(data)
    data = _mend_scans(data, starts)
    data, coded = _unmark_colours(data, header, starts)
    changes, notes = _settle_count(max(int(header.get("NumberOfFrames") or 1), 1), len(starts), is_whole=True)
    if coded and not str(header.get("PhotometricInterpretation") or "").startswith(coded.removesuffix("_422")):
        changes |= {"PhotometricInterpretation": coded}
    right = [place - first for place in starts]
    if any(name in header for name in _TABLES):
        lengths = [int.from_bytes(data[place + 4 : place + _ITEM], "little") for place in places]
        if _read_tables(header) != (right, lengths):
            changes |= dict.fromkeys(_TABLES)
            offsets = [-1]
    if (offsets or len(places) > len(starts)) and offsets != right:
        table = b"".join(offset.to_bytes(4, "little") for offset in right)
        data = data[: start + 4] + len(table).to_bytes(4, "little") + table + data[first:]
    return CheckedPixels(data, changes, notes)


def _mend_scans(data: bytes, starts: list[int]) -> bytes:
    """Write the spectral selection that a sequential JPEG must state (ISO/IEC 10918-1, B.2.3): some writers don't."""
    mended: bytearray | None = None
    for place in starts:
        end = _find_scan_end(data, place + _ITEM)
        if end and data[end - 3 : end] != _WHOLE_SPECTRUM:
            mended = mended or bytearray(data)
            mended[end - 3 : end] = _WHOLE_SPECTRUM
    return data if mended is None else bytes(mended)


def _unmark_colours(data: bytes, header: Dataset, starts: list[int]) -> tuple[bytes, str]:
    """Leave the colours of a JPEG to the header, as its first frame says them: decoders follow other marks each."""
    if header.get("SamplesPerPixel") != _OF_COLOUR:
        return data, ""
    coded, changes = "", dict[int, int]()
    for number, place in enumerate(starts):
        first = place + _ITEM
        length = int.from_bytes(data[place + 4 : first], "little")
        colours, found = find_marks(data[first : first + length])
        coded = colours if number == 0 else coded
        changes |= {first + at: byte for at, byte in found.items()}
    if not changes:
        return data, coded
    unmarked = bytearray(data)
    for at, byte in changes.items():
        unmarked[at] = byte
    return bytes(unmarked), coded


def _find_scan_end(data: bytes, at: int) -> int | None:
    """Find the end of the first scan's header in a sequential JPEG of DCT; None in any other stream."""
    at += 2
    is_sequential = False
    while data[at : at + 1] == b"\xff" and at + 4 <= len(data):
        marker, end = data[at + 1], at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _SCAN:
            return end if is_sequential and end <= len(data) else None
        is_sequential = is_sequential or marker in _SEQUENTIAL
        at = end
    return None


def _begins_stream(head: bytes) -> bool:
    """Whether a fragment begins an image: a JPEG of any kind, or RLE with its table of segments (PS3.5 G.5)."""
    is_rle = head[4:8] == _RLE_START and 1 <= int.from_bytes(head[:4], "little") <= _MOST_SEGMENTS
    return is_rle or head.startswith(_STREAM_STARTS)


def _read_tables(header: Dataset) -> tuple[list[int], list[int]] | None:
    tables = [header.get(name) for name in _TABLES]
    if not all(isinstance(table, bytes) for table in tables):
        return None
    offsets, lengths = (np.frombuffer(table[: len(table) // 8 * 8], "<u8").tolist() for table in tables)
    return offsets, lengths
