"""Who may see a page: everybody on the loopback, people with a role where the app listens elsewhere.

Login is OpenID Connect by Streamlit's own `[auth]` section of `.streamlit/secrets.toml`. Roles come with the identity
token, in the claim that the setting "role_claim" names; a role includes those below it.
"""

import ipaddress
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NoReturn
from urllib.parse import urlsplit

import streamlit as st

from core.errors import UsageError
from core.plain_text import plain
from core.settings import get_text_setting

Role = Literal["viewer", "clinician", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "clinician", "admin")
UNPROTECTED = (
    "SonoKi listens beyond this computer, and no login is configured, so nothing is shown. Set server.address to "
    "127.0.0.1, or add OpenID Connect to .streamlit/secrets.toml as the README says, and start it again."
)

PROXIED = (
    "SonoKi is reached from beyond this computer, through a proxy or under another name, and no login is configured, "
    "so nothing is shown. Open it as http://127.0.0.1, or add OpenID Connect to .streamlit/secrets.toml as the README "
    "says."
)
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


@dataclass(frozen=True)
class User:
    """Who uses the page.

    Parameters
    ----------
    name : str
        Name or address in the identity token; empty where login is off.
    role : {"viewer", "clinician", "admin"}
        What they may do.
    """

    name: str
    role: Role

    def may(self, role: Role) -> bool:
        """Whether this role includes another."""
        return ROLES.index(self.role) >= ROLES.index(role)


def require_role(role: Role) -> User:
    """Let a person with a role see the rest of the page, and nobody else.

    Parameters
    ----------
    role : {"viewer", "clinician", "admin"}
        Least role.

    Returns
    -------
    User
        Who it is; an admin without a name where the app listens on the loopback and no login is configured.

    Raises
    ------
    UsageError
        If the app listens beyond the loopback, or is reached through a proxy, without a login.
    """
    if not is_login_configured():
        sentence = refuse_start(st.get_option("server.address")) or refuse_request(st.context.headers)
        if sentence is not None:
            raise UsageError(sentence)
        return User("", "admin")
    claims = st.user.to_dict()
    if not claims.get("is_logged_in"):
        _ask_for_login("Log in to use SonoKi.")
    if is_expired(claims, time.time()):
        _ask_for_login("Your login has run out. Log in again.")
    user = read_user(claims, get_text_setting("role_claim"))
    if user is None or not user.may(role):
        _refuse(role)
    _show_user(user)
    return user


def refuse_start(address: str | None) -> str | None:
    """Say why the app must not answer at an address, or None where it may.

    Parameters
    ----------
    address : str or None
        Option server.address; None means all of the computer's addresses.

    Returns
    -------
    str or None
        The reason: beyond the loopback a login is needed.
    """
    return None if is_loopback(address) or is_login_configured() else UNPROTECTED


def refuse_request(headers: Mapping[str, str]) -> str | None:
    """Say why a request to the loopback must not be answered without a login, or None where it may.

    Parameters
    ----------
    headers : mapping of str to str
        Headers of the request; their case does not matter.

    Returns
    -------
    str or None
        The reason: a proxy passed the request on, or it was meant for another name than this computer's own.
    """
    known = {name.lower(): value for name, value in headers.items()}
    host = urlsplit("//" + known.get("host", "localhost")).hostname
    return PROXIED if any(name in known for name in FORWARDED) or not is_loopback(host) else None


def is_login_configured() -> bool:
    """Whether the secrets hold an `[auth]` section."""
    try:
        return "auth" in st.secrets
    except FileNotFoundError:
        return False


def is_loopback(address: str | None) -> bool:
    """Whether a server at this address can be reached from this computer only.

    Parameters
    ----------
    address : str or None
        Option server.address; None means all of the computer's addresses.

    Returns
    -------
    bool
        False also for a name that is not "localhost".
    """
    if address == "localhost":
        return True
    try:
        return address is not None and ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def is_expired(claims: Mapping[str, Any], now: float) -> bool:
    """Whether an identity token has run out.

    Parameters
    ----------
    claims : mapping
        Claims of the token; "exp" is its end in seconds since 1970.
    now : float
        Seconds since 1970.

    Returns
    -------
    bool
        True also for a token that does not say when it ends.
    """
    end = claims.get("exp")
    return not isinstance(end, int | float) or now >= end


def read_user(claims: Mapping[str, Any], claim: str) -> User | None:
    """Read name and highest role from an identity token.

    Parameters
    ----------
    claims : mapping
        Claims of the token.
    claim : str
        The claim that holds the role, or a list of roles.

    Returns
    -------
    User or None
        None where the token holds none of our roles.
    """
    held = claims.get(claim) or ()
    held = {held} if isinstance(held, str) else set(held)
    role = next((role for role in reversed(ROLES) if role in held), None)
    name = next((str(claims[key]) for key in ("name", "email", "sub") if claims.get(key)), "")
    return None if role is None else User(name, role)


def _ask_for_login(sentence: str) -> NoReturn:
    st.markdown(sentence)
    st.button("Log in", type="primary", on_click=st.login)
    st.stop()


def _refuse(role: Role) -> NoReturn:
    st.markdown(f"This page needs the role {role}, and your login does not hold it. Ask whoever runs SonoKi for it.")
    st.button("Log out", on_click=st.logout)
    st.stop()


def _show_user(user: User) -> None:
    with st.sidebar:
        st.caption(f"{plain(user.name)}, {user.role}")
        st.button("Log out", on_click=st.logout)
