"""The files of a paper: figures in every form, tables, text, checklists; and the folder that they are put into."""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from core.documents.typesetting import Paper as Sheet
from core.errors import UsageError, WorkError, name_cause
from core.figures.printing import DOUBLE_MM, FORMS, SINGLE_MM, check_width, render_print
from core.paper.content import Figure, Paper
from core.paper.pdf import render_pdf
from core.paper.word import describe_place, render_docx
from core.spreadsheet import render_csv
from core.training.bundle.folder import put_in_place

MARK = "paper.json"
Watch = Callable[[int, int], object]


@dataclass(frozen=True)
class Print:
    """Widths of one and of two columns of the journal in mm, and the sheet of the PDF."""

    single_mm: float = SINGLE_MM
    double_mm: float = DOUBLE_MM
    sheet: Sheet = "a4"

    def __post_init__(self) -> None:
        """Refuse widths that no journal has."""
        for width in (self.single_mm, self.double_mm):
            check_width(width)


def make_files(paper: Paper, form: Print = Print(), *, watch: Watch = lambda *_: None) -> dict[str, bytes]:
    """Make every file of a paper.

    Parameters
    ----------
    paper : Paper
        What it says.
    form : Print
        Widths and sheet.
    watch : callable
        Told how many of how many pieces are made.

    Returns
    -------
    dict of str to bytes
        By path within the paper's folder; the same paper gives the same bytes.
    """
    files: dict[str, bytes] = {}
    pictures: dict[str, bytes] = {}
    total = len(paper.figures) + 2
    for done, (name, figure) in enumerate(paper.figures):
        watch(done, total)
        drawn = _draw(figure, form, paper.title)
        pictures[figure.name] = drawn["png"]
        files |= {f"figures/{name}.{ending}": data for ending, data in drawn.items()}
        files[f"figures/{name}_data.csv"] = _render_table(paper, figure.data)
    files |= {f"tables/{name}.csv": _render_table(paper, table.table) for name, table in paper.tables}
    files["captions.csv"] = _list_captions(paper)
    files |= dict(_list_checklists(paper))
    watch(total - 2, total)
    files["paper.docx"] = render_docx(paper, pictures)
    watch(total - 1, total)
    files["paper.pdf"] = render_pdf(paper, sheet=form.sheet)
    watch(total, total)
    record = {
        "title": paper.title,
        "simulated": paper.is_simulated,
        "origin": paper.origin,
        "width_mm": [form.single_mm, form.double_mm],
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())},
    }
    return {MARK: (json.dumps(record, indent=1) + "\n").encode(), **files}


def check_folder(out: Path, *, replace: bool) -> None:
    """Refuse a folder that a paper must not, or can't, be put into."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"--paper {out.name} is a file: give a folder for the paper.")
    if (out / MARK).exists():
        if not replace:
            raise UsageError(f"{out.name} holds a paper already: give --replace to replace it, or another folder.")
    elif out.exists() and any(out.iterdir()):
        raise UsageError(f"{out.name} holds files that are no paper: give an empty or a new folder.")
    with _write_beside(out.resolve()):
        pass


def put_files(files: dict[str, bytes], out: Path) -> None:
    """Write a paper beside its folder, and give it the folder's name once it is whole."""
    out = out.resolve()
    with _write_beside(out) as scratch:
        new = scratch / "paper"
        for name, data in files.items():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).write_bytes(data)
        put_in_place(new, out)


@contextmanager
def _write_beside(out: Path) -> Iterator[Path]:
    """Give a folder beside the paper's for as long as the block; what can't be written in it is said."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as scratch:
            yield Path(scratch)
    except OSError as error:
        raise WorkError(
            f"The paper can't be written ({name_cause(error)}): make room beside {out.name}, or choose "
            "another --paper; what lay there is whole."
        ) from None


def _draw(figure: Figure, form: Print, title: str) -> dict[str, bytes]:
    width = form.double_mm if figure.is_wide else form.single_mm
    words = {"title": title, "alt": figure.caption, "note": figure.note}
    return {ending: render_print(figure.figure, ending, width_mm=width, **words) for ending in FORMS}


def _render_table(paper: Paper, table: pd.DataFrame) -> bytes:
    """Write a table as CSV; of a simulated cohort each row says so."""
    return render_csv(table.assign(patients="SIMULATED") if paper.is_simulated else table)


def _list_captions(paper: Paper) -> bytes:
    captions = [(name, figure.caption) for name, figure in paper.figures]
    captions += [(name, table.caption) for name, table in paper.tables]
    return render_csv(pd.DataFrame(captions, columns=["file", "caption"]))


def _list_checklists(paper: Paper) -> Iterator[tuple[str, bytes]]:
    titles = {section.id: section.title for section in paper.sections}
    for name, items in paper.checklists.items():
        rows = [(item.number, item.asks, describe_place(item, titles), item.missing) for item in items]
        table = pd.DataFrame(rows, columns=["item", "asks_for", "where", "missing"])
        yield f"checklists/{name.replace('+', '_').replace(' ', '_').lower()}.csv", render_csv(table)
