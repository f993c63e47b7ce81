"""A paper as a Word file: text, figures, tables and checklists, for the study's people to write on."""

import io
import zipfile
from collections.abc import Iterable, Sequence

from docx import Document
from docx.document import Document as WordDocument
from docx.enum.section import WD_ORIENT
from docx.oxml import OxmlElement
from docx.shared import Mm, Pt
from docx.styles.style import CharacterStyle

from core.paper import content
from core.paper.archive import write_zip
from core.paper.checklists import NOTE

FIGURE_MM, TEXT_MM = 85.0, 160.0
SHEET_MM, MARGIN_MM = (210, 297), 25
TEXT, SMALL = Pt(10), Pt(8)


def render_docx(paper: content.Paper, pictures: dict[str, bytes]) -> bytes:
    """Write a paper for Word, the same bytes every time; `pictures` are PNG by the name of each figure."""
    document = _begin(paper)
    counter = paper.count()
    titles = {section.id: section.title for section in paper.sections}
    for section in paper.sections:
        document.add_heading(section.title, section.level)
        for words in (*section.paragraphs, *(f"Caution. {caution}" for caution in section.cautions)):
            document.add_paragraph(words)
        for figure in section.figures:
            _add_picture(document, figure, pictures[figure.name], counter.head(figure))
        for table in section.tables:
            _add_caption(document, counter.head(table))
            _add_table(document, list(table.table.columns), table.table.to_numpy().tolist())
    document.add_heading("Checklists", 1)
    document.add_paragraph(NOTE)
    for name, items in paper.checklists.items():
        document.add_heading(name, 2)
        rows = [[item.number, item.asks, describe_place(item, titles)] for item in items]
        _add_table(document, ["Item", "Asks for", "Where"], rows)
    return _save(document)


def describe_place(item: content.Item, titles: dict[str, str]) -> str:
    """Say where an item is answered, and what is missing."""
    missing = item.missing if item.missing in {"", "missing"} else f"missing: {item.missing}"
    return "; ".join(filter(None, (item.answer, titles.get(item.section, ""), missing)))


def _begin(paper: content.Paper) -> WordDocument:
    document = Document()
    section = document.sections[0]
    section.orientation = WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Mm(SHEET_MM[0]), Mm(SHEET_MM[1])
    section.left_margin = section.right_margin = Mm(MARGIN_MM)
    section.header.paragraphs[0].text = " · ".join([*paper.marks, paper.origin])
    normal = document.styles["Normal"]
    if isinstance(normal, CharacterStyle):
        normal.font.size = TEXT
    about = document.core_properties
    about.title, about.author, about.comments = paper.title, "", ""
    document.add_heading(paper.title, 0)
    document.add_paragraph(paper.use)
    return document


def _add_picture(document: WordDocument, figure: content.Figure, png: bytes, caption: str) -> None:
    width = Mm(TEXT_MM if figure.is_wide else FIGURE_MM)
    picture = document.add_picture(io.BytesIO(png), width=width)
    picture._inline.docPr.set("descr", figure.caption)  # noqa: SLF001 - python-docx has no other way to alternative text
    _add_caption(document, caption)


def _add_caption(document: WordDocument, words: str) -> None:
    document.add_paragraph(words, style="Caption")


def _add_table(document: WordDocument, columns: Sequence[object], rows: Iterable[Sequence[object]]) -> None:
    lines = [columns, *rows]
    table = document.add_table(rows=len(lines), cols=len(columns), style="Table Grid")
    for row, line in zip(table.rows, lines, strict=True):
        for cell, value in zip(row.cells, line, strict=True):
            run = cell.paragraphs[0].add_run(str(value))
            run.font.size, run.font.bold = SMALL, line is columns
    head = table.rows[0]._tr.get_or_add_trPr()  # noqa: SLF001 - nor to a header that each page repeats
    head.append(OxmlElement("w:tblHeader"))


def _save(document: WordDocument) -> bytes:
    """Write the file anew with a fixed time in its parts."""
    buffer = io.BytesIO()
    document.save(buffer)
    with zipfile.ZipFile(buffer) as archive:
        return write_zip({name: archive.read(name) for name in archive.namelist()})
