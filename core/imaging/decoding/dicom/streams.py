"""What a compressed frame says of itself: bits of a sample, and its colours."""

_CODE_STREAM = b"\xff\x4f\xff\x51"
_DEPTH, _SIGN = 42, 0x80
_COD, _TRANSFORM, _WAVELET = b"\xff\x52", 8, 13
_NO_FRAMES = {0xC4, 0xC8, 0xCC}  # tables and reserved ones between the starts of frames
_LOSSLESS_FRAME, _SCAN = 0xF7, 0xDA
_MARKED = {0xE0: b"JFIF", 0xEE: b"Adobe"}


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


def is_unmarked(stream: bytes) -> bool:
    """Whether a JPEG has neither of the markers by which decoders tell YCbCr from RGB."""
    return not any(
        marker in _MARKED and content.startswith(_MARKED[marker]) for marker, content in _list_segments(stream)
    )


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
    found, at = [], 2
    while stream[at : at + 1] == b"\xff" and at + 4 <= len(stream) and stream[at + 1] != _SCAN:
        if stream[at + 1] == 0xFF:
            at += 1
            continue
        end = at + 2 + max(int.from_bytes(stream[at + 2 : at + 4], "big"), 2)
        found.append((stream[at + 1], stream[at + 4 : end]))
        at = end
    return found
