"""What a compressed frame says of itself: bits of a sample, and its colours."""

from collections.abc import Iterator

_CODE_STREAM = b"\xff\x4f\xff\x51"
_DEPTH, _SIGN = 42, 0x80
_COD, _TRANSFORM, _WAVELET = b"\xff\x52", 8, 13
_NO_FRAMES = {0xC4, 0xC8, 0xCC}  # tables and reserved ones between the starts of frames
_LOSSLESS_FRAME, _SCAN, _START_OF_SCAN = 0xF7, 0xDA, b"\xff\xda"
_APP0, _APP14, _COMMENT = 0xE0, 0xEE, 0xFE
_TRANSFORMED = 11  # byte of Adobe's segment that is 0 for RGB, 1 for YCbCr
_OF_DCT = {0xC0, 0xC1, 0xC2}
_THREE, _FIRST = 3, 6  # components, and where their numbers begin behind the length of the frame's segment
_LETTERS = (b"RGB", b"rgb")  # as numbers of the components


def read_precision(stream: bytes) -> int:
    """Read the bits of a sample in a JPEG (ISO/IEC 10918-1, B.2.2), JPEG-LS or JPEG 2000 (A.5.1); 0 where none says."""
    at = stream.find(_CODE_STREAM)
    if at >= 0:
        depth = stream[at + _DEPTH : at + _DEPTH + 1]
        return (depth[0] & ~_SIGN) + 1 if depth else 0
    for marker, content in _list_segments(stream):
        if (0xC0 <= marker <= 0xCF and marker not in _NO_FRAMES) or marker == _LOSSLESS_FRAME:
            return content[0] if content else 0
    return 0


def find_marks(stream: bytes) -> tuple[str, dict[int, int]]:
    """Find in a JPEG of three components what decoders tell its colours by, each in its own way.

    First RGB or YBR_FULL_422, as libjpeg understands JFIF, Adobe and the numbers of the components; "" where they are
    silent, or its process is not of DCT. Then bytes by their places: with these, decoders that are asked for raw values
    give the components as they are stored.
    """
    segments = list(_place_segments(stream))
    at, frame = next(((at, content) for marker, at, content in segments if marker in _OF_DCT), (0, b""))
    places = range(_FIRST, _FIRST + 3 * _THREE, 3)
    if len(frame) < places.stop or frame[_FIRST - 1] != _THREE:
        return "", {}
    numbers = bytes(frame[place] for place in places)
    colours, changes = "", dict[int, int]()
    if numbers in _LETTERS:
        colours = "RGB"
        changes = {at + place: number for number, place in enumerate(places, start=1)}
        changes |= _number_scans(stream, numbers)
    adobe = [one for one in segments if one[0] == _APP14 and one[2].startswith(b"Adobe") and len(one[2]) > _TRANSFORMED]
    jfif = [one for one in segments if one[0] == _APP0 and one[2].startswith(b"JFIF")]
    if adobe or jfif:
        colours = "YBR_FULL_422" if jfif or adobe[0][2][_TRANSFORMED] else "RGB"
    return colours, changes | {place - 3: _COMMENT for _, place, _ in adobe}


def _number_scans(stream: bytes, numbers: bytes) -> dict[int, int]:
    """Give each scan the numbers 1 to 3."""
    changes, scan = dict[int, int](), stream.find(_START_OF_SCAN)
    while 0 <= scan < len(stream) - 2 * _THREE - 5:
        first = scan + 5
        for at in range(first, first + 2 * min(stream[first - 1], _THREE), 2):
            if stream[at] in numbers:
                changes[at] = numbers.index(stream[at]) + 1
        scan = stream.find(_START_OF_SCAN, first)
    return changes


def turns_to_rgb(stream: bytes) -> bool:
    """Tell whether a JPEG 2000 code stream says that its decoder gives RGB (ISO/IEC 15444-1, A.6.1)."""
    at = stream.find(_COD)
    return 0 <= at < len(stream) - _TRANSFORM and stream[at + _TRANSFORM] == 1


def is_irreversible(stream: bytes) -> bool:
    """Whether a JPEG 2000 code stream has the wavelet that does not give every value back (A.6.1, table A.20)."""
    at = stream.find(_COD)
    return stream[at + _WAVELET : at + _WAVELET + 1] == b"\0" if at >= 0 else False


def _list_segments(stream: bytes) -> list[tuple[int, bytes]]:
    """List the markers of a JPEG before its first scan, each with what follows its length."""
    return [(marker, content) for marker, _, content in _place_segments(stream)]


def _place_segments(stream: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Give the markers of a JPEG before its first scan, each with what follows its length, and where."""
    at = 2
    while stream[at : at + 1] == b"\xff" and at + 4 <= len(stream) and stream[at + 1] != _SCAN:
        if stream[at + 1] == 0xFF:
            at += 1
            continue
        end = at + 2 + max(int.from_bytes(stream[at + 2 : at + 4], "big"), 2)
        yield stream[at + 1], at + 4, stream[at + 4 : end]
        at = end
