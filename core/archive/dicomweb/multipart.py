"""The body of a multipart answer that holds one file, whole or not at all."""

import re

from core.errors import ArchiveError

_BOUNDARY = re.compile(r'boundary="?([^";,]+)"?', re.IGNORECASE)
_RUBBISH = "The archive answered with something other than a DICOM file. Check SONOKI_PACS_URL."


def read_single_part(content_type: str, body: bytes) -> bytes:
    """Take the one file out of a multipart/related answer."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/dicom":
        return body
    boundary = _BOUNDARY.search(content_type)
    if kind != "multipart/related" or boundary is None:
        raise ArchiveError(_RUBBISH)
    mark = b"--" + boundary[1].encode("latin-1", "replace")
    start = body.find(mark)
    head_end = body.find(b"\r\n\r\n", start)
    if start < 0 or head_end < 0:
        raise ArchiveError(_RUBBISH)
    end = body.find(b"\r\n" + mark, head_end + 4)
    if end < 0:
        raise ArchiveError("The archive's answer was cut short. Try again later.", is_temporary=True)
    if body[end + 2 + len(mark) : end + 4 + len(mark)] != b"--":
        raise ArchiveError("The archive answered with more than one file. Ask whoever runs it.")
    return body[head_end + 4 : end]
