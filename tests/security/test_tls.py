"""Behind TLS, a proxy's or the server's own: no cookie travels without it, and no page without it is answered."""

import asyncio
import datetime
import ipaddress
import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.pages.serving import ROOT, find_port, serve_app, wait_until_well
from tests.security.client import write_secrets

NAME = "sonoki.example.org"
BY_PROXY = {"Host": NAME, "X-Forwarded-Proto": "https", "X-Forwarded-For": "10.1.2.3"}
PAGES = ["/", "/_stcore/health", "/auth/login", "/oauth2callback?state=x&code=y", "/auth/logout"]


@pytest.fixture(scope="module")
def proxied(bundle_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app for a proxy that ends TLS, as its login's https address says."""
    home = tmp_path_factory.mktemp("proxied")
    (home / "secrets.toml").write_text(write_secrets(f"https://{NAME}"))
    options = ("--secrets.files", str(home / "secrets.toml"))
    with serve_app(*options, SONOKI_BUNDLE=str(bundle_dir), XDG_DATA_HOME=str(home)) as address:
        yield address


@pytest.mark.parametrize("path", PAGES)
def test_behind_a_proxy_every_cookie_is_for_https_alone(proxied: str, path: str) -> None:
    answer = httpx.get(proxied + path, headers=BY_PROXY)
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    cookies = answer.headers.get_list("set-cookie")
    assert cookies or path != "/_stcore/health"
    assert all("secure" in re.split(r"; *", cookie.lower()) for cookie in cookies)


@pytest.mark.parametrize(("origin", "opens"), [(f"https://{NAME}", True), (f"https://{NAME}:8443", False)])
def test_behind_a_proxy_pages_of_its_address_alone_open_a_websocket(proxied: str, origin: str, opens: bool) -> None:
    assert asyncio.run(open_stream(proxied.replace("http", "ws", 1), origin, BY_PROXY)) is opens


async def open_stream(address: str, origin: str, headers: dict[str, str], trust: ssl.SSLContext | None = None) -> bool:
    """Open the websocket of a page of an origin; give whether it opened."""
    at, extra = urlsplit(address), {name: value for name, value in headers.items() if name != "Host"}
    name = headers.get("Host", at.netloc)
    try:
        async with connect(
            f"{at.scheme}://{name}/_stcore/stream",
            origin=origin,  # type: ignore[arg-type]
            subprotocols=["streamlit", "x"],  # type: ignore[list-item]
            additional_headers=extra,
            ssl=trust,
            host=at.hostname,
            port=at.port,
        ):
            return True
    except InvalidStatus as refused:
        return refused.response.status_code != 403


def write_certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate of this computer's loopback that signs itself, and its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now, loopback = datetime.datetime.now(datetime.UTC), ipaddress.ip_address("127.0.0.1")
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(loopback)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    kept = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "certificate.pem").write_bytes(made.public_bytes(kept[0]))
    (folder / "key.pem").write_bytes(key.private_bytes(*kept))
    return folder / "certificate.pem", folder / "key.pem"


@pytest.fixture(scope="module")
def secured(bundle_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, Path]]:
    """The app that ends TLS itself, without a login: its address, start token and certificate."""
    home, port = tmp_path_factory.mktemp("secured"), find_port()
    certificate, key = write_certificate(home)
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    command += ["--server.sslCertFile", str(certificate), "--server.sslKeyFile", str(key)]
    variables = os.environ | {"SONOKI_BUNDLE": str(bundle_dir), "XDG_DATA_HOME": str(home)}
    variables.pop("SONOKI_START_TOKEN", None)
    with (home / "out").open("wb") as out:
        server = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=out, stderr=subprocess.DEVNULL)
    try:
        wait_until_well(f"https://127.0.0.1:{port}/_stcore/health", server, certificate)
        (token,) = re.findall(rf"https://127\.0\.0\.1:{port}/\?token=(\S+)", (home / "out").read_text())
        yield f"https://127.0.0.1:{port}", token, certificate
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


def test_with_its_own_certificate_the_token_opens_the_app_to_https_pages_alone(secured: tuple[str, str, Path]) -> None:
    address, token, certificate = secured
    trust = ssl.create_default_context(cafile=str(certificate))
    with httpx.Client(base_url=address, verify=trust) as browser:
        answer = browser.get(f"/?token={token}")
        assert answer.status_code == 303
        assert answer.headers["strict-transport-security"].startswith("max-age=")
        (kept,) = answer.headers.get_list("set-cookie")
        assert {"secure", "httponly", "samesite=strict"} <= set(re.split(r"; *", kept.lower()))
        assert browser.get("/").status_code == 200
    cookie = {"Cookie": kept.partition(";")[0]}
    stream = address.replace("https", "wss", 1)
    for origin, opens in ((address, True), (address.replace("https", "http", 1), False), ("https://evil.test", False)):
        assert asyncio.run(open_stream(stream, origin, cookie, trust)) is opens
