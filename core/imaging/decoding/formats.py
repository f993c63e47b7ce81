"""Which format a file has, told from its first bytes and never from its name."""

from core.errors import ImageError

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"BM", "BMP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"PK\x03\x04", "ZIP"),
    (b"PK\x05\x06", "ZIP"),
)
_OTHERS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF", "a PDF document"),
    (0, b"GIF8", "a GIF image"),
    (8, b"WEBP", "a WebP image"),
    (8, b"AVI ", "an AVI video"),
    (4, b"ftyp", "an MP4 video or a HEIC photo"),
    (0, b"\x1aE\xdf\xa3", "a Matroska or WebM video"),
    (0, b"\x00\x00\x01\xba", "an MPEG video"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"Rar!", "a RAR archive"),
    (0, b"7z\xbc\xaf", "a 7z archive"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a program"),
    (0, b"\x00\x00\x00\x0cjP  ", "a bare JPEG 2000 image"),
    (0, b"\xd0\xcf\x11\xe0", "an Office document"),
)
_TAKEN = "Upload the ultrasound image as DICOM, PNG, JPEG, BMP or TIFF."


def detect_format(data: bytes) -> str:
    """Name the format of a file."""
    if not data:
        raise ImageError(f"The file is empty. {_TAKEN}")
    if data[128:132] == b"DICM" or _is_bare_dicom(data):
        return "DICOM"
    for signature, name in _SIGNATURES:
        if data.startswith(signature):
            return name
    for at, signature, what in _OTHERS:
        if data[at : at + len(signature)] == signature:
            raise ImageError(f"The file is {what}, which can't be read. {_TAKEN}")
    if _is_text(data):
        raise ImageError(f"The file holds text, not an image, whatever its name says. {_TAKEN}")
    raise ImageError(f"The file is of no known image format, or damaged from its first bytes. {_TAKEN}")


def _is_bare_dicom(data: bytes) -> bool:
    """Tell a DICOM data set without preamble: it starts with group 0008 (or 0002) and a low element number."""
    group, element = data[:2], data[2:4]
    little = group in {b"\x02\x00", b"\x08\x00"} and element[1:] == b"\x00"
    big = group in {b"\x00\x02", b"\x00\x08"} and element[:1] == b"\x00" and data[4:6].isalpha()
    return len(data) > 16 and (little or big)


def _is_text(data: bytes) -> bool:
    head = data[:4096]
    printable = sum(32 <= byte < 127 or byte in b"\t\r\n" or byte >= 0xA0 for byte in head)
    return b"\x00" not in head and printable >= 0.95 * len(head)
