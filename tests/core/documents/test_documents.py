"""Documents: tagged, the same every time, true to their content, and deaf to what a note tries."""

import io
import re
from dataclasses import replace

import pikepdf
import pytest

from core.documents.render import Decision, render_meeting_document, render_patient_document
from core.errors import UsageError
from models.fusion import FusionHead
from tests.core.documents.contents import HOSTILE, make_meeting, make_patient, make_prediction, make_refused
from tests.pdf import find_right_edge, read_pages

PAPERS = {"a4": (595, 842), "letter": (612, 792)}


def walk_tags(element: pikepdf.Object):
    kids = element.get("/K", [])
    for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
        if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
            yield kid
            yield from walk_tags(kid)


def read_tags(pdf: bytes) -> list[tuple[str, str | None]]:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        tags = walk_tags(document.Root.StructTreeRoot)
        return [(str(tag.S), str(tag.Alt) if "/Alt" in tag else None) for tag in tags]


@pytest.mark.parametrize("form", ["pdf", "html"])
@pytest.mark.parametrize("paper", PAPERS)
def test_the_same_content_gives_the_same_bytes(fusion: FusionHead, form: str, paper: str) -> None:
    first, second = (render_patient_document(make_patient(fusion), paper=paper, form=form) for _ in range(2))
    assert first == second
    other = render_patient_document(make_patient(fusion, patient="P-0008"), paper=paper, form=form)
    assert other != first


@pytest.mark.parametrize(("paper", "size"), PAPERS.items())
def test_pages_have_the_paper_asked_for(fusion: FusionHead, paper: str, size: tuple[int, int]) -> None:
    with pikepdf.open(io.BytesIO(render_patient_document(make_patient(fusion), paper=paper))) as document:
        assert {(round(page.mediabox[2]), round(page.mediabox[3])) for page in document.pages} == {size}


def test_the_pdf_is_tagged_named_and_says_that_it_is_pdf_ua(fusion: FusionHead) -> None:
    pdf = render_patient_document(make_patient(fusion))
    with pikepdf.open(io.BytesIO(pdf)) as document:
        assert str(document.Root.Lang).startswith("en")
        assert bool(document.Root.MarkInfo.Marked)
        assert bool(document.Root.ViewerPreferences.DisplayDocTitle)
        with document.open_metadata() as metadata:
            assert metadata["pdfuaid:part"] == "1"
            assert metadata["dc:title"] == "Ki-67 estimate before surgery: P-0007"
        assert "/CreationDate" not in document.docinfo
    kinds = [kind for kind, _ in read_tags(pdf)]
    assert {"/H1", "/H2", "/Table", "/TH", "/TD", "/Figure"} <= set(kinds)
    levels = [int(kind[2:]) for kind in kinds if re.fullmatch(r"/H\d", kind)]
    assert all(after <= before + 1 for before, after in zip([0, *levels], levels, strict=False))


def test_every_figure_has_its_words(fusion: FusionHead) -> None:
    figures = [alt for kind, alt in read_tags(render_patient_document(make_patient(fusion))) if kind == "/Figure"]
    assert all(figures)
    content = make_patient(fusion)
    drawn = {drawing.alt for kind, drawing in content.figures.items() if kind != "strip"}
    assert {"The frame", "The evidence"} | drawn <= set(figures)


@pytest.mark.parametrize("paper", PAPERS)
def test_every_page_says_research_and_simulated(fusion: FusionHead, paper: str) -> None:
    for pdf in (
        render_patient_document(make_patient(fusion), paper=paper),
        render_meeting_document(make_meeting(fusion, 3), paper=paper),
    ):
        pages = read_pages(pdf)
        for number, page in enumerate(pages, start=1):
            assert "RESEARCH USE ONLY" in page
            assert "TRAINED ON SIMULATED PATIENTS" in page
            assert "SIMULATED PATIENT" in page.replace("TRAINED ON SIMULATED PATIENTS", "")
            assert f"Page {number} of {len(pages)}" in page
            assert "Bundle test-bundle cccccccccccc" in page


