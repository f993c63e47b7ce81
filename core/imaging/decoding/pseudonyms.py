"""New names and UIDs in place of a patient's, the same ones for the same key (PS3.15 E.1), by HMAC-SHA256."""

import hmac
from base64 import b32encode
from hashlib import sha256

_UUID_ROOT = "2.25."
_LETTERS = 10


def make_pseudonym(key: bytes, identity: str) -> str:
    """Name a patient anew."""
    return "P-" + b32encode(_digest(key, "patient", identity)).decode("ascii")[:_LETTERS]


def make_uid(key: bytes, uid: str) -> str:
    """Replace a UID."""
    return _UUID_ROOT + str(int.from_bytes(_digest(key, "uid", uid)[:16], "big"))


def _digest(key: bytes, kind: str, text: str) -> bytes:
    return hmac.digest(key, f"{kind}\0{text.strip()}".encode(), sha256)
