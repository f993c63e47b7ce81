"""A DICOMDIR: the studies, series and images of the folder beside it (PS3.3 annex F), without their patients' names."""

from collections.abc import Iterator
from io import BytesIO

from pydicom import Dataset, dcmread

DICOMDIR = "1.2.840.10008.1.3.10"


def list_images(data: bytes) -> dict[str, str]:
    """List the images that a DICOMDIR names."""
    try:
        index = dcmread(BytesIO(data), force=True)
        records = {item.seq_item_tell: item for item in index.get("DirectoryRecordSequence") or []}
        first = int(index.get("OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity") or 0)
        return dict(_walk(records, first, [], {}))
    except Exception:  # noqa: BLE001 - an index helps to choose; without it the files are listed as they are
        return {}


def _walk(records: dict[int, Dataset], at: int, above: list[str], counts: dict[str, int]) -> Iterator[tuple[str, str]]:
    """Go through a row of records and what lies below each; each record once, whatever its pointers say."""
    while record := records.pop(at, None):
        kind = str(record.get("DirectoryRecordType") or "")
        if kind == "STUDY":
            counts["study"], counts["series"] = counts.get("study", 0) + 1, 0
        if kind == "SERIES":
            counts["series"] = counts.get("series", 0) + 1
        words = _describe(kind, record, counts)
        if path := record.get("ReferencedFileID"):
            parts = [path] if isinstance(path, str) else list(path)
            yield "/".join(parts).casefold(), ", ".join([*above, *words])
        below = int(record.get("OffsetOfReferencedLowerLevelDirectoryEntity") or 0)
        yield from _walk(records, below, above + words, counts)
        at = int(record.get("OffsetOfTheNextDirectoryRecord") or 0)


def _describe(kind: str, record: Dataset, counts: dict[str, int]) -> list[str]:
    if kind == "STUDY":
        day = str(record.get("StudyDate") or "")
        return [f"study {counts['study']}" + (f" ({day[:4]}-{day[4:6]}-{day[6:]})" if len(day) == 8 else "")]
    if kind == "SERIES":
        modality = str(record.get("Modality") or "")[:4]
        return [f"series {counts['series']}" + (f" ({modality})" if modality else "")]
    number = record.get("InstanceNumber")
    return [f"image {number}"] if kind == "IMAGE" and number is not None else []