def test_real_patients_are_not_called_simulated(fusion: FusionHead) -> None:
    content = make_patient(fusion)
    origin = replace(content.origin, simulated=False, intended_use="Research use only; not a medical device.")
    text = " ".join(read_pages(render_patient_document(replace(content, origin=origin, simulated=False))))
    assert "SIMULATED" not in text
    assert "Trained on real patients" in text


def test_the_numbers_are_the_estimates(fusion: FusionHead) -> None:
    content = make_patient(fusion)
    text = " ".join(read_pages(render_patient_document(content))).replace("\N{NO-BREAK SPACE}", " ")
    percent = round(100 * content.prediction.probability)
    assert f"{percent} % probability of a high Ki-67" in text
    assert f"{percent} of 100 patients with this estimate" in text
    assert f"{content.prediction.logit:+.2f}" in text
    assert re.search(r"Total points: \d+", text)
    for hash_value in ("b" * 64, "c" * 64, "d" * 64):
        assert hash_value in re.sub(r"\W", "", text)
    assert "2026-11-24 09:30 UTC" in text
    assert "taken: what is expected of it given the rest" in text
    assert "the core's Ki-67 of 15 % is low, the estimate is called high: they differ" in text
    assert not re.search(r"\bnan\b|Progesterone", text)


def test_without_a_time_no_time_is_printed(fusion: FusionHead) -> None:
    content = make_patient(fusion)
    text = " ".join(read_pages(render_patient_document(replace(content, stamp=replace(content.stamp, created_utc="")))))
    assert "09:30" not in text


@pytest.mark.parametrize("form", ["pdf", "html"])
def test_a_refused_image_shows_no_figure_of_the_answer(fusion: FusionHead, form: str) -> None:
    document = render_patient_document(make_refused(fusion), form=form)
    text = document.decode() if form == "html" else " ".join(read_pages(document))
    assert "The model refuses this image" in text
    assert "This is no ultrasound." in text
    assert "probability of a high" not in text
    assert "of 100 similar" not in text
    assert "Node metastasis" not in text


@pytest.mark.parametrize("form", ["pdf", "html"])
def test_what_is_missing_is_left_out(fusion: FusionHead, form: str) -> None:
    bare = make_patient(
        fusion,
        patient=None,
        prediction=None,
        inputs={},
        image=None,
        figures={},
        seen="",
        core_biopsy={},
        decisions=(),
        file_sha256="",
        evidence=(),
    )
    document = render_patient_document(bare, form=form)
    text = document.decode() if form == "html" else " ".join(read_pages(document))
    assert "No estimate was made for this patient." in text
    assert "not named" in text
    assert "None" not in text


def test_all_values_missing_is_typeset(fusion: FusionHead) -> None:
    content = make_patient(fusion, inputs={}, prediction=make_prediction(fusion, clinical={}))
    assert render_patient_document(content).startswith(b"%PDF")


@pytest.mark.parametrize("repeat", [1, 40])
def test_hostile_words_stay_words(fusion: FusionHead, repeat: int) -> None:
    note = Decision("2026-11-24T09:00:00+00:00", HOSTILE, "note", HOSTILE * repeat)
    content = make_patient(fusion, patient=HOSTILE, decisions=(note,), seen=HOSTILE)
    text = " ".join(read_pages(render_patient_document(content)))
    for word in (
        "Müller",
        "Ωμέγα",
        "Жуков",
        "山田太郎",
        "한국어",
        '#image("/etc/passwd")',
        "$x^2$",
        "*b*",
        "&amp;",
        "= head",
    ):
        assert word in text
    assert "root:" not in text
    assert "\u202e" not in text


def test_hostile_words_are_no_markup_in_html(fusion: FusionHead) -> None:
    attack = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    content = make_patient(fusion, patient=attack, decisions=(Decision("", attack, attack, attack),), seen=attack)
    page = render_patient_document(content, form="html").decode()
    assert "<script" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;" in page


