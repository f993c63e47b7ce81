"""Pixel data against its header: frames counted, wrong offset tables left out, and colours that can't be as stated."""

from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
from pydicom import Dataset
from pydicom.encaps import parse_basic_offsets, parse_fragments

from core.errors import ImageError

_PIXEL_DATA = (b"\xe0\x7f\x10\x00", b"\x7f\xe0\x00\x10")
_LONG_VRS = (b"OB", b"OW", b"UN", b"OF", b"OD")
_UNDEFINED = 0xFFFFFFFF
_STREAM_STARTS = (b"\xff\xd8", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP")
_ITEM = 8
_ALIKE, _NEARLY_ALL = 4, 0.9
_MISCOUNTED = "The file states {} frame{}, but holds {}: all of them can be chosen."


@dataclass(frozen=True)
class CheckedPixels:
    """What of a file has to be read otherwise than its header says.

    Attributes
    ----------
    data : bytes
        The file, without an offset table that is wrong.
    changes : dict
        Header elements, by keyword, that stand in place of the file's own.
    notes : tuple of str
        Sentences on what was counted anew.
    """

    data: bytes
    changes: dict[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def check_pixels(data: bytes, header: Dataset, position: int) -> CheckedPixels:
    """Compare the pixel data's length, fragments and offset table with the header.

    Parameters
    ----------
    data : bytes
        The file.
    header : Dataset
        Everything before the pixels.
    position : int
        Where the pixel data element begins.

    Returns
    -------
    CheckedPixels
        As the pixels can be decoded.

    Raises
    ------
    ImageError
        If the pixels can't be what the header says, and what they are can't be told.
    """
    little = data[position : position + 4] != _PIXEL_DATA[1]
    if data[position : position + 4] not in _PIXEL_DATA:
        return CheckedPixels(data)
    start = position + (12 if data[position + 4 : position + 6] in _LONG_VRS else 8)
    length = int.from_bytes(data[start - 4 : start], "little" if little else "big")
    if length == _UNDEFINED:
        return _check_encapsulated(data, header, start)
    return _check_native(data, header, start, min(length, len(data) - start))


def _check_native(data: bytes, header: Dataset, start: int, length: int) -> CheckedPixels:
    """Count frames by their size; full colour where every second sample was to be left out is told by its values."""
    samples, bits = int(header.get("SamplesPerPixel") or 1), int(header.get("BitsAllocated") or 8)
    pixels = int(header.get("Rows") or 0) * int(header.get("Columns") or 0)
    if not pixels or bits % 8:
        return CheckedPixels(data)
    stated = max(int(header.get("NumberOfFrames") or 1), 1)
    photometric = str(header.get("PhotometricInterpretation") or "")
    changes: dict[str, object] = {}
    frame_size = pixels * samples * bits // 8
    if photometric == "YBR_FULL_422":
        if length // stated < frame_size:
            frame_size = frame_size * 2 // 3
        else:
            changes["PhotometricInterpretation"] = _tell_colours(data[start : start + frame_size], header)
    elif photometric in {"RGB", "YBR_FULL"} and samples == 3 and bits == 8 and length >= frame_size:
        _refuse_other_colours(data[start : start + frame_size], header)
    held = length // frame_size
    if held > stated and length - held * frame_size <= 1:
        changes["NumberOfFrames"] = held
        return CheckedPixels(data, changes, (_word_count(stated, held),))
    return CheckedPixels(data, changes)


def _check_encapsulated(data: bytes, header: Dataset, start: int) -> CheckedPixels:
    """Count the streams, and leave out an offset table that points elsewhere than to the fragments."""
    stream = BytesIO(data)
    stream.seek(start)
    try:
        offsets = parse_basic_offsets(stream)
        first = stream.tell()
        n_fragments, places = parse_fragments(stream)
    except (ValueError, EOFError):
        return CheckedPixels(data)
    stated = max(int(header.get("NumberOfFrames") or 1), 1)
    changes: dict[str, object] = {}
    notes: tuple[str, ...] = ()
    streams = sum(data[place + _ITEM :].startswith(_STREAM_STARTS) for place in _limit(places, data))
    held = streams if streams == n_fragments else stated
    if held > stated:
        changes, notes = {"NumberOfFrames": held}, (_word_count(stated, held),)
    starts = [place - first for place in places]
    wrong = [offset for offset in offsets if offset not in starts] or len(offsets) not in {0, held} or offsets[:1] > [0]
    if offsets and (wrong or sorted(set(offsets)) != offsets) and n_fragments == held:
        data = data[: start + 4] + bytes(4) + data[first:]
    return CheckedPixels(data, changes, notes)


def _limit(places: list[int], data: bytes) -> list[int]:
    return [place for place in places if place + _ITEM < len(data)]


def _word_count(stated: int, held: int) -> str:
    return _MISCOUNTED.format(stated, "" if stated == 1 else "s", held)


def _split(frame: bytes, header: Dataset) -> np.ndarray:
    """Give the samples of a frame, shape (pixels, 3)."""
    values = np.frombuffer(frame, np.uint8)
    return values.reshape(3, -1).T if header.get("PlanarConfiguration") == 1 else values.reshape(-1, 3)


def _looks_rgb(samples: np.ndarray) -> bool:
    """Whether most pixels are grey as RGB, as ultrasound is."""
    spread = samples.max(axis=1).astype(int) - samples.min(axis=1)
    return bool((spread <= _ALIKE).mean() >= _NEARLY_ALL)


def _looks_ybr(samples: np.ndarray) -> bool:
    """Whether most pixels are grey as luma with two colour differences."""
    return bool((np.abs(samples[:, 1:].astype(int) - 128).max(axis=1) <= _ALIKE).mean() >= _NEARLY_ALL)


def _tell_colours(frame: bytes, header: Dataset) -> str:
    samples = _split(frame, header)
    for photometric, looks_so in (("RGB", _looks_rgb), ("YBR_FULL", _looks_ybr)):
        if looks_so(samples):
            return photometric
    raise ImageError(
        "The file says that it leaves out every second colour sample (YBR_FULL_422), but holds all of them. "
        "Export it as RGB or greyscale."
    )


def _refuse_other_colours(frame: bytes, header: Dataset) -> None:
    """Refuse RGB that is YBR by its values, and the other way round."""
    samples, photometric = _split(frame, header), str(header.PhotometricInterpretation)
    rgb, ybr = _looks_rgb(samples), _looks_ybr(samples)
    if (photometric == "RGB" and ybr and not rgb) or (photometric == "YBR_FULL" and rgb and not ybr):
        raise ImageError(f"The file's pixels are not in the colours that it states ({photometric}). Export it again.")
