"""What is asked of the archive, and what is read of its answers: nothing that names a patient."""

import datetime
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import ArchiveError, InputError

UID = re.compile(r"[0-9][0-9.]{0,63}")
RUBBISH = "The archive answered with something other than DICOMweb, such as a web page. Check SONOKI_PACS_URL."


@dataclass(frozen=True)
class StudyQuery:
    """What to look for; at least one of the three."""

    # patient_id, accession: exactly as the archive has them; no wild cards
    patient_id: str = ""
    accession: str = ""
    date: datetime.date | None = None  # day of the study

    def __post_init__(self) -> None:
        if not (self.patient_id.strip() or self.accession.strip() or self.date):
            raise InputError("Give a patient ID, an accession number or a date to look for.")
        if set("*?\\") & set(self.patient_id + self.accession):
            raise InputError("Give the patient ID and the accession number in full, without * ? or \\.")

    def fits(self, item: object) -> bool:
        """Tell whether a study of an answer is what was asked for: some archives ignore a filter.

        An answer without the patient ID, accession number or date that was asked for does not fit.
        """
        asked = {
            "00100020": self.patient_id,
            "00080050": self.accession,
            "00080020": f"{self.date:%Y%m%d}" if self.date else "",
        }
        modalities = read_texts(item, "00080061")
        is_alike = all(read_text(item, tag).strip() == text.strip() for tag, text in asked.items() if text.strip())
        return is_alike and (not modalities or "US" in modalities.split(", "))

    def to_filters(self) -> dict[str, str]:
        """Give the query as DICOM keywords and values."""
        filters = {
            "PatientID": self.patient_id.strip(),
            "AccessionNumber": self.accession.strip(),
            "StudyDate": f"{self.date:%Y%m%d}" if self.date else "",
        }
        return {name: value for name, value in filters.items() if value} | {"ModalitiesInStudy": "US"}


@dataclass(frozen=True)
class StudySummary:
    """A study as a list shows it: nothing that identifies but its UID, and a hash of whose it is."""

    uid: str
    date: str
    modalities: str
    patient: str = ""


class StudyList(list[StudySummary]):
    """Studies, the latest first.

    Attributes
    ----------
    has_more : bool
        Whether the archive has earlier ones.
    n_others : int
        Studies of others that the archive gave although they were not asked for.
    """

    has_more = False
    n_others = 0


@dataclass(frozen=True)
class SeriesSummary:
    """A series as a list shows it."""

    study_uid: str
    uid: str
    number: str
    modality: str
    manufacturer: str
    n_images: str
    patient: str = ""


@dataclass(frozen=True)
class InstanceReference:
    """One object of the archive."""

    study_uid: str
    series_uid: str
    uid: str
    number: str = ""
    n_frames: str = ""
    patient: str = ""


def hash_patient(patient_id: str, study_uid: str) -> str:
    """Give what tells whether two objects of a study name one patient; empty where none is named."""
    named = patient_id.strip("\0 ")
    return hashlib.sha256(f"{study_uid}\n{named}".encode()).hexdigest() if named else ""


def _values(item: object, tag: str) -> list[object]:
    element = item.get(tag) if isinstance(item, Mapping) else None
    values = element.get("Value") if isinstance(element, Mapping) else None
    return values if isinstance(values, list) else []


def _cut(value: object, longest: int) -> str:
    """Write a value as text of at most so many letters; halves of a letter, which JSON can hold, become a ?."""
    return str(value)[:longest].encode("utf-8", "replace").decode("utf-8")


def read_text(item: object, tag: str) -> str:
    """Read the first value of a tag as text, cut to DICOM's length; empty where there is none."""
    return next((_cut(value, 64) for value in _values(item, tag) if isinstance(value, str | int | float)), "")


def read_texts(item: object, tag: str) -> str:
    """Read all values of a tag as `read_text` reads the first, with commas."""
    return ", ".join(_cut(value, 16) for value in _values(item, tag)[:8] if isinstance(value, str))


def read_uid(item: object, tag: str) -> str:
    """Read a UID as `read_text` does, or refuse the answer."""
    text = read_text(item, tag)
    if not UID.fullmatch(text):
        raise ArchiveError(RUBBISH)
    return text


def read_study(uid: str, item: object) -> StudySummary:
    """Read what a list says of a study."""
    patient = hash_patient(read_text(item, "00100020"), uid)
    return StudySummary(uid, read_text(item, "00080020"), read_texts(item, "00080061"), patient)


def keep_own(items: list[Any], tags: tuple[str, str], uid: str, study: tuple[str, str]) -> list[Any]:
    """Keep of a list what has a UID and is not said to lie elsewhere or to be of another patient.

    The tags are those of an item's own UID, and of that of the study or series that was asked for (`uid`); the latter
    may be left out, for the address says it, and the file that is retrieved must. `study` is the study's UID and hashed
    patient.
    """
    kept = []
    for item in items:
        own, parent = (read_text(item, tag) for tag in tags)
        patient = hash_patient(read_text(item, "00100020"), study[0])
        if UID.fullmatch(own) and parent in ("", uid) and (not patient or not study[1] or patient == study[1]):
            kept.append(item)
    if items and not kept:
        raise ArchiveError("The archive lists nothing that it says to be of this study. Ask whoever runs it.")
    return kept
