"""Pseudonyms and other ids of patients: kept in one form, compared but for how they are written."""

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

FOLDED = (
    (r"[\s\p{Z}\p{Cf}]+", ""),
    (r"[\p{Pd}\x{2212}_]", "-"),
    (r"^([0-9]+)\.0+$", r"\1"),
    (r"(^|[^0-9.,])0+([0-9])", r"\1\2"),
)


def clean_id(text: str) -> str:
    """Write an id in one form of Unicode, with single blanks and without signs that nobody sees."""
    seen = "".join(c for c in unicodedata.normalize("NFC", text) if unicodedata.category(c) != "Cf")
    return re.sub(r"\s+", " ", seen).strip()


def fold_ids(ids: "pa.Array") -> "pa.Array":
    """Write ids alike that differ only in case, blanks, dashes, width or zeros."""
    import pyarrow.compute as pc  # noqa: PLC0415 - not all who clean an id read tables

    folded = pc.utf8_lower(pc.utf8_normalize(ids, form="NFKC"))
    for pattern, replacement in FOLDED:
        folded = pc.replace_substring_regex(folded, pattern=pattern, replacement=replacement)
    return folded
