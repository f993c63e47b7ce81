"""The results of a paper: the exhibits of the cohort pages, split by split, and what the training patients say."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from core.cohort.splits import SPLIT_NAMES
from core.evaluation.estimate import NOT_ESTIMABLE, write_estimate
from core.figures.case.nomogram import describe_nomogram, plot_nomogram, tabulate_points
from core.figures.cohort.evaluate import list_splits
from core.figures.cohort.exhibit import Exhibit, Patients
from core.figures.cohort.subjects import FLOW, SUBJECTS, TABLE_ONE
from core.figures.evidence import (
    describe_sizes,
    read_intake,
    tabulate_coefficients,
    tabulate_learning,
)
from core.figures.instability import plot_instability, tabulate_instability
from core.figures.intake import tabulate_intake
from core.inference.points import choose_ticks, score_points
from core.paper.content import Figure, Section, Table
from core.paper.study import Study

SPLIT = "split-{}"
HEADINGS = {"table_1": "Characteristics by split", "table_1_groups": "Characteristics by predicted group"}
Lacks = list[tuple[str, str, str]]


def write_results(study: Study) -> Iterator[Section]:
    """Write flow, characteristics, the model, each split, held-out ones first, and what can't be estimated."""
    yield Section("results", "Results", level=1)
    lacks: Lacks = []
    mark = study.cohort.mark
    note = f"{mark}All patients, n = {len(study.cohort.table):,}."
    flow = show_exhibits("flow", FLOW.title, FLOW.make(study.patients), where="all", note=note, lacks=lacks)
    yield replace(flow, tables=())
    table_one = TABLE_ONE.make(study.patients)
    yield show_exhibits(
        "characteristics", "Characteristics of the patients", table_one, where="all", note=note, lacks=lacks
    )
    yield _specify(study, mark)
    splits = dict(list_splits(study.cohort.table, study.cohort.threshold, study.cohort.title))
    for split in sorted(splits, key=lambda name: -[*SPLIT_NAMES].index(name) if name in SPLIT_NAMES else 1):
        yield from _show_split(split, splits[split], mark, lacks)
    if study.internal is not None:
        yield _show_stability(study.internal, mark)
    intake = read_intake(study.bundle)
    if intake:
        table = Table("intake", "Images passed, passed with a caution and refused, by kind.", tabulate_intake(intake))
        yield Section("intake", "Images accepted or refused", tables=(table,))
    if len(flow.tables) > 1:
        yield Section("refused", "Rows refused", tables=flow.tables[1:])
    if lacks:
        listed = pd.DataFrame(lacks, columns=["Patients", "What", "Reason"])
        yield Section("lacks", "Not estimated", tables=(Table("not_estimated", "What can't be estimated.", listed),))


def show_exhibits(
    id_: str,
    title: str,
    made: Iterator[tuple[type[Exhibit], Exhibit | str]],
    *,
    where: str,
    note: str,
    lacks: Lacks,
    level: int = 2,
) -> Section:
    """Lay out the exhibits of a subject; what can't be made or estimated is noted as lacking."""
    paragraphs: list[str] = []
    cautions: list[str] = []
    figures: list[Figure] = []
    tables: list[Table] = []
    for kind, exhibit in made:
        heading = HEADINGS.get(kind.name, kind.title or title)
        if isinstance(exhibit, str):
            lacks.append((where, heading, exhibit))
            continue
        name, sentence, figure = f"{where}_{kind.name}".replace(" ", "_"), exhibit.sentence(), exhibit.figure()
        cautions += exhibit.cautions()
        if NOT_ESTIMABLE in sentence:
            lacks.append((where, heading, sentence))
        if figure is not None:
            caption = f"{heading}. {sentence} {note}".replace("  ", " ")
            figures.append(Figure(name, figure, note, caption, exhibit.data(), is_wide=kind.name == "flow"))
        elif sentence and NOT_ESTIMABLE not in sentence:
            paragraphs.append(sentence)
        paragraphs += exhibit.notes()
        for number, (words, table) in enumerate(exhibit.tables().items(), start=1):
            tables.append(Table(f"{name}_{number}", f"{heading}. {words}. {note}", table))
    return Section(id_, title, tuple(dict.fromkeys(paragraphs)), tuple(cautions), tuple(figures), tuple(tables), level)


