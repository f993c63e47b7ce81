"""The app as a process of its own on the loopback."""

import os
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE_MS = 120_000


def find_port() -> int:
    """Find a free port of the loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def serve_app(*options: str, script: str = "app.py", port: int | None = None, **environ: str) -> Iterator[str]:
    """Run the app, with more options of `streamlit run` and variables, and give its address once it is well."""
    port = port or find_port()
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.port", str(port), *options]
    variables = os.environ | {"SONOKI_START_TOKEN": "off"} | environ
    server = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until_well(f"http://127.0.0.1:{port}/_stcore/health", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def wait_until_well(url: str, server: subprocess.Popen, certificate: Path | None = None) -> None:
    """Wait until the server answers its health check."""
    trust = None if certificate is None else ssl.create_default_context(cafile=str(certificate))
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(url, timeout=5, context=trust) as answer:
                if answer.read() == b"ok":
                    return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the server did not get well")
