"""Who may see a page: everybody on the loopback, people with a role where the app listens elsewhere.

Login is OpenID Connect by Streamlit's own `[auth]` section of `.streamlit/secrets.toml`. Roles come with the identity
token, in the claim that the setting "role_claim" names; a role includes those below it.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Literal, NoReturn

import streamlit as st
from streamlit.runtime import Runtime, get_instance

from core.errors import UsageError
from core.plain_text import plain
from core.settings import get_text_setting
from core.ui.errors import guard
from core.ui.gate.origin import is_loopback

Role = Literal["viewer", "clinician", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "clinician", "admin")
UNPROTECTED = (
    "SonoKi listens beyond this computer, and no login is configured, so nothing is shown. Set server.address to "
    "127.0.0.1, or add OpenID Connect to .streamlit/secrets.toml as the README says, and start it again."
)
NO_GATE = "SonoKi was started another way than by app.py, so nothing is shown. Start it by: streamlit run app.py"
UNREADABLE = "The file of secrets can't be read, so it is not known who may log in. Correct or remove it."
LOGIN_KEY = "sonoki_login"
_gate = Event()


@dataclass(frozen=True)
class User:
    """Who uses the page."""

    name: str  # name or address in the identity token, for people to read; empty where login is off
    key: str  # subject of the identity token, which no two people share; empty where login is off
    role: Role  # "viewer", "clinician", "admin", what they may do

    def may(self, role: Role) -> bool:
        """Whether this role includes another."""
        return ROLES.index(self.role) >= ROLES.index(role)


def require_role(role: Role) -> User:
    """Let a person with a role see the rest of the page, and nobody else."""
    if type(get_instance()) is Runtime and not _gate.is_set():
        raise UsageError(NO_GATE)
    if not is_login_configured():
        sentence = refuse_start(st.get_option("server.address"))
        if sentence is not None:
            raise UsageError(sentence)
        return User("", "", "admin")
    claims = st.user.to_dict()
    if not claims.get("is_logged_in"):
        _ask_for_login("Log in to use SonoKi.")
    if is_expired(claims, time.time()):
        _ask_for_login("Your session has expired. Log in again.")
    user = read_user(claims, get_text_setting("role_claim"))
    if user is None or not user.may(role):
        _refuse(role)
    _show_user(user)
    return user


def has_role(role: Role) -> bool:
    """Whether the person has a role; everybody where no login is configured."""
    if not is_login_configured():
        return True
    user = read_user(st.user.to_dict(), get_text_setting("role_claim"))
    return user is not None and user.may(role)


def note_gate() -> None:
    """Note that the gate stands before the pages; a server without one shows nothing."""
    _gate.set()


def refuse_start(address: str | None) -> str | None:
    """Say why the app must not answer at an address, or None where it may."""
    return None if is_loopback(address) or is_login_configured() else UNPROTECTED


def is_login_configured() -> bool:
    """Whether the secrets hold an `[auth]` section; a `UsageError` where they are there but can't be read."""
    try:
        return "auth" in st.secrets
    except FileNotFoundError:
        if any(Path(name).is_file() for name in st.get_option("secrets.files")):
            raise UsageError(UNREADABLE) from None
        return False


def is_expired(claims: Mapping[str, object], now: float) -> bool:
    """Whether an identity token has expired; so has one that does not say when, or says never."""
    end = claims.get("exp")
    return isinstance(end, bool) or not isinstance(end, int | float) or not now < end < math.inf


def read_user(claims: Mapping[str, object], claim: str) -> User | None:
    """Read name and highest role from an identity token; None without role or subject."""
    key = claims.get("sub")
    if not isinstance(key, str) or not key:
        return None
    held = claims.get(claim)
    held = [held] if isinstance(held, str) else held if isinstance(held, list) else []
    role = next((role for role in reversed(ROLES) if role in held), None)
    name = next((str(claims[key]) for key in ("name", "email", "sub") if claims.get(key)), "")
    return None if role is None else User(name, key, role)


def _ask_for_login(sentence: str) -> NoReturn:
    st.markdown(sentence)
    st.button("Log in", type="primary", on_click=guard(st.login), key=LOGIN_KEY)
    st.stop()


def _refuse(role: Role) -> NoReturn:
    st.markdown(f"This page needs the role {role}, and your login does not hold it. Ask whoever runs SonoKi for it.")
    st.button("Log out", on_click=guard(st.logout))
    st.stop()


def _show_user(user: User) -> None:
    with st.sidebar:
        st.caption(f"{plain(user.name)}, {user.role}")
        st.button("Log out", on_click=guard(st.logout))
