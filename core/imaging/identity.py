"""Whose a DICOM file is, and whether two files name different patients."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations

from core.errors import ImageError
from core.imaging.intake import ask_identity

_WORD, _LATIN = re.compile(r"[^\W\d_]+"), re.compile(r"[a-z]{2,}")


@dataclass(frozen=True)
class Identity:
    """Whose a DICOM file is, and which object of which study; compared, and kept nowhere."""

    # patient_id, issuer, name, birth_date: "" where the file does not say
    patient_id: str = field(default="", repr=False)
    issuer: str = field(default="", repr=False)
    name: str = field(default="", repr=False)
    birth_date: str = field(default="", repr=False)
    # study, series, instance: UIDs; "" where the file has none
    study: str = field(default="", repr=False)
    series: str = field(default="", repr=False)
    instance: str = field(default="", repr=False)

    def is_another(self, other: "Identity") -> bool:
        """Tell whether two files name different patients, as far as both say.

        By ID and issuer; then names may be written otherwise, but not share nothing. Without an ID
        on either side, one name must hold all words of the other. A birth date is never another.
        """
        if _differ(self.birth_date, other.birth_date) or _differ(self.patient_id, other.patient_id):
            return True
        if self.patient_id and other.patient_id:
            latin, others = (_list_words(_LATIN, name.partition("=")[0]) for name in (self.name, other.name))
            return _differ(self.issuer, other.issuer) or bool(latin and others and not latin & others)
        return next((not _hold(*pair) for pair in _pair_groups(self.name, other.name)), False)


def read_identity(data: bytes, *, item: int | None = None) -> Identity:
    """Read whose a DICOM file is, or one in a zip archive, the first by default; whatever else is wrong with it.

    Raises
    ------
    ImageError
        If it is no DICOM file.
    """
    return Identity(**ask_identity(data, item=item))


def name_different_patients(files: Iterable[tuple[bytes, int | None]]) -> bool:
    """Tell whether files, each with its position in an archive, name different patients; other formats name none."""
    named = []
    for data, item in files:
        try:
            named.append(read_identity(data, item=item))
        except ImageError:
            continue
    return any(one.is_another(other) for one, other in combinations(named, 2))


def _pair_groups(one: str, other: str) -> Iterator[tuple[set[str], set[str]]]:
    """Give the words of each way of writing that both names have: letters, ideographs, sounds (PS3.5 6.2.1)."""
    for group, another in zip(one.split("="), other.split("="), strict=False):
        words, others = _list_words(_WORD, group), _list_words(_WORD, another)
        if words and others:
            yield words, others


def _hold(words: set[str], others: set[str]) -> bool:
    """Whether one name holds all words of the other."""
    return words <= others or others <= words


def _differ(one: str, other: str) -> bool:
    return bool(one and other) and one != other


def _list_words(pattern: re.Pattern[str], name: str) -> set[str]:
    """List the words of a name, without case and accents."""
    folded = unicodedata.normalize("NFKD", name.casefold())
    return set(pattern.findall("".join(char for char in folded if not unicodedata.combining(char))))
