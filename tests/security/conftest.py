"""Servers that the attacks are tried on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pages.serving import find_port, serve_app
from tests.security.client import write_secrets


@pytest.fixture(scope="package")
def local(bundle_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app on the loopback, without login and start token."""
    home, scratch = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("scratch")
    with serve_app(SONOKI_BUNDLE=str(bundle_dir), XDG_DATA_HOME=str(home), TMPDIR=str(scratch)) as address:
        yield address


@pytest.fixture(scope="package")
def login(bundle_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app with a login; small limits, so that little passes them."""
    port, home = find_port(), tmp_path_factory.mktemp("login")
    secrets = home / "secrets.toml"
    secrets.write_text(write_secrets(f"http://127.0.0.1:{port}"))
    limits = {
        "SONOKI_MAX_BYTES": "3000000",
        "SONOKI_HELD_BYTES": "8000000",
        "SONOKI_PERSON_PAGES": "4",
        "SONOKI_OPEN_PAGES": "50",
    }
    with serve_app(
        "--secrets.files",
        str(secrets),
        port=port,
        SONOKI_BUNDLE=str(bundle_dir),
        XDG_DATA_HOME=str(home),
        **limits,
    ) as address:
        yield address
