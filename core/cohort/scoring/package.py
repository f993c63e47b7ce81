"""A zip archive with a manifest and its images, unpacked into a folder within limits."""

import errno
from io import BytesIO
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile, ZipInfo

from core.errors import TableError, WorkError, name_cause
from core.settings import get_setting
from core.zip_reading import ZIP_DAMAGE, count_entries

MAX_FILES = 20_000
TABLES = (".csv", ".tsv", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".parquet")
ENCRYPTED = 0x1
CHUNK = 1 << 20
NO_ARCHIVE = "The file is not a zip archive: pack the table and its images into one."
DAMAGED = "The zip archive is damaged. Pack it again."
TOO_MANY = f"The archive holds {{count:,}} files; at most {MAX_FILES:,} can be read. Pack fewer."
UNWRITABLE = "A file of the archive can't be unpacked: its name is too long, or is a folder's. Use other names."
NO_ROOM = "The archive can't be unpacked on the server ({reason}): whoever runs SonoKi makes room there."
ODD_NAME = {errno.ENAMETOOLONG, errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.EINVAL, errno.EILSEQ}


def unpack_package(data: bytes, folder: Path) -> Path:
    """Unpack an archive."""
    if not data.startswith(b"PK"):
        raise TableError(NO_ARCHIVE)
    if (count := count_entries(data)) > MAX_FILES:
        raise TableError(TOO_MANY.format(count=count))
    try:
        with ZipFile(BytesIO(data)) as archive:
            entries = _check(archive.infolist())
            for entry in entries:
                _unpack(archive, entry, folder)
    except ZIP_DAMAGE:
        raise TableError(DAMAGED) from None
    except OSError as error:
        raise _explain(error) from None
    tables = [entry for entry in entries if entry.filename.lower().endswith(TABLES)]
    if len(tables) != 1:
        raise TableError(
            f"The archive holds {len(tables)} tables; pack one CSV, Excel, ODS or Parquet file beside the images."
        )
    return folder / tables[0].filename


def _explain(error: OSError) -> TableError | WorkError:
    """Say whether the archive, a name in it or the disk is the reason why it can't be unpacked."""
    if error.errno is None:  # data that bzip2 can't read
        return TableError(DAMAGED)
    return TableError(UNWRITABLE) if error.errno in ODD_NAME else WorkError(NO_ROOM.format(reason=name_cause(error)))


def _check(listed: list[ZipInfo]) -> list[ZipInfo]:
    entries = [entry for entry in listed if not entry.is_dir() and not entry.filename.startswith("__MACOSX/")]
    limit = get_setting("max_bytes")
    if any(entry.flag_bits & ENCRYPTED for entry in entries):
        raise TableError("The archive is protected by a password. Pack it without one.")
    if sum(entry.file_size for entry in entries) > limit:
        raise TableError(f"The archive unpacks to more than {limit / 1e6:.0f} MB. Pack fewer images.")
    for entry in entries:
        path = PurePosixPath(entry.filename.replace("\\", "/"))
        if not path.parts or path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
            raise TableError("A file of the archive leads out of its folder. Pack it again with plain names.")
    return entries


def _unpack(archive: ZipFile, entry: ZipInfo, folder: Path) -> None:
    """Write one file, and no more of it than the archive says."""
    target = folder / entry.filename
    target.parent.mkdir(parents=True, exist_ok=True)
    left = entry.file_size
    with archive.open(entry) as source, target.open("wb") as out:
        while chunk := source.read(CHUNK):
            left -= len(chunk)
            if left < 0:
                raise BadZipFile
            out.write(chunk)
