"""New names and UIDs in place of a patient's, the same ones for the same key (PS3.15 E.1), by HMAC-SHA256."""

import hmac
import re
from base64 import b32encode
from hashlib import sha256

from core.clinical import is_missing

_UUID_ROOT = "2.25."
_LETTERS = 10
_FILLER = re.compile(r"0+|x+|9{4,}|[\W_]+", re.IGNORECASE)
_NOBODY = {
    "anonymous",
    "anonymized",
    "anonymised",
    "anonym",
    "anon",
    "deidentified",
    "removed",
    "noid",
    "test",
    "patient",
}
_WORD = re.compile(r"[^\W_]+")


def is_placeholder(patient_id: str) -> bool:
    """Tell whether an ID or a name is one that stands for anybody, such as 0, UNKNOWN or nothing."""
    text = patient_id.strip()
    words = "".join(_WORD.findall(text.casefold()))
    return is_missing(text, is_name=True) or bool(_FILLER.fullmatch(text)) or words in _NOBODY or is_missing(words)


def tell_patient(patient_id: str, name: str, birth_date: str) -> str:
    """Give what a pseudonym is made from: the ID, or beside one that is none name and birth date; "" without a name."""
    if not is_placeholder(patient_id):
        return patient_id.strip()
    known = "" if is_placeholder(name) else " ".join(_WORD.findall(name.casefold()))
    return "\n".join((patient_id.strip(), known, birth_date)) if known else ""


def make_pseudonym(key: bytes, identity: str) -> str:
    """Name a patient anew."""
    return "P-" + b32encode(_digest(key, "patient", identity)).decode("ascii")[:_LETTERS]


def make_uid(key: bytes, name: str, uid: str) -> str:
    """Replace a UID; one that stands for two things, such as study and instance, becomes two."""
    return _UUID_ROOT + str(int.from_bytes(_digest(key, f"uid {name}", uid)[:16], "big"))


def _digest(key: bytes, kind: str, text: str) -> bytes:
    return hmac.digest(key, f"{kind}\0{text.strip()}".encode("utf-8", "surrogatepass"), sha256)
