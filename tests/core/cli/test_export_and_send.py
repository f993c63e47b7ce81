"""`export` and `send` as a user calls them: files of the source's study, an archive that is away, nothing lost."""

import json
import re
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from PIL import Image

from core import settings
from core.simulation import render_patient, simulate_cohort
from core.simulation.dicom import encode_dicom
from tests.core.archive.orthanc import find_port
from tests.pdf import read_pages

PDF = b"%PDF-1.7\nmade up\n%%EOF\n"
ROI = "400,250,600,400"
FILES = {"sc.dcm", "sr.dcm", "report.dcm", "pr.dcm"}


@pytest.fixture(scope="module")
def simulated():
    return render_patient(simulate_cohort(24, 1), 0, 1)


@pytest.fixture
def source(tmp_path, simulated) -> Path:
    patient = {"patient_id": "T-9", "exam_date": "2024-01-02", "age": "50", "laterality": "right"}
    (tmp_path / "us.dcm").write_bytes(encode_dicom(simulated, patient, seed=1))
    return tmp_path / "us.dcm"


@pytest.fixture
def away(tmp_path, monkeypatch):
    """An archive that is not there, and an outbox of its own."""
    monkeypatch.setenv("SONOKI_PACS_URL", f"http://127.0.0.1:{find_port()}/dicom-web")
    monkeypatch.setenv("SONOKI_OUTBOX", str(tmp_path / "outbox"))
    monkeypatch.setattr("core.archive.dicomweb.client.PAUSES", (0.0,))
    settings.forget_settings()
    yield tmp_path / "outbox"
    monkeypatch.undo()
    settings.forget_settings()


def test_export_writes_the_objects_of_the_sources_study(run, source, bundle_dir, tmp_path):
    (tmp_path / "board.pdf").write_bytes(PDF)
    code, out, err = run(
        "export", source, "--roi", ROI, "--bundle", bundle_dir, "--out", tmp_path / "o", "--pdf", tmp_path / "board.pdf"
    )
    assert (code, out) == (0, "")
    assert "belong to the source's study" in err
    assert "T-9" not in err
    made = {path.name: pydicom.dcmread(path) for path in (tmp_path / "o").iterdir()}
    assert set(made) == FILES
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "o", *(tmp_path / "o").iterdir())} == {0}
    study = pydicom.dcmread(source).StudyInstanceUID
    assert {(ds.StudyInstanceUID, str(ds.PatientID)) for ds in made.values()} == {(study, "T-9")}
    assert made["report.dcm"].EncapsulatedDocument.startswith(b"%PDF-1.7\nmade up")


def test_export_of_a_png_is_pseudonymous_and_holds_the_cases_document(run, simulated, bundle_dir, tmp_path):
    buffer = BytesIO()
    Image.fromarray(simulated.pixels).save(buffer, "PNG")
    (tmp_path / "a.png").write_bytes(buffer.getvalue())
    code, _, err = run("export", tmp_path / "a.png", "--roi", ROI, "--bundle", bundle_dir, "--out", tmp_path / "o")
    assert code == 0
    assert "new study with a pseudonym" in err
    made = pydicom.dcmread(tmp_path / "o" / "report.dcm")
    assert str(made.PatientID).startswith("SONOKI-")
    assert made.EncapsulatedDocument.startswith(b"%PDF-")


def export_side(run, source: Path, bundle_dir, side: str) -> tuple[int, str, dict[str, pydicom.Dataset]]:
    """Export a case whose form names a side; the objects by their file's name."""
    form, out = source.with_name("side.json"), source.with_name("o")
    form.write_text(json.dumps({"laterality": side}), encoding="utf-8")
    code, _, err = run("export", source, "--roi", ROI, "--clinical", form, "--bundle", bundle_dir, "--out", out)
    return code, err, {path.name: pydicom.dcmread(path) for path in out.glob("*")}


