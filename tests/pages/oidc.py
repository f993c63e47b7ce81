"""A stub OpenID Connect provider on the loopback: it logs in whoever is named next, without asking."""

import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlparse

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "sonoki", "stub-secret"
LIFETIME_SECONDS = 3600


class Provider:
    """The provider's state: its key, whom it logs in next, and the codes it has given."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "stub", "use": "sig", "alg": "RS256"})
        self.roles: list[str] = []
        self.lifetime = LIFETIME_SECONDS
        self.address = ""
        self.codes: dict[str, str | None] = {}

    def discover(self) -> dict[str, object]:
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def give_code(self, query: dict[str, list[str]]) -> str:
        code = secrets.token_urlsafe(16)
        self.codes[code] = query.get("nonce", [None])[0]
        return query["redirect_uri"][0] + "?" + urlencode({"code": code, "state": query["state"][0]})

    def give_token(self, code: str) -> dict[str, object]:
        now = int(time.time())
        claims = {
            "iss": self.address,
            "aud": CLIENT,
            "sub": "stub-1",
            "name": "Dr Stub",
            "roles": self.roles,
            "iat": now,
            "exp": now + self.lifetime,
            "nonce": self.codes.pop(code),
        }
        token = jwt.encode({"alg": "RS256", "kid": "stub"}, claims, self.key)
        return {"access_token": "x", "token_type": "Bearer", "expires_in": self.lifetime, "id_token": token}


@contextmanager
def run_provider() -> Iterator[Provider]:
    """Run the provider on a free port of the loopback."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlparse(self.path)
            if url.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", provider.give_code(parse_qs(url.query)))
                self.end_headers()
            elif url.path == "/jwks":
                self._answer({"keys": [provider.key.as_dict(private=False)]})
            else:
                self._answer(provider.discover())

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self._answer(provider.give_token(form["code"][0]))

        def _answer(self, data: dict[str, object]) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(data).encode())

        def log_message(self, *_: object) -> None:
            """Keep the tests' output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
