"""What passes between the application and its decoder processes: JSON headers and raw bytes, never pickles.

A message is the length of its header (4 bytes) and of its body (8 bytes), big endian, then the header in JSON and the
body. A request's body is the file; an answer's body is the pixels and, if there are any, the marks of strong colour.
"""

import json
from typing import IO


def read_message(stream: IO[bytes]) -> tuple[dict[str, object], bytes] | None:
    """Read one message."""
    lengths = stream.read(12)
    if len(lengths) < 12:
        return None
    header = stream.read(int.from_bytes(lengths[:4], "big"))
    size = int.from_bytes(lengths[4:], "big")
    body = stream.read(size)
    return (json.loads(header), body) if len(body) == size else None


def write_message(stream: IO[bytes], header: dict[str, object], *parts: bytes | memoryview) -> None:
    """Write one message."""
    text = json.dumps(header).encode()
    size = sum(len(part) for part in parts)
    stream.write(len(text).to_bytes(4, "big") + size.to_bytes(8, "big") + text)
    for part in parts:
        stream.write(part)
    stream.flush()