def test_a_form_that_names_the_other_breast_than_the_header_is_asked_about(run, source, bundle_dir):
    code, err, made = export_side(run, source, bundle_dir, "left")
    assert (code, made) == (3, {})
    assert "header says right breast, the field laterality says left" in err


@pytest.mark.parametrize("kind", ["dcm", "png"])
def test_a_side_that_the_form_alone_knows_is_named_by_every_object(run, source, simulated, bundle_dir, kind):
    plain = source.with_name(f"plain.{kind}")
    if kind == "png":
        Image.fromarray(simulated.pixels).save(plain)
    else:
        ds = pydicom.dcmread(source)
        del ds.ImageLaterality
        ds.save_as(plain)
    code, _, made = export_side(run, plain, bundle_dir, "right")
    assert code == 0
    assert {made[name].Laterality for name in made.keys() & {"sc.dcm", "pr.dcm"}} == {"R"}
    assert "24028007" in str(made["sr.dcm"])
    assert "Side right" in " ".join(read_pages(made["report.dcm"].EncapsulatedDocument))


@pytest.mark.parametrize("said", ["left", "right"])
def test_a_document_names_the_headers_breast_and_asks_about_another(run, source, bundle_dir, said):
    form, out = source.with_name("side.json"), source.with_name("case.html")
    form.write_text(json.dumps({"laterality": said}), encoding="utf-8")
    code, _, err = run("predict", source, "--roi", ROI, "--clinical", form, "--bundle", bundle_dir, "--document", out)
    if said == "left":
        assert (code, out.exists()) == (3, False)
        assert "header says right breast, the field laterality says left" in err
    else:
        assert out.stat().st_mode & 0o077 == 0
        assert re.search(r"Side\W.*?right", re.sub("<[^>]*>", " ", out.read_text(encoding="utf-8")), re.DOTALL)


@pytest.mark.parametrize(("pdf", "message"), [("nowhere.pdf", "The PDF is not there"), (__file__, "is not a PDF file")])
def test_a_wrong_document_is_refused(run, source, bundle_dir, tmp_path, pdf, message):
    code, _, err = run("export", source, "--roi", ROI, "--bundle", bundle_dir, "--out", tmp_path / "o", "--pdf", pdf)
    assert code == 3
    assert message in err
    assert not (tmp_path / "o").exists()


def test_without_an_archive_send_says_what_to_set(run):
    code, _, err = run("send")
    assert code == 2
    assert "SONOKI_PACS_URL" in err


def test_results_are_kept_while_the_archive_is_away(run, source, bundle_dir, tmp_path, away):
    assert run("export", source, "--roi", ROI, "--bundle", bundle_dir, "--out", tmp_path / "o")[0] == 0
    result = tmp_path / "o" / "sr.dcm"
    code, out, err = run("send", result, "--json")
    assert code == 1
    data = json.loads(out)
    assert (data["sent"], data["waiting"]) == (0, 1)
    assert "can't be reached" in err
    (kept,) = away.glob("*.dcm")
    assert kept.read_bytes() == result.read_bytes()
    assert json.loads(run("send", "--json")[1])["waiting"] == 1


def test_only_our_results_are_sent(run, source, away):
    assert run("send", __file__)[0] == 3
    assert run("send", source)[0] == 3
    assert run("send", "nowhere.dcm")[0] == 3
    assert not away.exists() or not list(away.iterdir())


def test_a_file_that_is_refused_is_named_and_holds_up_no_other(run, source, bundle_dir, tmp_path, away):
    assert run("export", source, "--roi", ROI, "--bundle", bundle_dir, "--out", tmp_path / "o")[0] == 0
    (tmp_path / "bad.dcm").write_bytes(b"hello")
    code, _, err = run("send", tmp_path / "o" / "sr.dcm", tmp_path / "bad.dcm", tmp_path / "o" / "pr.dcm")
    assert code == 1
    assert "bad.dcm: The file is not a DICOM file" in err
    assert len(list(away.glob("*.dcm"))) == 2
