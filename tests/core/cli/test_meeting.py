"""`python -m core meeting`: the document of a meeting from a manifest and the board's entries."""

import pytest
from typer.testing import CliRunner

from core.cli import app
from core.errors import InputError, UsageError
from core.inference.predictor import Predictor
from core.register.models import Entry
from core.register.store import Store
from core.simulation import write_cohort
from tests.core.register.test_tampering import run as change_database
from tests.pdf import read_pages


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return write_cohort(tmp_path_factory.mktemp("meeting"), 8, 3)


@pytest.fixture(scope="module")
def names(manifest) -> list[str]:
    return [line.split(",")[0] for line in manifest.read_text().splitlines()[1:3]]


def run(manifest, bundle_dir, tmp_path, *options: str):
    call = ["meeting", str(manifest), "--bundle", str(bundle_dir), "--database", f"sqlite:///{tmp_path / 'board.db'}"]
    return CliRunner().invoke(app, [*call, *options])


def test_the_meetings_document_holds_patients_and_their_own_entries(manifest, names, bundle_dir, tmp_path):
    from core.cohort.manifest import read_rows
    from core.cohort.scoring.local import read_case

    row = next(row for row in read_rows(manifest)[0] if row["patient_id"] == names[0])
    predictor = Predictor.load(bundle_dir)
    seen = predictor.predict(read_case([row], predictor.find_lesions))
    store = Store(f"sqlite:///{tmp_path / 'board.db'}")
    store.append(Entry(names[0], "AB", "note", "Sentinel node first.", input_sha256=seen.input_sha256))
    last = store.append(Entry(names[0], "AB", "note", "Of another patient.", input_sha256="f" * 64))
    store.close()
    out = tmp_path / "meeting.pdf"
    result = run(manifest, bundle_dir, tmp_path, "--out", str(out), "--patients", ",".join(reversed(names)))
    assert result.exit_code == 0, result.exception
    words = " ".join(read_pages(out.read_bytes()))
    assert f"Patient 1: {names[1]}" in words
    assert f"Patient 2: {names[0]}" in words
    assert "Sentinel node first." in words
    assert "Of another patient." not in words
    assert f"2:{last.hash}" in words.replace(" ", "").replace("\N{ZERO WIDTH SPACE}", "")


def test_an_entry_that_does_not_hold_is_withheld_in_the_document(manifest, names, bundle_dir, tmp_path):
    url = f"sqlite:///{tmp_path / 'board.db'}"
    store = Store(url)
    store.append(Entry(names[0], "AB", "note", "Sentinel node first."))
    store.close()
    change_database(url, "UPDATE entries SET text = 'forged words'")
    out = tmp_path / "meeting.html"
    result = run(manifest, bundle_dir, tmp_path, "--out", str(out), "--patients", names[0])
    assert result.exit_code == 0, result.exception
    words = out.read_text()
    assert "Withheld: entry 1 was changed." in words
    assert "entry withheld" in words
    assert "forged words" not in words


def test_a_patient_who_is_not_there_and_another_form_are_refused(manifest, bundle_dir, tmp_path):
    result = run(manifest, bundle_dir, tmp_path, "--out", str(tmp_path / "m.pdf"), "--patients", "nobody")
    assert isinstance(result.exception, InputError)
    assert "1 of the patients are not in the manifest" in str(result.exception)
    result = run(manifest, bundle_dir, tmp_path, "--out", str(tmp_path / "m.docx"))
    assert isinstance(result.exception, UsageError)
