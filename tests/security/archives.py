"""Zip archives that nobody packs: damaged in each way that a reader may stumble over, or with an index without end."""

import io
import struct
import zipfile

TABLE = b"patient_id,image\nP1,x.png\n" * 20
NAMES = ("cohort.csv", "x.png", "manifest.json")


def pack(method: int = zipfile.ZIP_STORED) -> bytearray:
    """Pack a table, an image's name and a manifest's."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in NAMES:
            archive.writestr(name, TABLE, method)
    return bytearray(buffer.getvalue())


def overwrite(data: bytearray, at: int, value: bytes) -> bytes:
    """Give an archive with other bytes at a place."""
    data[at : at + len(value)] = value
    return bytes(data)


def spoil(method: int) -> bytes:
    """Damage the packed bytes of the first file."""
    return overwrite(pack(method), 30 + len(NAMES[0]) + 12, b"\xff" * 8)


DAMAGED = {
    "deflate": spoil(zipfile.ZIP_DEFLATED),
    "bzip2": spoil(zipfile.ZIP_BZIP2),
    "LZMA": spoil(zipfile.ZIP_LZMA),
    "LZMA's head": overwrite(pack(zipfile.ZIP_LZMA), 30 + len(NAMES[0]) + 2, b"\xff\xff"),
    "an unknown method": overwrite(data := pack(), data.index(b"PK\1\2") + 10, b"\x63"),
    "a file without a name": overwrite(
        data := pack(), data.index(b"PK\1\2") + 28, struct.pack("<HH", 0, len(NAMES[0]))
    ),
    "a file behind the end": overwrite(data := pack(), data.index(b"PK\1\2") + 42, b"\xf0\xff\xff\x00"),
    "a name that is no text": overwrite(
        data := pack(), data.index(b"PK\1\2") + 8, b"\x00\x08" + data[data.index(b"PK\1\2") + 10 :][:36] + b"\xff\xfe"
    ),
    "a negative place": overwrite(data := pack(), len(data) - 6, b"\xff\xff\xff\x7f"),
    "cut short": bytes(pack()[:-30]),
}


def write_long_index(count: int) -> bytes:
    """Write an archive whose index names one file again and again, 46 bytes each."""
    name = b"a"
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 0, 0, 0, 0, 1, 0) + name
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 3, 20, 0, 0, 0, 0, 0, 0, 0, 0, 1, *(0,) * 6) + name
    place, size = len(local), len(entry) * count
    whole = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, place)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, place + size, 1)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return local + entry * count + whole + locator + end
