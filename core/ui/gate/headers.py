"""What every answer tells the browser: nothing from elsewhere, nothing for elsewhere, and cookies by https alone."""

import base64
import hashlib
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import streamlit

Header = tuple[bytes, bytes]

POLICY = {
    "default-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "media-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "worker-src": "'self' blob:",
    "frame-src": "'self' blob: data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}
FIXED = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), usb=(), payment=()",
}
ONLY_HTTPS = ("strict-transport-security", "max-age=31536000")
NOT_KEPT = ("/media/", "/_stcore/metrics")


def write_policy(host: str) -> str:
    """Write the content security policy; the websocket's address is named, since not every browser counts it as own."""
    scripts = " ".join(["'self'", "'wasm-unsafe-eval'", "blob:", *_hash_inline_scripts()])
    rules = POLICY | {"script-src": scripts, "connect-src": f"'self' ws://{host} wss://{host} data: blob:"}
    return "; ".join(f"{name} {sources}" for name, sources in rules.items())


def protect(headers: Iterable[Header], *, host: str, path: str, has_tls: bool) -> list[Header]:
    """Add the protecting headers to an answer's own."""
    ours = FIXED | {"content-security-policy": write_policy(host)}
    ours |= dict([ONLY_HTTPS]) if has_tls else {}
    ours |= {"cache-control": "no-store"} if path.startswith(NOT_KEPT) else {}
    replaced = {name.encode() for name in ours}
    kept = [(name, value) for name, value in headers if name.lower() not in replaced]
    if has_tls:
        kept = [(name, _secure(name, value)) for name, value in kept]
    return [*kept, *((name.encode(), value.encode("latin-1", "replace")) for name, value in ours.items())]


@cache
def _hash_inline_scripts() -> tuple[str, ...]:
    """Name the scripts within Streamlit's own page by their hashes: no other inline script runs."""
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    hashes = (hashlib.sha256(script.encode()).digest() for script in scripts)
    return tuple(f"'sha256-{base64.b64encode(value).decode()}'" for value in hashes)


def _secure(name: bytes, value: bytes) -> bytes:
    """Let a cookie travel by https alone."""
    is_open = name.lower() == b"set-cookie" and b"secure" not in [part.strip().lower() for part in value.split(b";")]
    return value + b"; Secure" if is_open else value
