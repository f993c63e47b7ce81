"""The files of a paper: every figure in every form at its size, the words in them, the same bytes, the folder."""

import csv
import hashlib
import io
import json
import re
import zipfile

import pikepdf
import pypdfium2
import pytest
from docx import Document
from docx.oxml.ns import qn
from PIL import Image

from core.errors import UsageError, WorkError
from core.paper import files as module
from core.paper.archive import write_zip
from core.paper.files import Print, check_folder, make_files, put_files


def read_words(pdf):
    return " ".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf)).replace("\r\n", " ")


def test_every_figure_is_there_in_every_form_at_its_size(small, files):
    assert len(small.figures) > 10
    for name, figure in small.figures:
        width = 175.0 if figure.is_wide else 85.0
        svg, pdf, png = (files[f"figures/{name}.{form}"] for form in ("svg", "pdf", "png"))
        assert f'width="{width:.3f}mm"'.encode() in svg
        page = pypdfium2.PdfDocument(pdf)[0]
        assert page.get_width() / 72 * 25.4 == pytest.approx(width, abs=0.01)
        picture = Image.open(io.BytesIO(png))
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.01)
        assert picture.width / 300 * 25.4 == pytest.approx(width, abs=0.09)
        assert page.get_height() / page.get_width() == pytest.approx(picture.height / picture.width, rel=0.002)
        assert f"figures/{name}_data.csv" in files


def test_no_figure_of_simulated_patients_hides_it(small, files):
    assert small.is_simulated
    for name, figure in small.figures:
        assert "SIMULATED" in read_words(files[f"figures/{name}.pdf"])
        assert "SIMULATED" in figure.caption
        assert b"SIMULATED" in files[f"figures/{name}.svg"]
    for name in files:
        if name.startswith(("figures/", "tables/")) and name.endswith(".csv"):
            rows = list(csv.DictReader(io.StringIO(files[name].decode())))
            assert all(row["patients"] == "SIMULATED" for row in rows), name


def test_no_pseudonym_is_in_any_file(files):
    assert b"T-0" not in b"".join(data for name, data in files.items() if name.endswith((".csv", ".json", ".svg")))
    assert "T-0" not in read_words(files["paper.pdf"])


def test_the_pdf_holds_all_of_it_in_order_with_alternative_texts(small, files):
    words = read_words(files["paper.pdf"])
    assert words.count("SIMULATED PATIENTS") >= len(pypdfium2.PdfDocument(files["paper.pdf"]))
    plain = re.sub(r"\s+", "", words)
    places = [
        plain.find(re.sub(r"\s+", "", f"Figure {i}. {f.caption}")[:40]) for i, (_, f) in enumerate(small.figures, 1)
    ]
    assert min(places) > 0
    assert places == sorted(places)
    with pikepdf.open(io.BytesIO(files["paper.pdf"])) as pdf:
        tagged = [
            thing for thing in pdf.objects if isinstance(thing, pikepdf.Dictionary) and thing.get("/S") == "/Figure"
        ]
        assert len(tagged) == len(small.figures)
        assert all(str(figure["/Alt"]) for figure in tagged)


def test_word_holds_text_figures_tables_and_checklists(small, files):
    document = Document(io.BytesIO(files["paper.docx"]))
    headings = [p.text for p in document.paragraphs if p.style.name.startswith(("Heading", "Title"))]
    assert headings[0] == small.title
    assert [section.title for section in small.sections] == headings[1 : 1 + len(small.sections)]
    assert len(document.tables) == len(small.tables) + len(small.checklists)
    alternatives = [shape.get("descr") for shape in document.element.body.iter(qn("wp:docPr"))]
    assert alternatives == [figure.caption for _, figure in small.figures]
    table = document.tables[0]
    assert [cell.text for cell in table.rows[0].cells] == list(small.tables[0][1].table.columns)


def test_every_table_is_a_csv_with_its_caption(small, files):
    captions = {row["file"]: row["caption"] for row in csv.DictReader(io.StringIO(files["captions.csv"].decode()))}
    for name, table in small.tables:
        rows = list(csv.reader(io.StringIO(files[f"tables/{name}.csv"].decode())))
        assert rows[0] == [*table.table.columns, "patients"]
        assert len(rows) == len(table.table) + 1
        assert captions[name] == table.caption


def test_the_same_bundle_gives_the_same_bytes(small, files):
    steps = []
    again = make_files(small, watch=lambda done, total: steps.append((done, total)))
    assert {name for name in files if files[name] != again[name]} == set()
    assert write_zip(files) == write_zip(again)
    assert steps[-1][0] == steps[-1][1]
    record = json.loads(files["paper.json"])
    assert record["files"] == {
        name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items()) if name != "paper.json"
    }
    with zipfile.ZipFile(io.BytesIO(files["paper.docx"])) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize("widths", [(20.0, 175.0), (85.0, 300.0)])
def test_a_width_that_no_journal_has_is_refused(widths):
    with pytest.raises(UsageError, match="a journal's column in mm"):
        Print(*widths)


def test_a_folder_in_the_way_is_asked_for(tmp_path):
    out = tmp_path / "paper"
    put_files({"paper.json": b"1", "figures/a.svg": b"old"}, out)
    with pytest.raises(UsageError, match="holds a paper already: give --replace"):
        check_folder(out, replace=False)
    check_folder(out, replace=True)
    put_files({"paper.json": b"2"}, out)
    assert [path.name for path in out.rglob("*")] == ["paper.json"]
    assert [path.name for path in tmp_path.iterdir()] == ["paper"]
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds files that are no paper"):
        check_folder(tmp_path / "other", replace=True)
    with pytest.raises(UsageError, match=r"letter\.txt is a file"):
        check_folder(tmp_path / "other" / "letter.txt", replace=True)
    with pytest.raises(WorkError, match="can't be written"):
        check_folder(tmp_path / "other" / "letter.txt" / "paper", replace=False)
    check_folder(tmp_path / "new" / "paper", replace=False)
    assert not any((tmp_path / "new").iterdir())


def test_a_full_disk_leaves_the_old_paper_whole(tmp_path, monkeypatch):
    out = tmp_path / "paper"
    put_files({"paper.json": b"old"}, out)

    def fail(*_):
        raise OSError(28, "")

    monkeypatch.setattr(module, "put_in_place", fail)
    with pytest.raises(WorkError, match=r"No space left on device.*what lay there is whole"):
        put_files({"paper.json": b"new"}, out)
    assert (out / "paper.json").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["paper"]
