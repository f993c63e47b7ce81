"""What an archive can do wrong, acted out by a small server on the loopback: a sentence each, and nothing lost."""

import base64
import json
import logging
import threading
import time
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from requests.auth import HTTPBasicAuth

from core.archive.dicom_objects.export import export_case
from core.archive.dicomweb import client as pacs
from core.archive.dicomweb.access import read_credentials
from core.archive.dicomweb.client import Archive, open_archive
from core.archive.dicomweb.multipart import read_single_part
from core.archive.dicomweb.records import (
    InstanceReference,
    StudyQuery,
    StudySummary,
    hash_patient,
    read_text,
    read_texts,
)
from core.archive.outbox import Delivery, Outbox
from core.errors import ArchiveError, ImageError, InputError, UsageError
from tests.core.archive.orthanc import find_port
from tests.core.imaging.samples import make_dicom, make_speckle

QUERY = StudyQuery(patient_id="PLANTED-4711")
IMAGE = InstanceReference("1.2.3", "1.2.3.4", "1.2.3.4.5")
PLACE = {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.4", "SOPInstanceUID": "1.2.3.4.5"}
MULTIPART = 'multipart/related; type="application/dicom"; boundary="xyz"'
STUDIES = [
    {
        "0020000D": {"vr": "UI", "Value": ["1.2.3"]},
        "00080020": {"vr": "DA", "Value": ["20240102"]},
        "00100020": {"vr": "LO", "Value": ["PLANTED-4711"]},
    }
]


class Stub(ThreadingHTTPServer):
    """A server that gives the answers of a list in turn, the last one for ever, and keeps what it was asked."""

    daemon_threads = True

    def __init__(self, *answers):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.asked = list(answers), []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/dicom-web"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append((self.command, self.path, dict(self.headers)))
        answers = self.server.answers
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        try:
            answer(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def log_message(self, *_):
        pass


def reply(status=200, kind="application/dicom+json", body=b"[]", length=None, headers=()):
    def answer(handler):
        handler.send_response(status)
        for name, value in {
            "Content-Type": kind,
            "Content-Length": str(len(body) if length is None else length),
            **dict(headers),
        }.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def hang(handler):
    time.sleep(2.5)


def drip(handler):
    handler.send_response(200)
    handler.send_header("Content-Type", "application/dicom+json")
    handler.send_header("Content-Length", "100000000")
    handler.end_headers()
    for _ in range(60):
        handler.wfile.write(b" " * 70_000)
        time.sleep(0.05)


def multipart(body, *, end=True):
    tail = b"\r\n--xyz--\r\n" if end else b""
    return b"--xyz\r\nContent-Type: application/dicom\r\n\r\n" + body + tail


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(pacs, "PAUSES", (0.0, 0.0))


@pytest.fixture
def serve():
    """Start a stub with these answers."""
    running = []

    def start(*answers):
        stub = Stub(*answers)
        threading.Thread(target=stub.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        running.append(stub)
        return stub

    yield start
    for stub in running:
        stub.shutdown()
        stub.server_close()


def find(url, **options):
    return Archive(url, HTTPBasicAuth("u", "p"), **options).find_studies(QUERY)


FAULTS = {
    "401": (reply(401), "refuses the user or the password", 1),
    "403": (reply(403), "does not allow this user", 1),
    "404": (reply(404), "does not know what was asked for", 1),
    "418": (reply(418), r"refuses the request \(HTTP 418\)", 1),
    "500": (reply(500), r"fault of its own \(HTTP 500\)", 3),
    "503": (reply(503), r"fault of its own \(HTTP 503\)", 3),
    "redirect": (reply(302, headers={"Location": "http://198.51.100.1/"}), "sends on to another address", 1),
    "html": (reply(kind="text/html", body=b"<html>Sign in</html>"), "something other than DICOMweb", 1),
    "empty object": (reply(body=b'[{"0020000D": 7}]'), "something other than DICOMweb", 1),
    "a word": (reply(body=b'"hello"'), "something other than DICOMweb", 1),
    "no uid": (reply(body=b'[{"0020000D": {"Value": ["../../etc"]}}]'), "something other than DICOMweb", 1),
    "deep": (reply(body=b"[" * 100_000), "something other than DICOMweb", 1),
    "cut short": (reply(body=b"[", length=500), "cut short", 3),
    "silent": (hang, "did not answer within 1 seconds", 3),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_a_sentence(serve, name):
    answer, message, calls = FAULTS[name]
    stub = serve(answer)
    with pytest.raises(ArchiveError, match=message) as fault:
        find(stub.url, seconds=1)
    assert str(fault.value).endswith(".")
    assert len(stub.asked) == calls
    assert "PLANTED" not in str(fault.value)
    assert fault.value.__cause__ is None


def test_an_archive_that_is_away_is_a_sentence():
    with pytest.raises(ArchiveError, match="can't be reached") as fault:
        find(f"http://127.0.0.1:{find_port()}/dicom-web")
    assert fault.value.is_temporary


def test_a_fault_that_passes_is_not_seen(serve):
    stub = serve(reply(500), reply(body=b"[", length=500), reply(body=json.dumps(STUDIES).encode()))
    assert [study.date for study in find(stub.url)] == ["20240102"]
    assert len(stub.asked) == 3


def drip_bytes(handler):
    """An answer of a stated length, a byte at a time."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/dicom+json")
    handler.send_header("Content-Length", "400")
    handler.end_headers()
    with suppress(OSError):
        for _ in range(400):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.02)


def test_the_time_holds_for_an_answer_that_comes_byte_by_byte(serve):
    begun = time.monotonic()
    with pytest.raises(ArchiveError, match="took longer than 1 seconds") as caught:
        find(serve(drip_bytes).url, total_seconds=1)
    assert caught.value.is_temporary
    assert time.monotonic() - begun < 3


def test_an_answer_that_drips_is_given_up(serve):
    with pytest.raises(ArchiveError, match="took longer than 1 seconds"):
        find(serve(drip).url, total_seconds=1)


def test_the_time_limit_is_one_for_all_tries(serve):
    started = time.monotonic()
    with pytest.raises(ArchiveError, match=r"longer than 2 seconds|did not answer"):
        find(serve(hang).url, seconds=1, total_seconds=2)
    assert time.monotonic() - started < 2.4


def test_an_answer_that_is_too_large_is_not_read_to_its_end(serve):
    with pytest.raises(ArchiveError, match="larger than 1 MB"):
        find(serve(drip).url, max_bytes=1_000_000)


def test_a_file_that_is_too_large_is_not_taken(serve):
    stub = serve(reply(kind=MULTIPART, body=multipart(b"D" * 2_000_000)))
    with pytest.raises(ArchiveError, match="larger than 1 MB"):
        Archive(stub.url, max_bytes=1_000_000).retrieve(IMAGE)


def test_a_list_has_a_limit_of_its_own(serve):
    endless = reply(body=b'["' + b"x" * 11_000_000)
    with pytest.raises(ArchiveError, match="larger than 10 MB"):
        find(serve(endless).url)


def test_the_query_holds_what_was_typed_and_the_password_goes_to_the_archive_alone(serve):
    stub = serve(reply())
    assert find(stub.url) == []
    ((_, path, headers),) = stub.asked
    assert "PatientID=PLANTED-4711" in path
    assert "ModalitiesInStudy=US" in path
    assert headers["Authorization"].startswith("Basic ")


def test_nothing_typed_is_logged(serve, caplog):
    caplog.set_level(logging.DEBUG)
    find(serve(reply()).url)
    with pytest.raises(ArchiveError):
        find(serve(reply(500)).url)
    assert "PLANTED" not in caplog.text
    assert "Basic" not in caplog.text


def test_no_proxy_of_the_environment_is_asked(serve, monkeypatch):
    stub = serve(reply())
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert find(stub.url) == []


def test_a_file_comes_whole_or_not_at_all(serve):
    body = make_dicom(make_speckle(), **PLACE)
    stub = serve(reply(kind=MULTIPART, body=multipart(body)))
    assert Archive(stub.url).retrieve(IMAGE) == body
    assert stub.asked[0][1].endswith("/studies/1.2.3/series/1.2.3.4/instances/1.2.3.4.5")
    stub = serve(reply(kind=MULTIPART, body=multipart(body, end=False)))
    with pytest.raises(ArchiveError, match="cut short"):
        Archive(stub.url).retrieve(IMAGE)
    assert len(stub.asked) == 3
    with pytest.raises(ArchiveError, match="something other than a DICOM file"):
        Archive(serve(reply(kind="text/html", body=b"<html>")).url).retrieve(IMAGE)


def test_a_plain_file_is_taken_too():
    assert read_single_part("application/dicom", b"abc") == b"abc"
    with pytest.raises(ArchiveError):
        read_single_part(MULTIPART, b"no boundary in it")


def list_instance(uid):
    return reply(body=json.dumps([{"00080018": {"vr": "UI", "Value": [uid]}}]).encode())


def test_results_stay_until_the_archive_holds_them(serve, results, tmp_path):
    files = export_case(results)
    outbox = Outbox(tmp_path / "outbox")
    outbox.put(files.values())
    assert (tmp_path / "outbox").stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in outbox.list_waiting())
    accepted = (reply(body=b"{}"), reply()) * 3
    for answers, message in [([reply(503)], "503"), ([reply(401)], "password"), (accepted, "does not list it yet")]:
        delivery = outbox.send(Archive(serve(*answers).url))
        assert (delivery.sent, delivery.waiting) == (0, 3)
        assert message in delivery.reason
    assert sorted(path.read_bytes() for path in outbox.list_waiting()) == sorted(files.values())


def test_a_refused_result_says_why_and_stays(serve, results, tmp_path):
    refusal = {"00081198": {"vr": "SQ", "Value": [{"00081197": {"vr": "US", "Value": [0xA700]}}]}}
    outbox = Outbox(tmp_path)
    outbox.put([export_case(results)["sr.dcm"]])
    delivery = outbox.send(Archive(serve(reply(body=json.dumps(refusal).encode()), reply()).url))
    assert delivery.waiting == 1
    assert "refused a result (reason A700)" in delivery.reason


def test_a_delivered_result_goes(serve, results, tmp_path):
    outbox = Outbox(tmp_path)
    outbox.put([export_case(results)["sr.dcm"]])
    (path,) = outbox.list_waiting()
    delivery = outbox.send(Archive(serve(reply(body=b"{}"), list_instance(path.stem)).url))
    assert (delivery.sent, delivery.waiting, outbox.list_waiting()) == (1, 0, [])
    assert delivery.describe() == "The archive holds 1 of 1 results."


def test_the_same_result_waits_once_and_foreign_files_are_left_alone(results, tmp_path):
    outbox = Outbox(tmp_path)
    (tmp_path / "1.2.3.part").write_bytes(b"half")
    (tmp_path / "notes.dcm").write_bytes(b"mine")
    for _ in range(2):
        outbox.put(export_case(results).values())
    assert len(outbox.list_waiting()) == 3
    assert Delivery(0, 0).describe() == "Nothing was waiting for the archive."
    assert "2 are kept and can be sent again. Away." in Delivery(1, 2, "Away.").describe()


@pytest.mark.parametrize(
    "url",
    [
        "pacs.example.org",
        "ftp://pacs.example.org",
        "http://pacs.example.org/dicom-web",
        "https://u:p@pacs.example.org",
        "https://:p@pacs.example.org",
        "https://pacs.example.org/#dicom-web",
        "https://pacs.example.org/dicom-web?key=1",
        "https://",
        "http://[::1",
    ],
)
def test_an_address_that_leaks_or_is_none_is_refused(url):
    with pytest.raises(UsageError, match="SONOKI_PACS_URL must"):
        Archive(url)


def test_a_query_is_never_everybody():
    for typed in ({}, {"patient_id": " "}, {"patient_id": "*"}, {"accession": "12?"}):
        with pytest.raises(InputError):
            StudyQuery(**typed)
    assert StudyQuery(date=date(2024, 1, 2)).to_filters()["StudyDate"] == "20240102"


def test_a_scheme_in_upper_case_is_the_same(serve):
    assert find(serve(reply()).url.replace("http://", "HTTP://")) == []


def test_passwords_of_any_script_are_sent_in_utf_8(serve):
    stub = serve(reply())
    auth = read_credentials("Jörg", {"SONOKI_PACS_PASSWORD": "пароль"})
    Archive(stub.url, auth).find_studies(QUERY)
    assert base64.b64decode(stub.asked[0][2]["Authorization"].split()[1]).decode() == "Jörg:пароль"
    for token in ("жетон", "two\nlines"):
        with pytest.raises(UsageError, match="SONOKI_PACS_TOKEN holds characters"):
            read_credentials("", {"SONOKI_PACS_TOKEN": token})


def make_study(number: int, **changes: object) -> dict:
    day = date(2026, 1, 1) - timedelta(days=number)
    values = {"0020000D": f"1.2.{number}", "00080020": f"{day:%Y%m%d}", "00080061": "US", "00100020": "PLANTED-4711"}
    values |= changes
    return {tag: {"vr": "LO", "Value": [value]} for tag, value in values.items()}


def answer_query(studies, most=10_000, headers=()):
    """An archive that keeps to dates, gives the oldest first, and cuts its list."""

    def answer(handler):
        asked = parse_qs(urlsplit(handler.path).query)
        first, _, last = asked.get("StudyDate", ["0-9"])[0].partition("-")
        found = [one for one in studies[::-1] if first <= one["00080020"]["Value"][0] <= (last or first)]
        cut = found[: min(most, int(asked["limit"][0]))]
        reply(body=json.dumps(cut).encode(), headers=headers if len(cut) < len(found) else ())(handler)

    return answer


@pytest.mark.parametrize("most", [10_000, 20])
def test_the_latest_come_first_also_where_the_list_is_cut(serve, most):
    more = {"Warning": "299 pacs: There are additional results that can be requested"}
    stub = serve(answer_query([make_study(number) for number in range(130)], most, more))
    archive = Archive(stub.url)
    seen, until = [], None
    for _ in range(6):
        page = archive.find_studies(QUERY, until=until)
        assert [study.date for study in page] == sorted((study.date for study in page), reverse=True)
        seen += [study.uid for study in page if study.uid not in seen]
        if not page.has_more:
            break
        until = datetime.strptime(page[-1].date, "%Y%m%d").date()
    assert seen == [f"1.2.{number}" for number in range(130)]
    assert len(stub.asked) < 120


def test_what_was_not_asked_for_is_left_out(serve):
    others = [make_study(1, **{"00100020": "OTHER"}), make_study(2, **{"00080061": "CT"})]
    found = find(serve(reply(body=json.dumps([*others, make_study(3)]).encode())).url)
    assert ([study.uid for study in found], found.n_others, found.has_more) == (["1.2.3"], 2, False)
    day = StudyQuery(accession="77", date=date(2025, 12, 29))
    wrong = [make_study(3, **{"00080050": "78"}), make_study(5, **{"00080050": "77"})]
    archive = Archive(serve(reply(body=json.dumps([*wrong, make_study(3, **{"00080050": "77"})]).encode())).url)
    assert [study.uid for study in archive.find_studies(day)] == ["1.2.3"]


@pytest.mark.parametrize("value", [None, "", " "])
@pytest.mark.parametrize(
    ("tag", "query"),
    [
        ("00100020", QUERY),
        ("00080050", StudyQuery(accession="77")),
        ("00080020", StudyQuery(date=date(2025, 12, 29))),
    ],
)
def test_a_study_that_leaves_out_what_was_asked_for_is_not_shown(serve, tag, query, value):
    study = make_study(3, **{"00080050": "77"})
    assert query.fits(study)
    study[tag] = {"vr": "LO"} if value is None else {"vr": "LO", "Value": [value]}
    found = Archive(serve(reply(body=json.dumps([study]).encode())).url).find_studies(query)
    assert (list(found), found.n_others) == ([], 1)


OWNED = replace(IMAGE, patient=hash_patient("PLANTED-4711", "1.2.3"))


def retrieve(serve, image=OWNED, body=None, **tags):
    """Retrieve an image of an archive that gives a file with these tags."""
    file = make_dicom(make_speckle(), **PLACE | {"PatientID": "PLANTED-4711"} | tags) if body is None else body
    return Archive(serve(reply(kind=MULTIPART, body=multipart(file))).url).retrieve(image)


def test_what_was_asked_for_is_taken_in_any_padding(serve):
    for patient in ("PLANTED-4711", "PLANTED-4711 "):
        assert retrieve(serve, PatientID=patient)
    assert retrieve(serve, replace(OWNED, patient=""), PatientID="")


@pytest.mark.parametrize("name", PLACE)
@pytest.mark.parametrize("value", ["1.2.9", ""])
def test_another_image_than_the_one_asked_for_is_not_taken(serve, name, value):
    with pytest.raises(ArchiveError, match="another image"):
        retrieve(serve, **{name: value})


@pytest.mark.parametrize("patient", ["planted-4711", "PLANTED-471", "PLANTED-47111", "PLANTED 4711", ""])
def test_an_image_of_another_patient_in_the_study_is_not_taken(serve, patient):
    with pytest.raises(ArchiveError, match="names another patient") as fault:
        retrieve(serve, PatientID=patient)
    assert "4711" not in str(fault.value)


def test_what_is_no_dicom_file_or_more_than_one_is_not_taken(serve):
    with pytest.raises(ImageError, match="not an image"):
        retrieve(serve, body=b"D" * 500)
    with pytest.raises(ArchiveError, match="more than one file"):
        retrieve(serve, body=b"one\r\n--xyz\r\n\r\ntwo")


def listed(**tags):
    return {tag: {"vr": "LO", "Value": [value]} for tag, value in tags.items() if value}


OWN = {"0020000D": "1.2.3", "0020000E": "1.2.3.4", "00080018": "1.2.3.4.5", "00080060": "US"}


@pytest.mark.parametrize(
    "other",
    [
        {"0020000D": "1.2.9", "0020000E": "1.2.9.4"},
        {"0020000E": "", "00080018": ""},
        {"00100020": "OTHER"},
    ],
)
def test_series_and_images_of_another_study_or_patient_or_of_none_are_not_listed(serve, other):
    summary = StudySummary("1.2.3", "20240102", "US", OWNED.patient)
    mixed = serve(reply(body=json.dumps([listed(**OWN | other), listed(**OWN)]).encode())).url
    (series,) = Archive(mixed).list_series(summary)
    assert series.patient == OWNED.patient
    assert [image.uid for image in Archive(mixed).list_images(series)] == ["1.2.3.4.5"]
    wrong = Archive(serve(reply(body=json.dumps([listed(**OWN | other)]).encode())).url)
    for ask, about in ((wrong.list_series, summary), (wrong.list_images, series)):
        with pytest.raises(ArchiveError, match="nothing that it says to be of this study"):
            ask(about)


def test_a_list_may_leave_out_the_study_that_it_was_asked_for(serve):
    short = serve(reply(body=json.dumps([listed(**OWN | {"0020000D": ""})]).encode())).url
    (series,) = Archive(short).list_series(StudySummary("1.2.3", "20240102", "US"))
    assert (series.study_uid, series.uid) == ("1.2.3", "1.2.3.4")


@pytest.mark.parametrize("typed", ["planted-4711", "PLANTED-4711 ", "PLANTED-471"])
def test_a_patient_id_is_compared_exactly(serve, typed):
    found = Archive(serve(reply(body=json.dumps(STUDIES).encode())).url).find_studies(StudyQuery(patient_id=typed))
    assert len(found) == (typed.strip() == "PLANTED-4711")
    assert found.n_others == 1 - len(found)


def test_secrets_come_from_the_environment_alone():
    assert read_credentials("", {}) is None
    assert read_credentials("u", {"SONOKI_PACS_PASSWORD": "p"}) == HTTPBasicAuth("u", "p")
    with pytest.raises(UsageError, match="SONOKI_PACS_PASSWORD is not"):
        read_credentials("u", {})
    request = type("Request", (), {"headers": {}})()
    assert read_credentials("", {"SONOKI_PACS_TOKEN": "t"})(request).headers == {"Authorization": "Bearer t"}


def test_without_an_address_there_is_no_archive():
    with pytest.raises(UsageError, match="No archive is set"):
        open_archive()


def test_half_a_letter_in_an_answer_is_no_letter():
    """JSON can hold one; no page could show it, and no hash be made of it."""
    item = {"00080070": {"vr": "LO", "Value": ["GE \ud800"]}, "00080061": {"vr": "CS", "Value": ["US", "\udfff"]}}
    assert read_text(item, "00080070") == "GE ?"
    assert read_texts(item, "00080061") == "US, ?"
