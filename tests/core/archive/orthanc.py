"""Debian's Orthanc with its DICOMweb plugin: a free port of the loopback, a password, a folder of its own."""

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.tools import ORTHANC_PLUGIN, find_program

USER, PASSWORD = "sonoki", "made-up-word"
PATIENCE = 60


def find_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def run_orthanc(folder: Path) -> Iterator[str]:
    """Run an archive, and give the address of its DICOMweb service."""
    port = find_port()
    configuration = {
        "Name": "test",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "index"),
        "Plugins": [str(ORTHANC_PLUGIN)],
        "HttpPort": port,
        "HttpServerEnabled": True,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {USER: PASSWORD},
        "DicomServerEnabled": False,
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
    (folder / "orthanc.json").write_text(json.dumps(configuration), encoding="utf-8")
    server = subprocess.Popen(
        [str(find_program("Orthanc")), folder / "orthanc.json"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/system", server)
        yield f"http://127.0.0.1:{port}/dicom-web"
    finally:
        server.terminate()
        server.wait(30)


def list_instances(address: str, study: str) -> list[dict]:
    """What the archive's own search lists of a study, in DICOM JSON."""
    answer = requests.get(
        f"{address}/studies/{study}/instances",
        auth=(USER, PASSWORD),
        headers={"Accept": "application/dicom+json"},
        timeout=PATIENCE,
    )
    return answer.json()


def _wait_for(address: str, server: subprocess.Popen) -> None:
    """Wait until it asks for the password."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert server.poll() is None, "Orthanc ended"
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 401:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError("Orthanc did not answer")
