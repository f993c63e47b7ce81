"""Where the archive is and who asks: an address that keeps data off open lines, secrets from the environment alone."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase, HTTPBasicAuth

from core.errors import UsageError

PASSWORD, TOKEN = "SONOKI_PACS_PASSWORD", "SONOKI_PACS_TOKEN"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class _Bearer(AuthBase):
    """A token in the header of each request."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def read_credentials(user: str, environ: Mapping[str, str]) -> AuthBase | None:
    """Read what proves who asks."""
    if token := environ.get(TOKEN, "").strip():
        if not (token.isascii() and token.isprintable()):
            raise UsageError(f"{TOKEN} holds characters that a token can't have. Copy it again.")
        return _Bearer(token)
    if not user:
        return None
    if not environ.get(PASSWORD):
        raise UsageError(f"SONOKI_PACS_USER is set, but {PASSWORD} is not. Set both.")
    password = environ[PASSWORD]
    if (user + password).isascii():
        return HTTPBasicAuth(user, password)
    return HTTPBasicAuth(user.encode(), password.encode())  # RFC 7617: UTF-8


def check_url(url: str) -> str:
    """Check the archive's address."""
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc or set("?#") & set(url):
        raise UsageError(
            "SONOKI_PACS_URL must look like https://pacs.example.org/dicom-web, without user, password or query."
        )
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise UsageError("SONOKI_PACS_URL must begin with https://; plain http is taken on this machine alone.")
    return parts._replace(scheme=parts.scheme.lower()).geturl().rstrip("/")
