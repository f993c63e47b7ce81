"""Who asks: the claims of a login's cookie, or the start token of this computer's user."""

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

import streamlit as st
from streamlit.auth_util import get_cookie_with_chunks
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from core.settings import get_text_setting
from core.ui.login import User, is_expired, read_user


@dataclass(frozen=True)
class StartToken:
    """What opens the app on a computer that several people use: who saw the printed address may come in."""

    text: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)  # in the printed address
    # what a browser that came by that address keeps
    cookie: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    def opens(self, text: str) -> bool:
        """Whether a text is the token."""
        return secrets.compare_digest(text.encode(), self.text.encode())

    def is_kept(self, cookies: Mapping[str, str], port: int) -> bool:
        """Whether a browser came by the printed address before."""
        return secrets.compare_digest(cookies.get(name_cookie(port), "").encode(), self.cookie.encode())


def name_cookie(port: int) -> str:
    """Name the start token's cookie; a browser sends it to all ports of a computer."""
    return f"sonoki_start_{port}"


def find_login_address() -> SplitResult:
    """Give the address that the provider sends people back to, which is the app's own."""
    return urlsplit(str(st.secrets["auth"].get("redirect_uri", "")))


def read_claims(cookies: Mapping[str, str], origin: str) -> dict[str, object]:
    """Read the claims of a login's cookie; empty where nobody is logged in.

    A cookie that was signed by somebody else, or for another origin than the app's ("https://sonoki.example.org"), logs
    nobody in.
    """

    def decode(name: str) -> bytes | None:
        value = cookies.get(name)
        return None if value is None else decode_signed_value(get_cookie_secret(), name, value.encode("latin-1"))

    kept = get_cookie_with_chunks(decode, USER_COOKIE_NAME)
    try:
        claims = json.loads(kept) if kept else {}
    except ValueError:
        return {}
    is_ours = isinstance(claims, dict) and claims.get("origin") == origin and claims.get("is_logged_in") is True
    return claims if is_ours else {}


def find_user(claims: Mapping[str, object]) -> User | None:
    """Give the person whose login's claims these are, or None where it has expired or holds no role."""
    if not claims or is_expired(claims, time.time()):
        return None
    return read_user(claims, get_text_setting("role_claim"))
