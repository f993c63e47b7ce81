"""Where a request comes from: this computer's own browser, the address that people log in at, or elsewhere."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

PROXIED = (
    "SonoKi is reached from beyond this computer, through a proxy or under another name, and no login is configured, "
    "so nothing is shown. Open it as http://127.0.0.1, or add OpenID Connect to .streamlit/secrets.toml as the README "
    "says."
)
ELSEWHERE = (
    "SonoKi was reached under another name than the one that people log in at, so nothing is shown. Open its own "
    "address, or add the name to server.allowedHosts."
)
FOREIGN = "Another site's page asked SonoKi for something, so nothing is shown. Open SonoKi's own address."
FORWARDING = ("forwarded", "via", "client-ip", "true-client-ip", "cdn-loop", "remote-addr", "front-end-https")
FORWARDING_FAMILIES = (
    "x-",
    "cf-",
    "fastly-",
    "fly-",
    "akamai-",
    "ali-",
    "incap-",
    "proxy-",
    "wl-",
    "tailscale-",
    "ngrok-",
)
WORDS = frozenset(
    ("ip", "via", "remote", "original", "forwards", "proxied", "viewer", "gateway", "tunnel", "ssl", "azure", "azurefd")
)
BROWSERS_OWN = ("x-xsrftoken", "x-requested-with")


@dataclass(frozen=True)
class Asked:
    """What a request says of the way that it took."""

    headers: Mapping[str, str]  # by lower-case name
    client: str | None  # the address that it came from
    port: int  # the port that the server listens on
    default_port: int  # the port that an address without one means
    # whether a browser always names the page that asks: for a websocket, and for whatever changes something
    must_name_origin: bool


def refuse_stranger(asked: Asked) -> str | None:
    """Say why a request is not from a browser on this computer, or None where it is."""
    host = _split("//" + asked.headers.get("host", ""))
    if host is None or not is_loopback(host.hostname) or not is_loopback(asked.client):
        return PROXIED
    if (host.port or asked.default_port) != asked.port:
        return PROXIED
    if any(_tells_of_proxy(name) for name in asked.headers):
        return PROXIED
    own = "https:" if asked.default_port == 443 else "http:"
    if not asked.headers.get("origin", own).lower().startswith(own):
        return FOREIGN
    return refuse_foreign_page(asked, asked.headers["host"])


def refuse_foreign_page(asked: Asked, host: str) -> str | None:
    """Say why a request was made by a page of another origin, or None where it was not."""
    origin = asked.headers.get("origin")
    if origin is None:
        return FOREIGN if asked.must_name_origin else None
    page = _split(origin)
    return None if page is not None and page.netloc.lower() == host.lower() else FOREIGN


def refuse_other_name(asked: Asked, own: str, allowed: Sequence[str]) -> str | None:
    """Say why a request must not be answered where people log in, or None where it may."""
    named = asked.headers.get("host", "").lower()
    host = _split("//" + named)
    if host is None:
        return ELSEWHERE
    if named != own.lower() and not any(_fits(host.hostname or "", pattern.strip().lower()) for pattern in allowed):
        return ELSEWHERE
    return refuse_foreign_page(asked, named)


def is_loopback(address: str | None) -> bool:
    """Whether a server or browser at this address is on this computer."""
    if address is None:
        return False
    if address.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _tells_of_proxy(name: str) -> bool:
    name = name.replace("_", "-")  # as some servers hand them on
    if name in BROWSERS_OWN:
        return False
    is_known = name in FORWARDING or "forwarded" in name or name.startswith(FORWARDING_FAMILIES)
    return is_known or not WORDS.isdisjoint(name.split("-"))


def _split(url: str) -> SplitResult | None:
    """Split an address; None where it can't be one."""
    try:
        parts = urlsplit(url)
        valid = parts.port is None or parts.port > 0
    except ValueError:
        return None
    return parts if valid and parts.hostname and "@" not in parts.netloc else None


def _fits(name: str, pattern: str) -> bool:
    return pattern in ("*", name) or (pattern.startswith("*.") and name.endswith(pattern[1:]))
