"""Zip archives with several image files: a list to choose from, and one file unpacked within the limits."""

from io import BytesIO
from zipfile import ZipFile, ZipInfo

from core.errors import ImageError
from core.imaging.decoding.dicom.directory import DICOMDIR, list_images
from core.imaging.decoding.formats import detect_format
from core.imaging.decoding.limits import Limits
from core.imaging.frame import Item
from core.zip_reading import ZIP_DAMAGE

_HEAD = 4096
_LARGEST_INDEX = 20_000_000
_ENCRYPTED = 0x1


def list_items(data: bytes, limits: Limits) -> tuple[tuple[Item, ...], int]:
    """List an archive's images, in its order or that of its DICOMDIR, without their names; count the other files."""
    with _open(data, limits) as archive:
        entries = _image_entries(archive)
        files = [entry for entry in archive.infolist() if not entry.is_dir()]
    items = tuple(
        Item(f"{position}: {words or name}, {entry.file_size / 1e6:.1f} MB", name, entry.file_size)
        for position, (entry, name, words) in enumerate(entries, start=1)
    )
    others = [entry for entry in files if not _find_path(entry).endswith("dicomdir")]
    return items, len(others) - len(items)


def read_item(data: bytes, item: int | None, limits: Limits) -> bytes:
    """Unpack one image file of an archive."""
    with _open(data, limits) as archive:
        entries = _image_entries(archive)
        if item is None and len(entries) > 1:
            raise ImageError(f"The archive holds {len(entries)} images. Choose one of them.")
        position = item or 0
        if not 0 <= position < len(entries):
            raise ImageError(f"Image {position + 1} was asked for, but the archive holds {len(entries)}.")
        return _read(archive, entries[position][0], limits.max_bytes)


def _open(data: bytes, limits: Limits) -> ZipFile:
    try:
        archive = ZipFile(BytesIO(data))
        files = [entry for entry in archive.infolist() if not entry.is_dir()]
    except ZIP_DAMAGE:
        raise ImageError("The zip archive is damaged. Pack it again.") from None
    if len(files) > limits.max_items:
        raise ImageError(f"The archive holds {len(files)} files; at most {limits.max_items} can be read. Pack fewer.")
    if any(entry.flag_bits & _ENCRYPTED for entry in files):
        raise ImageError("The archive is protected by a password. Pack it without one.")
    if sum(entry.file_size for entry in files) > limits.max_bytes:
        raise ImageError(f"The archive unpacks to more than {limits.max_bytes / 1e6:.0f} MB. Pack fewer files.")
    return archive


def _image_entries(archive: ZipFile) -> list[tuple[ZipInfo, str, str]]:
    """Entries whose content is an image, with the name of the format and what a DICOMDIR says of them."""
    found, words, is_indexed = [], dict[str, str](), False
    for entry in archive.infolist():
        head = b"" if entry.is_dir() else _read(archive, entry, _HEAD, whole=False)
        name = _format_of(head)
        if name == "DICOM" and DICOMDIR.encode() in head:
            is_indexed = True
            folder = _find_path(entry).rpartition("dicomdir")[0]
            listed = list_images(_read(archive, entry, _LARGEST_INDEX, whole=False))
            words |= {folder + path: text for path, text in listed.items()}
        elif name not in {None, "ZIP"}:
            found.append((entry, str(name)))
    if not found and is_indexed:
        raise ImageError("The archive holds a DICOMDIR, but none of the images that it lists. Pack the whole folder.")
    if not found:
        raise ImageError("The archive holds no image that can be read. Pack DICOM, PNG, JPEG, BMP or TIFF files.")
    order = {path: place for place, path in enumerate(words)}
    paths = {entry.filename: _find_path(entry) for entry, _ in found}
    found.sort(key=lambda pair: order.get(paths[pair[0].filename], len(order)))
    return [(entry, name, words.get(paths[entry.filename], "")) for entry, name in found]


def _find_path(entry: ZipInfo) -> str:
    """Give the path by which a DICOMDIR names a file: without case, ending and version, whatever system packed it."""
    return entry.filename.replace("\\", "/").casefold().partition(";")[0].removesuffix(".dcm")


def _format_of(head: bytes) -> str | None:
    try:
        return detect_format(head)
    except ImageError:
        return None


def _read(archive: ZipFile, entry: ZipInfo, limit: int, *, whole: bool = True) -> bytes:
    """Unpack an entry up to a limit, whatever size it states; `whole` refuses a larger one."""
    try:
        with archive.open(entry) as stream:
            content = stream.read(limit + 1)
    except (*ZIP_DAMAGE, OSError):
        raise ImageError("The zip archive is damaged. Pack it again.") from None
    if whole and len(content) > limit:
        raise ImageError(f"A file of the archive unpacks to more than {limit / 1e6:.0f} MB.")
    return content[:limit]
