"""The files of a folder and of the zip archives in it, each with a name of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

from core.errors import InputError
from core.settings import get_setting
from core.zip_reading import ZIP_DAMAGE

ARCHIVE = b"PK\x03\x04"
OFFICE = ("[Content_Types].xml", "mimetype")
ENCRYPTED = 0x1
DEEPEST = 3
LOCKED = "A zip archive that is protected by a password."
DAMAGED = "A damaged zip archive."
UNREADABLE = "The file can't be read."
TOO_DEEP = "A zip archive within others, too deep to look into."
TOO_LARGE = "The file has more than {limit:.0f} MB, the limit."


@dataclass(frozen=True)
class SourceFile:
    """One file, on the disk or in an archive."""

    name: str  # path below the folder, through archives where it lies in one; it may hold a patient's name
    stamp: str  # size and time, or checksum: it differs where the file was changed
    path: Path  # file on the disk
    members: tuple[str, ...] = ()  # the way through archives
    fault: str = ""  # why it can't be looked into; "" if it can

    def read(self) -> bytes:
        """Give its bytes; an `InputError` where they can't be read or are too many."""
        limit = get_setting("max_bytes")
        try:
            if not self.members:
                if self.path.stat().st_size > limit:
                    raise InputError(TOO_LARGE.format(limit=limit / 1e6))
                return self.path.read_bytes()
            return _read_member(_open_archive(self.path, self.members[:-1]), self.members[-1])
        except (*ZIP_DAMAGE, OSError):
            raise InputError(UNREADABLE) from None


def list_files(folder: Path) -> list[SourceFile]:
    """List all files below a folder in the order of their names, those of archives in place of these."""
    found: list[SourceFile] = []
    for path in sorted(folder.rglob("*")):
        try:
            if not path.is_file():
                continue
            about = path.stat()
            file = SourceFile(path.relative_to(folder).as_posix(), f"{about.st_size}-{about.st_mtime_ns}", path)
            with path.open("rb") as stream:
                is_archive = stream.read(len(ARCHIVE)) == ARCHIVE
        except OSError:
            found.append(SourceFile(path.relative_to(folder).as_posix(), "", path, fault=UNREADABLE))
            continue
        found += _look_into(file) if is_archive else [file]
    return found


def _look_into(file: SourceFile) -> Iterator[SourceFile]:
    """Give the files of an archive; an Office document is a file itself."""
    if len(file.members) >= DEEPEST:
        yield _refuse(file, TOO_DEEP)
        return
    try:
        archive = _open_archive(file.path, file.members)
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        if any(entry.filename in OFFICE for entry in entries):
            yield file
            return
        for entry in sorted(entries, key=lambda entry: entry.filename):
            stamp = f"{entry.CRC:08x}-{entry.file_size}"
            member = SourceFile(f"{file.name}/{entry.filename}", stamp, file.path, (*file.members, entry.filename))
            if entry.flag_bits & ENCRYPTED:
                yield _refuse(member, LOCKED)
                continue
            with archive.open(entry) as stream:
                is_archive = stream.read(len(ARCHIVE)) == ARCHIVE
            if is_archive:
                yield from _look_into(member)
            else:
                yield member
    except (*ZIP_DAMAGE, OSError, InputError):
        yield _refuse(file, DAMAGED)


def _refuse(file: SourceFile, fault: str) -> SourceFile:
    return SourceFile(file.name, file.stamp, file.path, file.members, fault)


@lru_cache(maxsize=4)
def _open_archive(path: Path, members: tuple[str, ...]) -> ZipFile:
    if not members:
        return ZipFile(path)
    return ZipFile(BytesIO(_read_member(_open_archive(path, members[:-1]), members[-1])))


def _read_member(archive: ZipFile, name: str) -> bytes:
    """Unpack a file up to the limit, whatever size it states."""
    limit = get_setting("max_bytes")
    with archive.open(name) as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise InputError(TOO_LARGE.format(limit=limit / 1e6))
    return content
