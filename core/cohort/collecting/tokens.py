"""Tokens in place of what identifies a patient: equal values give equal ones, and only the key can make them."""

import hmac
import re
from base64 import b32encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

import pyarrow as pa

from core.clinical.ids import fold_ids
from core.imaging.decoding.pseudonyms import is_placeholder, make_pseudonym
from core.imaging.filed_image import FiledImage

LETTERS = 10
PLACEHOLDER = "Its patient id is one that stands for anybody, such as 0 or UNKNOWN: correct it in the archive."
FORM = 1  # of what is kept between runs


@dataclass(frozen=True)
class FileTokens:
    """A file as it may be kept and compared: its attributes are those of `FiledImage` as tokens."""

    file: str  # its name here, which holds no other
    fault: str  # why it can't be used by itself, a sentence; "" if it can
    # patient, folded: the pseudonym, which is also that of `deidentify`, and the token of the id without case, blanks
    # and zeros
    patient: str = ""
    folded: str = ""
    issuer: str = ""
    names: tuple[str, ...] = ()  # each word of the patient's name
    birth_date: str = ""
    study: str = ""
    instance: str = ""
    study_date: str = ""
    accession: str = ""
    side: str = ""
    pixels: str = ""

    def write(self) -> dict[str, object]:
        """Give it as JSON has it."""
        return asdict(self)

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> "FileTokens":
        """Read what `write` gave."""
        return cls(**(dict(kept) | {"names": tuple(kept["names"])}))


@dataclass(frozen=True)
class Tokens:
    """Makes tokens with a key."""

    key: bytes

    @property
    def identity(self) -> str:
        """What belongs to this key and this form of tokens."""
        return f"{FORM} {self.make('journal', '')}"

    def make(self, kind: str, text: str) -> str:
        """Give the token of a text of a kind."""
        digest = hmac.digest(self.key, f"collect {kind}\0{text}".encode("utf-8", "surrogatepass"), sha256)
        return b32encode(digest).decode("ascii")[: 2 * LETTERS]

    def fold(self, kind: str, text: str) -> str:
        """Give the token of a number or name, whatever its case, blanks, dashes, width and zeros in front."""
        (folded,) = fold_ids(pa.array([text], pa.string())).to_pylist()
        return self.make(kind, folded)

    def name_file(self, name: str) -> str:
        """Name a file anew."""
        return "F-" + self.make("file", name)[:LETTERS]

    def name_patient(self, patient_id: str, *, exact: bool) -> str:
        """Give what a patient is found by: the pseudonym, or the token of the folded id."""
        return make_pseudonym(self.key, patient_id) if exact else self.fold("folded", patient_id)

    def describe(self, file: str, image: FiledImage) -> FileTokens:
        """Give a file's tokens."""
        fault = f"Left out: {image.fault}." if image.fault else ""
        if image.patient_id and is_placeholder(image.patient_id):
            fault = fault or PLACEHOLDER
        return FileTokens(
            file,
            fault,
            patient=image.patient_id and make_pseudonym(self.key, image.patient_id),
            folded=image.patient_id and self.fold("folded", image.patient_id),
            issuer=image.issuer and self.fold("issuer", image.issuer),
            names=tuple(sorted({self.fold("name", word) for word in re.split(r"[\s^=]+", image.name) if word})),
            birth_date=image.birth_date and self.make("birth", image.birth_date),
            study=image.study and self.make("study", image.study),
            instance=image.instance and self.make("instance", image.instance),
            study_date=image.study_date and self.make("date", image.study_date),
            accession=image.accession and self.fold("accession", image.accession),
            side=image.side,
            pixels=image.pixels and self.make("pixels", image.pixels),
        )
