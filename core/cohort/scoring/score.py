"""A manifest with images to a prediction table; resumable row by row."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pandas as pd

from core.clinical import M2_PREDICTORS
from core.cohort.manifest import OUTCOMES, check_row, match_columns
from core.cohort.scoring.journal import Journal
from core.cohort.scoring.local import Row
from core.cohort.scoring.table import tabulate_scores
from core.cohort.tabular import TextTable, read_text_table
from core.errors import AppError, TableError
from models.bundle import Bundle

NEEDED = ("patient_id", "image")
Progress = Callable[[int, int], None]
Refused = list[tuple[int, str]]


@dataclass(frozen=True)
class ScoredCohort:
    """What scoring gave.

    Parameters
    ----------
    table : DataFrame
        One row a patient, as `core.cohort.read_predictions` reads it; no path and no name in it.
    refused : tuple of (int, str)
        Row of the manifest and reason.
    images : int
        Images that were read.
    """

    table: pd.DataFrame
    refused: tuple[tuple[int, str], ...]
    images: int


class Scorer(Protocol):
    """What scores rows: this machine (`scoring.local`) or a cluster of several (`scoring.cluster`)."""

    @property
    def bundle(self) -> Bundle:
        """The bundle that answers."""

    def score_rows(self, rows: Iterable[Row]) -> Iterator[tuple[int, Row]]:
        """Give row number and scores of each row, in any order."""


def score_manifest(
    manifest: Path, scorer: Scorer, journal: Path, *, progress: Progress, confined: bool = False
) -> ScoredCohort:
    """Score the images of a manifest; a stopped run goes on where it was.

    Parameters
    ----------
    manifest : Path
        CSV or XLSX, one row an image: patient_id and image; box, clinical values, outcomes, centre, split if known.
    scorer : Scorer
        Bundle and machine.
    journal : Path
        File of the rows that are done, one line a row; it belongs to one manifest and one bundle.
    progress : callable
        Called with the number of rows done and of all.
    confined : bool
        Whether images must lie in the manifest's folder, as those of an upload.

    Returns
    -------
    ScoredCohort
        Predictions of the patients with a readable image. Several images of a patient: the mean of their image scores.

    Raises
    ------
    TableError
        If a needed column is missing, or no row can be used.
    """
    text = read_text_table(manifest, _choose_columns)
    kept = Journal(journal, hashlib.sha256(manifest.read_bytes() + scorer.bundle.sha256.encode()).hexdigest())
    unfit: Refused = []
    waiting = (
        row for row in _check_rows(text, manifest.parent, unfit, confined=confined) if row["row"] not in kept.done
    )
    with kept:
        for number, scores in scorer.score_rows(waiting):
            kept.add(number, scores)
            progress(len(kept.done) + len(unfit), len(text.rows))
    scores_of, refused = kept.read(), list(text.refused)
    checked = _check_rows(text, manifest.parent, refused, confined=confined)
    rows = [row | {"scores": scores_of[row["row"]]} for row in checked]
    read = [row for row in rows if "refused" not in row["scores"]]
    refused += [(row["row"], str(row["scores"]["refused"])) for row in rows if "refused" in row["scores"]]
    reasons = tuple(sorted(refused))
    if not read:
        raise TableError(
            f"None of the {len(text.rows) + len(text.refused)} rows of the manifest could be scored.", reasons
        )
    return ScoredCohort(tabulate_scores(read, scorer.bundle), reasons, len(read))


def read_rows(manifest: Path, *, confined: bool = False) -> tuple[list[Row], Refused]:
    """Check the rows of a manifest that is to be scored.

    Parameters
    ----------
    manifest : Path
        CSV or XLSX.
    confined : bool
        As in `score_manifest`.

    Returns
    -------
    tuple of list of dict, and list of (int, str)
        Rows as `core.cohort.manifest.check_row` gives them; row number and reason of the others.

    Raises
    ------
    TableError
        If a needed column is missing.
    """
    text = read_text_table(manifest, _choose_columns)
    refused = list(text.refused)
    return list(_check_rows(text, manifest.parent, refused, confined=confined)), refused


def _check_rows(text: TextTable, folder: Path, refused: Refused, *, confined: bool) -> Iterator[Row]:
    """Check row by row as they are asked for; those that can't be used are added to `refused`."""
    for position, number in enumerate(text.rows):
        cells = {name: values[position] for name, values in text.columns.items()}
        try:
            yield check_row(cells, number, folder, labelled=False, confined=confined)
        except AppError as error:
            refused.append((number, str(error)))


def _choose_columns(header: list[str]) -> dict[str, int]:
    wanted = (*NEEDED, "centre", "split", "box", *OUTCOMES, *M2_PREDICTORS, "ki67_cnb_pct")
    return match_columns(header, wanted, NEEDED)