def test_a_word_without_end_stays_on_the_page(fusion: FusionHead) -> None:
    note = Decision("2026-11-24T09:00:00+00:00", "A" * 400, "note", "W" * 3000)
    pdf = render_patient_document(make_patient(fusion, patient="P" * 300, decisions=(note,)))
    assert find_right_edge(pdf) <= PAPERS["a4"][0] - 40


@pytest.mark.parametrize("make", [make_patient, make_meeting])
def test_the_html_is_self_contained_and_ordered(fusion: FusionHead, make) -> None:
    content = make(fusion)
    render = render_patient_document if make is make_patient else render_meeting_document
    page = render(content, form="html").decode()
    assert page.startswith('<!doctype html><html lang="en">')
    assert "<title>" in page
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert sources
    assert all(source.startswith("data:image/") for source in sources)
    assert not re.search(r"url\(|@import|<link|<script", page)
    assert all(re.findall(r'<img alt="([^"]*)"', page))
    assert page.count("<img ") == len(re.findall(r'<img alt="[^"]', page))
    levels = [int(level) for level in re.findall(r"<h(\d)>", page)]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip([0, *levels], levels, strict=False))
    assert "RESEARCH USE ONLY" in page


def test_a_meeting_lists_twenty_patients_and_tears_none(fusion: FusionHead) -> None:
    pages = read_pages(render_meeting_document(make_meeting(fusion)))
    assert [sum(f"P-{i:04d}" in page for page in pages) for i in range(20)] == [2] * 20
    assert "Core biopsy of the node." in pages[0]
    assert "overrides the call" in pages[0]
    assert "core differs" in pages[0]
    assert len(pages) < 22
    parts = [part for page in pages for part in re.split(r"Patient \d+: P-", page)[1:]]
    assert len(parts) == 20
    assert all("Image file SHA-256" in part and "Core biopsy of the node." in part for part in parts)


def test_a_long_decision_is_cut_in_the_list_and_whole_on_its_page(fusion: FusionHead) -> None:
    long = Decision("2026-11-24T09:00:00+00:00", "Dr. A", "decision", "word " * 100 + "end-of-note")
    meeting = make_meeting(fusion, 1)
    pages = read_pages(render_meeting_document(replace(meeting, patients=(make_patient(fusion, decisions=(long,)),))))
    assert "end-of-note" not in pages[0]
    assert "end-of-note" in " ".join(pages[1:])


def test_nothing_but_the_content_is_in_a_document(fusion: FusionHead, tmp_path) -> None:
    pdf = render_patient_document(make_patient(fusion))
    with pikepdf.open(io.BytesIO(pdf)) as document:
        assert "/Author" not in document.docinfo
        assert "/Names" not in document.Root or "/EmbeddedFiles" not in document.Root.Names


@pytest.mark.parametrize(
    ("options", "message"), [({"paper": "a0"}, "no paper 'a0'"), ({"form": "odt"}, "no form 'odt'")]
)
def test_what_is_not_offered_is_refused(fusion: FusionHead, options: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        render_patient_document(make_patient(fusion), **options)


def test_a_meeting_needs_a_patient(fusion: FusionHead) -> None:
    with pytest.raises(UsageError, match="at least one patient"):
        render_meeting_document(replace(make_meeting(fusion, 1), patients=()))


@pytest.mark.parametrize("form", ["pdf", "html"])
def test_the_entry_of_the_register_is_named(fusion: FusionHead, form: str) -> None:
    with_entry = render_patient_document(make_patient(fusion, entry="17:0123456789abcdef"), form=form)
    without = render_patient_document(make_patient(fusion), form=form)
    texts = [" ".join(read_pages(one)) if form == "pdf" else one.decode() for one in (with_entry, without)]
    words = [re.sub(r"[\s\u200b\u2060]+", "", text) for text in texts]
    assert ["17:0123456789abcdef" in text for text in words] == [True, False]
    assert ["Entryoftheregister" in text for text in words] == [True, False]