def _show_split(split: str, patients: Patients, mark: str, lacks: Lacks) -> Iterator[Section]:
    """Write a split: its results in words, then each subject."""
    name = SPLIT_NAMES.get(split, split)
    note = f"{mark}{name.capitalize()}, n = {len(patients.table):,}."
    sections = [
        show_exhibits(
            f"{split}-{number}", subject.title, subject.make(patients), where=split, note=note, lacks=lacks, level=3
        )
        for number, subject in enumerate(SUBJECTS)
    ]
    first = [next(subject.make(patients), (None, ""))[1] for subject in SUBJECTS]
    sentences = [made.sentence() for made in first if isinstance(made, Exhibit)]
    estimable = tuple(f"{mark}{sentence}" for sentence in sentences if NOT_ESTIMABLE not in sentence)
    yield Section(SPLIT.format(split), name.capitalize(), estimable)
    yield from sections


def _specify(study: Study, mark: str) -> Section:
    """Write the model in full, and draw its nomogram for an example."""
    head = study.bundle.fusion_heads["m1"]
    known = {term.field: (ticks := choose_ticks(term))[len(ticks) // 2] for term in head.terms}
    points = score_points(head, 0.0, known)
    caption = f"{describe_nomogram(points)} Read for an example that is no patient. {mark}".strip()
    note = f"{mark}Example, no patient."
    figure = Figure("nomogram", plot_nomogram(points), note, caption, tabulate_points(points), is_wide=True)
    table = Table("coefficients", "Coefficients of the model in log-odds.", tabulate_coefficients(study.bundle))
    words = (
        "log-odds = intercept + coefficient x image score + the sum of coefficient x coded clinical value. The coding "
        "of each value, the weights of the image score and all refits stand in the bundle's heads.json and "
        "refits.safetensors, which its manifest names by hash."
    )
    return Section("specification", "The model in full", (words,), figures=(figure,), tables=(table,))


def _show_stability(internal: Mapping[str, Any], mark: str) -> Section:
    """Write optimism, learning curve, left-out centres and instability."""
    note = f"{mark}Training patients, n = {internal['optimism']['n']:,}."
    optimism = internal["optimism"]
    auc = optimism["auc"]
    words = [
        f"AUC on the training patients {auc['apparent']:.3f}, corrected for optimism {auc['corrected']:.3f}; "
        f"n = {optimism['n']:,}, {optimism['n_refits']:,} refits.",
        *(sentence.replace("**", "") for sentence in describe_sizes(internal)),
    ]
    tables = []
    learning, left = tabulate_learning(internal), _tabulate_left_out(internal["left_out_centres"]["centres"])
    if len(learning):
        tables.append(Table("learning_curve", f"Learning curve. {note}", learning))
    if len(left):
        tables.append(Table("left_out_centres", f"Each training centre left out of the whole fit. {note}", left))
    points = tabulate_instability(internal)
    figures = []
    if len(points):
        caption = (
            f"Instability. 95 % range of each training patient's probability over "
            f"{internal['instability']['n_refits']:,} refits, by the model's probability. {note}"
        )
        figures.append(Figure("instability", plot_instability(points), note, caption, points))
    return Section("stability", "Internal validation", tuple(words), (), tuple(figures), tuple(tables))


def _tabulate_left_out(centres: list[Mapping[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "Left out": row["centre"],
                "n": row["n"],
                "Events": row["events"],
                "AUC (95 % CI)": write_estimate(row["auc"], row["auc_ci"], level=None, digits=2),
                "Calibration slope (95 % CI)": write_estimate(row["slope"], row["slope_ci"], level=None, digits=2),
            }
            for row in centres
        ]
    )
