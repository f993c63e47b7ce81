"""The whole evaluation of a prediction table as one self-contained HTML file."""

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from core.cohort import PredictionTable
from core.cohort.record import count_reasons
from core.cohort.splits import SPLIT_NAMES
from core.evaluation import ThresholdResult
from core.evaluation.cohort.results import describe_threshold
from core.figures.cohort.evaluate import list_splits
from core.figures.cohort.exhibit import Exhibit, Patients
from core.figures.cohort.subjects import FLOW, SUBJECTS, TABLE_ONE
from core.figures.cohort.tripod import tabulate_checklist
from core.figures.rendering import render_svg
from core.figures.templating import render_template

TEMPLATE = Path(__file__).parent / "templates" / "report.html"


def render_report(
    read: PredictionTable,
    threshold: ThresholdResult,
    *,
    title: str,
    simulated: bool,
    origin: Mapping[str, str],
    watch: Callable[[int, int], object] = lambda *_: None,
    parts: Sequence[tuple[str, Patients]] = (),
) -> bytes:
    """Write flow, Table 1, every subject of every split, methods and a TRIPOD+AI checklist as one HTML file.

    It holds its figures, asks no server for anything and names no patient. `title` is what sentences call the cohort:
    "the uploaded cohort"; `origin` says versions, hashes and time; `watch` is told how many of how many subjects are
    written; `parts` are the splits, where they were evaluated already.
    """
    reasons = count_reasons(read.refused)
    whole = Patients(read.table, read.table, title, threshold, refused=len(read.refused), reasons=reasons)
    parts = parts or list(list_splits(read.table, threshold, title))
    steps = len(parts) * len(SUBJECTS)
    splits: list[dict[str, object]] = []
    for split, patients in parts:
        subjects = []
        for subject in SUBJECTS:
            exhibits = [_show(kind, made) for kind, made in subject.make(patients)]
            mark = f"{split}-{subject.title.replace(' ', '-').lower()}"
            subjects.append({"id": mark, "title": subject.title, "exhibits": exhibits})
            watch(len(splits) * len(SUBJECTS) + len(subjects), steps)
        splits.append({"id": split, "title": SPLIT_NAMES.get(split, split).capitalize(), "subjects": subjects})
    record = {
        "title": title,
        "simulated": simulated,
        "origin": _lay_out(pd.DataFrame(list(origin.items()), columns=["Origin", "Value"])),
        "threshold": describe_threshold(threshold),
        "patients": [_show(kind, made) for subject in (FLOW, TABLE_ONE) for kind, made in subject.make(whole)],
        "refused": _lay_out(pd.DataFrame(read.refused, columns=["Row", "Reason"])),
        "splits": splits,
        "methods": [TABLE_ONE, *SUBJECTS],
        "checklist": _lay_out(tabulate_checklist(patients for _, patients in parts)),
    }
    return render_template(TEMPLATE, record)


def _show(kind: type[Exhibit], made: Exhibit | str) -> dict[str, object]:
    """Write an exhibit, or why there is none, as the template takes it."""
    if isinstance(made, str):
        return {"title": kind.title, "picture": "", "sentence": made, "cautions": [], "notes": [], "tables": []}
    figure = made.figure()
    return {
        "title": kind.title,
        "picture": "" if figure is None else base64.b64encode(render_svg(figure)).decode("ascii"),
        "sentence": made.sentence(),
        "cautions": made.cautions(),
        "notes": made.notes(),
        "tables": [_lay_out(table, words) for words, table in made.tables().items()],
    }


def _lay_out(table: pd.DataFrame, caption: str = "") -> dict[str, object]:
    rows: Iterable[list[object]] = table.astype(object).where(table.notna(), "").to_numpy().tolist()
    return {"caption": caption, "columns": list(table.columns), "rows": rows}
