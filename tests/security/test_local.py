"""Without a login: who is not a browser on this computer is told so, whatever it asks for."""

import asyncio

import httpx
import pytest

from tests.security.client import Stranger

OUTSIDE = [
    {"X-Forwarded-For": "10.1.2.3"},
    {"X-Forwarded-Proto": "https"},
    {"X-Forwarded-Server": "proxy"},
    {"X-Forwarded-Port": "443"},
    {"X-Original-Host": "sonoki.example.org"},
    {"X-Client-IP": "10.1.2.3"},
    {"CF-Connecting-IP": "10.1.2.3"},
    {"x-real-ip": "127.0.0.1"},
    {"FORWARDED": "for=10.1.2.3"},
    {"Via": "1.1 proxy"},
    {"X_Forwarded_For": "10.1.2.3"},
    {"WL-Proxy-Client-IP": "10.1.2.3"},
    {"Tailscale-User-Login": "eve"},
    {"Host": "localhost.:8501"},
    {"Host": "2130706433:8501"},
    {"Host": "sonoki.example.org"},
    {"Host": "[2001:db8::1]:8501"},
]
PATHS = ["/", "/Case", "/_stcore/metrics", "/media/x.png", "/_stcore/upload_file/a/b", "/component/x", "/index.html"]


@pytest.mark.parametrize("headers", OUTSIDE, ids=lambda headers: next(iter(headers)))
def test_a_proxy_gets_nothing(local: str, headers: dict[str, str]) -> None:
    async def ask() -> None:
        stranger = Stranger(local, headers=headers)
        answers = [await stranger.ask("GET", path) for path in PATHS]
        assert {answer.status_code for answer in answers} == {403}
        assert all("through a proxy or under another name" in answer.text for answer in answers)

    asyncio.run(ask())


@pytest.mark.parametrize("header", [header for header in OUTSIDE if "Host" not in header])
def test_a_proxy_opens_no_websocket(local: str, header: dict[str, str]) -> None:
    assert asyncio.run(Stranger(local, headers=header).knock()) == 403


@pytest.mark.parametrize("origin", [None, "http://127.0.0.1:1", "http://localhost:8501", "null", "https://evil.org"])
def test_a_page_of_another_origin_opens_no_websocket(local: str, origin: str | None) -> None:
    assert asyncio.run(Stranger(local).knock(origin)) == 403


def test_a_page_of_this_origin_opens_one(local: str) -> None:
    async def visit() -> None:
        browser = Stranger(local)
        assert await browser.knock() == 101
        assert await browser.open("Model")
        assert "Research use only" in browser.text
        await browser.leave()

    asyncio.run(visit())


def test_an_unknown_origin_makes_the_server_ask_nobody(local: str) -> None:
    """Streamlit alone would ask an outside address for its own."""
    answer = httpx.get(f"{local}/_stcore/health", headers={"Origin": "https://evil.org"})
    assert (answer.text, answer.headers.get("access-control-allow-origin")) == ("ok", None)


@pytest.mark.parametrize("path", ["/", "/Case", "/_stcore/health", "/media/none.png", "/nothing/here", "/favicon.png"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
def test_every_answer_carries_the_policy(local: str, path: str, method: str) -> None:
    headers = asyncio.run(Stranger(local).ask(method, path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-eval'" not in policy.replace("wasm-unsafe-eval", "")
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
    assert "http:" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
