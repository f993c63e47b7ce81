"""Where a request comes from: what a proxy or another page may write, and what a browser here does."""

import pytest

from core.ui.gate.origin import Asked, refuse_other_name, refuse_stranger

HERE = {"host": "127.0.0.1:8501", "user-agent": "x", "cookie": "a=b", "sec-fetch-site": "none"}
FORWARDING = [
    "forwarded",
    "via",
    "real-ip",
    "original-host",
    "cluster-client-ip",
    "http_client_ip",
    "remote-user",
    "ssl-client-verify",
    "azure-fdid",
    "cloudfront-viewer-address",
    "connect-via",
    "max-forwards",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-server",
    "x-forwarded-port",
    "x-forwarded-by",
    "x-forwarded-prefix",
    "x-forwarded-user",
    "x-original-host",
    "x-original-url",
    "x-original-forwarded-for",
    "x-client-ip",
    "x-real-ip",
    "x-cluster-client-ip",
    "x-envoy-external-address",
    "x-amzn-trace-id",
    "x-azure-clientip",
    "x-host",
    "x-scheme",
    "x-request-id",
    "cf-connecting-ip",
    "cf-ray",
    "true-client-ip",
    "fastly-client-ip",
    "fly-client-ip",
    "cdn-loop",
    "client-ip",
    "akamai-origin-hop",
    "incap-client-ip",
    "proxy-connection",
    "front-end-https",
    "remote-addr",
]


def ask(
    *,
    must: bool = False,
    client: str | None = "127.0.0.1",
    port: int = 8501,
    default: int = 80,
    **headers: str | None,
) -> Asked:
    named = HERE | {name.replace("_", "-"): value for name, value in headers.items()}
    return Asked({name: value for name, value in named.items() if value is not None}, client, port, default, must)


@pytest.mark.parametrize("host", ["127.0.0.1:8501", "localhost:8501", "LOCALHOST:8501", "[::1]:8501", "127.9.8.7:8501"])
@pytest.mark.parametrize("client", ["127.0.0.1", "::1"])
def test_a_browser_of_this_computer_is_let_in(host: str, client: str) -> None:
    assert refuse_stranger(ask(host=host, client=client)) is None
    assert refuse_stranger(ask(host=host, client=client, origin=f"http://{host}", must=True)) is None
    assert refuse_stranger(ask(host=host, x_xsrftoken="t", origin=f"http://{host.lower()}", must=True)) is None


@pytest.mark.parametrize("header", FORWARDING)
def test_whatever_a_proxy_adds_makes_a_stranger(header: str) -> None:
    assert "through a proxy or under another name" in (refuse_stranger(ask(**{header: "127.0.0.1"})) or "")


@pytest.mark.parametrize(
    "host",
    [
        "sonoki.example.org",
        "10.1.2.3:8501",
        "",
        None,
        "127.0.0.1",
        "127.0.0.1:8502",
        "localhost.evil.org:8501",
        "127.0.0.1.evil.org:8501",
        "evil@127.0.0.1:8501",
        "127.0.0.1:8501:1",
        "[::1",
        "0.0.0.0:8501",
        "127.0.0.1:x",
    ],
)
def test_another_name_or_port_makes_a_stranger(host: str | None) -> None:
    assert refuse_stranger(ask(host=host)) is not None


@pytest.mark.parametrize("client", ["10.1.2.3", "fe80::1", "", None])
def test_another_computer_makes_a_stranger(client: str | None) -> None:
    assert refuse_stranger(ask(client=client)) is not None


@pytest.mark.parametrize(
    "origin",
    [
        "http://127.0.0.1:9000",
        "http://localhost:8501",
        "http://127.0.0.1",
        "https://evil.org",
        "null",
        "",
        None,
        "http://127.0.0.1:8501@evil.org",
        "http://evil.org#127.0.0.1:8501",
        "file://",
    ],
)
def test_another_page_opens_no_websocket(origin: str | None) -> None:
    assert "Another site's page" in (refuse_stranger(ask(origin=origin, must=True)) or "")


@pytest.mark.parametrize("must", [True, False])
@pytest.mark.parametrize(("default", "origin"), [(80, "https://127.0.0.1:8501"), (443, "http://127.0.0.1:8501")])
def test_a_page_reached_by_the_other_scheme_is_another_page(default: int, origin: str, must: bool) -> None:
    """Where the server speaks http, an https page of its name and port came by way of a proxy; and the other way."""
    assert "Another site's page" in (refuse_stranger(ask(origin=origin, default=default, must=must)) or "")
    own = origin.replace("https:", "http:") if default == 80 else origin.replace("http:", "https:")
    assert refuse_stranger(ask(origin=own, default=default, must=must)) is None


def test_an_address_without_a_port_means_its_scheme_s() -> None:
    assert refuse_stranger(ask(host="127.0.0.1", port=80)) is None


@pytest.mark.parametrize(
    ("host", "origin", "allowed", "let_in"),
    [
        ("sonoki.example.org", "https://sonoki.example.org", [], True),
        ("SONOKI.example.org", "https://sonoki.example.org", [], True),
        ("127.0.0.1:8501", "https://sonoki.example.org", [], False),
        ("sonoki.example.org", "https://evil.org", [], False),
        ("sonoki.example.org", "null", [], False),
        ("sonoki.example.org", None, [], False),
        ("sonoki.example.org:444", "https://sonoki.example.org:444", [], False),
        ("b.clinic.org", "https://b.clinic.org", ["*.clinic.org"], True),
        ("clinic.org.evil", "https://clinic.org.evil", ["*.clinic.org"], False),
        ("evilclinic.org", "https://evilclinic.org", ["*.clinic.org"], False),
    ],
)
def test_with_a_login_the_name_is_that_of_the_login(host, origin, allowed, let_in) -> None:
    asked = ask(host=host, origin=origin, must=True, x_forwarded_for="10.1.2.3", client="10.0.0.1")
    assert (refuse_other_name(asked, "sonoki.example.org", allowed) is None) is let_in
