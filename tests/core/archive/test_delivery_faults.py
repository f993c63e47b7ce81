"""What can go wrong while results are sent: each fault keeps the result, which is stored once after it."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pydicom
import pytest

from core.archive.dicom_objects.export import export_case
from core.archive.dicomweb import client as pacs
from core.archive.dicomweb.client import Archive
from core.archive.outbox import Outbox


class Pacs(ThreadingHTTPServer):
    """An archive that stores what it is sent, counts how often, and has one fault until it is over."""

    daemon_threads = True

    def __init__(self, fault: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.fault, self.stored, self.n_refused = fault, [], 0
        self.only = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/dicom-web"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        uid = self.path.rpartition("SOPInstanceUID=")[2].partition("&")[0]
        is_listed = uid in self.server.stored and self.server.fault != "listed late"
        if self.server.fault in {"gone", "503 always"}:
            self._answer(503, b"")
        else:
            self._answer(200, json.dumps([{"00080018": {"vr": "UI", "Value": [uid]}}] if is_listed else []).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.server.fault if self.server.only in _find_uid(body) else "none"
        if fault in {"reset before", "503 always", "gone"} or fault.isdigit():
            self.server.n_refused += 1
            self.close_connection = True
            if fault.isdigit() or fault == "503 always":
                self._answer(int(fault[:3]), b"")
            return
        if fault != "accepted, not stored":
            self.server.stored.append(_find_uid(body))
        if fault == "silent after":
            time.sleep(2)
        if fault in {"reset after", "silent after"}:
            self.close_connection = True
            return
        if fault == "cut answer":
            self._answer(200, b"{", length=500)
            return
        self._answer(200, b"<html>" if fault == "web page" else b"{}")

    def _answer(self, status: int, body: bytes, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/dicom+json")
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def _find_uid(body: bytes) -> str:
    start = body.index(b"DICM") - 128
    end = body.rindex(b"\r\n--")
    return str(pydicom.dcmread(pydicom.filebase.DicomBytesIO(body[start:end]), stop_before_pixels=True).SOPInstanceUID)


@pytest.fixture
def serve():
    running = []

    def start(fault: str) -> Pacs:
        server = Pacs(fault)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


LOST = (
    "400",
    "401",
    "403",
    "404",
    "409",
    "413",
    "500",
    "503",
    "503 always",
    "gone",
    "reset before",
    "accepted, not stored",
)
STORED = ("reset after", "silent after", "cut answer", "listed late", "web page")


@pytest.mark.parametrize("fault", [*LOST, *STORED])
def test_a_fault_keeps_the_result_and_it_is_stored_once(fault, serve, results, tmp_path, monkeypatch):
    monkeypatch.setattr(pacs, "PAUSES", (0.0, 0.0))
    outbox, server = Outbox(tmp_path), serve(fault)
    outbox.put([export_case(results)["sr.dcm"]])
    (path,) = outbox.list_waiting()
    kept = path.read_bytes()
    first = outbox.send(Archive(server.url, seconds=1))
    assert first.sent + first.waiting == 1
    assert not first.waiting or path.read_bytes() == kept
    assert (fault in LOST) <= (first.waiting == 1 and first.reason.endswith("."))
    server.fault = "none"
    if first.waiting:
        assert outbox.send(Archive(server.url)).sent == 1
    assert outbox.list_waiting() == []
    assert set(server.stored) == {path.stem}
    if fault in {"reset after", "silent after", "cut answer"}:
        assert (first.sent, len(server.stored)) == (1, 1)


@pytest.mark.parametrize("fault", ["500", "409", "reset before", "accepted, not stored"])
def test_a_result_that_the_archive_never_takes_holds_up_no_other(fault, serve, results, tmp_path, monkeypatch):
    monkeypatch.setattr(pacs, "PAUSES", (0.0, 0.0))
    outbox, server = Outbox(tmp_path), serve(fault)
    outbox.put(export_case(results).values())
    first, *others = outbox.list_waiting()
    server.only = first.stem
    delivery = outbox.send(Archive(server.url, seconds=1))
    assert (delivery.sent, delivery.waiting) == (len(others), 1)
    assert outbox.list_waiting() == [first]
    assert set(server.stored) == {path.stem for path in others}
