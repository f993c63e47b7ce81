"""Results that wait for the archive: on disk until the archive is seen to hold them, so that nothing is lost.

The files name their patients, as results of a study must. The folder is for its owner alone, the files are named by
their UID and go away once the archive has them.
"""

import os
import re
import tempfile
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.uid import (
    ColorSoftcopyPresentationStateStorage,
    ComprehensiveSRStorage,
    EncapsulatedPDFStorage,
    GrayscaleSoftcopyPresentationStateStorage,
    SecondaryCaptureImageStorage,
)

from core.archive.dicomweb.client import Archive
from core.archive.dicomweb.records import UID
from core.errors import ArchiveError, InputError, WorkError
from core.private_files import find_data_folder, make_private_folder
from core.settings import get_text_setting

SUFFIX = ".dcm"
NAME = "SonoKi"
LAST: dict[str, str] = {  # with which the objects of each class end
    SecondaryCaptureImageStorage: "PixelData",
    ComprehensiveSRStorage: "ContentSequence",
    EncapsulatedPDFStorage: "EncapsulatedDocumentLength",
    GrayscaleSoftcopyPresentationStateStorage: "PresentationLUTShape",
    ColorSoftcopyPresentationStateStorage: "PresentationCreationTime",
}
UNDEFINED = 0xFFFFFFFF
VALID_UID = re.compile(r"(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))+", re.ASCII)
LONGEST_UID = 64
OURS = "Send what `python -m core export` wrote."


@dataclass(frozen=True)
class Delivery:
    """What became of the results that waited."""

    # sent, waiting: how many the archive holds now, and how many still wait
    sent: int
    waiting: int
    reason: str = ""  # why some wait; empty if none does

    def describe(self) -> str:
        """Say it in a sentence."""
        if not self.sent and not self.waiting:
            return "Nothing was waiting for the archive."
        done = f"The archive holds {self.sent} of {self.sent + self.waiting} results."
        return f"{done} {self.waiting} are kept and can be sent again. {self.reason}" if self.waiting else done


class Outbox:
    """A folder of results.

    Parameters
    ----------
    folder : Path
        Made when it is first needed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, objects: Iterable[bytes]) -> None:
        """Keep results; once this returns they survive a crash."""
        try:
            make_private_folder(self.folder)
            for uid, data in [(name_result(data), data) for data in objects]:
                self._write(uid, data)
        except OSError:
            raise WorkError(
                "The results can't be kept: the outbox folder can't be written. Check SONOKI_OUTBOX and the disk."
            ) from None

    def list_waiting(self) -> list[Path]:
        """List the files that wait, the oldest first."""
        found = []
        for path in self.folder.glob(f"*{SUFFIX}"):
            if UID.fullmatch(path.stem):
                try:
                    found.append((path.stat().st_mtime_ns, path))
                except FileNotFoundError:  # another session has just delivered it
                    continue
        return [path for _, path in sorted(found)]

    def send(self, archive: Archive, progress: Callable[[int, int], None] | None = None) -> Delivery:
        """Send what waits, and let go of what the archive is seen to hold.

        Parameters
        ----------
        archive : Archive
            Where to.
        progress : callable, optional
            Called with the number done and the number in all.

        Returns
        -------
        Delivery
            What became of it; a fault of the archive is a reason in it, no error.
        """
        paths = self.list_waiting()
        sent, reason = 0, ""
        for done, path in enumerate(paths, start=1):
            try:
                data = path.read_bytes()
                name_result(data)
                archive.store(data)
            except InputError:
                reason = f"A file of the outbox is damaged or none of ours; remove {path.name} from its folder."
            except FileNotFoundError:  # another session has just delivered it
                sent += 1
            except OSError:
                reason = f"A file of the outbox can't be read; check the rights of {path.name} in its folder."
            except ArchiveError as error:
                reason = str(error)
                if error.is_temporary:
                    break
            else:
                path.unlink(missing_ok=True)
                sent += 1
            if progress is not None:
                progress(done, len(paths))
        return Delivery(sent, len(paths) - sent, reason)

    def _write(self, uid: str, data: bytes) -> None:
        """Write a file whole or not at all; several sessions may write the same one."""
        descriptor, name = tempfile.mkstemp(prefix=f"{uid}.", suffix=".part", dir=self.folder)
        part = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(self.folder / f"{uid}{SUFFIX}")
        finally:
            part.unlink(missing_ok=True)
        _sync_folder(self.folder)


def name_result(data: bytes) -> str:
    """Give the UID of a result of ours, by which its file is named."""
    try:
        with warnings.catch_warnings(action="ignore"):
            found = pydicom.dcmread(BytesIO(data))
            is_whole = _is_whole(found)
            texts = [str(found.get(name, "")) for name in ("SOPInstanceUID", "SOPClassUID", "Manufacturer")]
    except Exception:  # noqa: BLE001 - a file of anybody may make the parser fail in any way
        raise InputError(f"A file can't be read as DICOM. {OURS}") from None
    uid, kind, maker = texts
    if maker != NAME or kind not in LAST:
        raise InputError(f"A file is not a result that SonoKi made. {OURS}")
    if not is_whole or not all(found.get(name) for name in (LAST[kind], "StudyInstanceUID", "SeriesInstanceUID")):
        raise InputError(f"A file is cut short, or names no study. {OURS}")
    if len(uid) > LONGEST_UID or not VALID_UID.fullmatch(uid):
        raise InputError(f"A file's SOP instance UID is not a DICOM UID. {OURS}")
    return uid


def _is_whole(dataset: pydicom.Dataset) -> bool:
    """Whether every element holds as many bytes as it states."""
    for tag in list(dataset.keys()):
        element = dataset.get_item(tag)
        if isinstance(element, RawDataElement):
            if element.length not in (UNDEFINED, len(element.value or b"")):
                return False
            element = dataset[tag]
        if element.VR == "SQ" and not all(map(_is_whole, element.value)):
            return False
    return True


def open_outbox() -> Outbox:
    """Open the outbox of the settings."""
    named = get_text_setting("outbox")
    if named:
        return Outbox(Path(named))
    return Outbox(find_data_folder() / "outbox")


def _sync_folder(folder: Path) -> None:
    """Make a rename last, where folders can be synced."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
