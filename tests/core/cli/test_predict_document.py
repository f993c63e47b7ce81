"""The document that `predict --document` writes."""

from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from core.simulation import render_patient, simulate_cohort

BOX = "400,250,600,400"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "a_name_not_to_be_told.png"
    Image.fromarray(render_patient(simulate_cohort(24, 1), 0, 1).pixels).save(path)
    return path


@pytest.mark.parametrize(("paper", "width"), [("a4", 595), ("letter", 612)])
def test_predict_writes_a_pdf(
    run,
    bundle_dir: Path,
    image: Path,
    tmp_path: Path,
    paper: str,
    width: int,
) -> None:
    out = tmp_path / "case.pdf"
    options = ("--roi", BOX, "--bundle", bundle_dir, "--document", out, "--paper", paper)
    code, printed, err = run("predict", image, *options)
    assert code == 0
    assert "The document is written." in err
    assert "Probability of high Ki-67" in printed
    with pikepdf.open(out) as document:
        assert round(document.pages[0].mediabox[2]) == width


def test_predict_writes_html_that_names_no_file(run, bundle_dir: Path, image: Path, tmp_path: Path) -> None:
    out = tmp_path / "case.HTML"
    code, _, _ = run("predict", image, "--roi", BOX, "--bundle", bundle_dir, "--document", out)
    page = out.read_text(encoding="utf-8")
    assert code == 0
    assert "<h1>Ki-67 estimate before surgery</h1>" in page
    assert image.name not in page
    assert str(tmp_path) not in page


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [("case.docx", 2, "ends in .pdf or .html"), ("nowhere/case.pdf", 1, "can't be written")],
)
def test_a_document_that_cannot_be_written_ends_in_a_sentence(
    run,
    bundle_dir: Path,
    image: Path,
    tmp_path: Path,
    name: str,
    code: int,
    message: str,
) -> None:
    options = ("--roi", BOX, "--bundle", bundle_dir, "--document", tmp_path / name)
    found, _, err = run("predict", image, *options)
    assert found == code
    assert message in err
    assert "Traceback" not in err
