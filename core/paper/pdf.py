"""A paper as PDF/UA: all of it in order, with its figures, tables and page numbers of each checklist's items."""

from collections.abc import Iterator

from core.documents.typesetting import PAPERS, Paper, typeset_pdf
from core.figures.printing import DOUBLE_MM, SINGLE_MM, draw_for_print
from core.paper import content
from core.paper.checklists import NOTE


def render_pdf(paper: content.Paper, *, sheet: Paper) -> bytes:
    """Typeset a paper."""
    pictures: dict[str, bytes] = {}
    counter = paper.count()
    titles = {section.id: section.title for section in paper.sections}
    record = {
        "title": paper.title,
        "marks": paper.marks,
        "use": paper.use,
        "footer": paper.origin,
        "sections": [_lay_out(section, counter, pictures) for section in paper.sections],
        "note": NOTE,
        "checklists": [
            {"title": name, "items": list(_list_items(items, titles))} for name, items in paper.checklists.items()
        ],
    }
    return typeset_pdf("paper.typ", record, {"paper": PAPERS[sheet]}, pictures)


def _lay_out(section: content.Section, counter: content.Counter, pictures: dict[str, bytes]) -> dict[str, object]:
    figures = []
    for figure in section.figures:
        name = f"{figure.name}.svg"
        width = DOUBLE_MM if figure.is_wide else SINGLE_MM
        pictures[name] = draw_for_print(figure.figure, width_mm=width, note=figure.note, outlined=False)
        caption = counter.head(figure)
        figures.append({"file": name, "caption": caption, "alt": figure.caption, "wide": figure.is_wide})
    tables = [
        {
            "caption": counter.head(table),
            "columns": [str(name) for name in table.table.columns],
            "rows": [[str(cell) for cell in row] for row in table.table.to_numpy().tolist()],
        }
        for table in section.tables
    ]
    words = {name: getattr(section, name) for name in ("id", "title", "level", "paragraphs", "cautions")}
    return words | {"figures": figures, "tables": tables}


def _list_items(items: tuple[content.Item, ...], titles: dict[str, str]) -> Iterator[dict[str, str]]:
    for item in items:
        yield vars(item) | {"title": titles.get(item.section, "")}
