"""A manifest with images to a prediction table; resumable row by row."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pandas as pd

from core.cohort.manifest import read_rows
from core.cohort.record import Choices, TableReading
from core.cohort.scoring.journal import Journal
from core.cohort.scoring.local import Row
from core.cohort.scoring.table import tabulate_scores
from core.errors import TableError
from models.bundle import Bundle

Progress = Callable[[int, int], None]


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
    reading : TableReading
        What became of the manifest's columns.
    cautions : tuple of (int, str)
        Row of the manifest and what calls for caution with its image: a box that reaches its edge, for instance.
    """

    table: pd.DataFrame
    refused: tuple[tuple[int, str], ...]
    images: int
    reading: TableReading
    cautions: tuple[tuple[int, str], ...] = ()


class Scorer(Protocol):
    """What scores rows: this machine (`scoring.local`) or a cluster of several (`scoring.cluster`)."""

    @property
    def bundle(self) -> Bundle:
        """The bundle that answers."""

    def score_rows(self, rows: Iterable[Row]) -> Iterator[tuple[int, Row]]:
        """Give row number and scores of each row, in any order."""


def score_manifest(
    manifest: Path,
    scorer: Scorer,
    journal: Path,
    *,
    progress: Progress,
    confined: bool = False,
    choices: Choices | None = None,
) -> ScoredCohort:
    """Score the images of a manifest; a stopped run goes on where it was."""
    rows, reading = read_rows(manifest, choices, confined=confined, cutoff=scorer.bundle.cutoff)
    settled = b"" if choices is None or choices == Choices() else repr(choices).encode()
    key = hashlib.sha256(manifest.read_bytes() + scorer.bundle.sha256.encode() + settled).hexdigest()
    kept = Journal(journal, key)
    with kept:
        for number, scores in scorer.score_rows(row for row in rows if row["row"] not in kept.done):
            kept.add(number, scores)
            progress(len(kept.done) + len(reading.refused), reading.rows)
    scores_of = kept.read()
    rows = [row | {"scores": dict(scores_of[row["row"]])} for row in rows]
    rows = [row | {"seen": row["scores"].pop("seen", None), "is_caution": "cautions" in row["scores"]} for row in rows]
    cautions = [(row["row"], " ".join(row["scores"].pop("cautions"))) for row in rows if row["is_caution"]]
    read = [row for row in rows if "refused" not in row["scores"]]
    unread = [(row["row"], str(row["scores"]["refused"])) for row in rows if "refused" in row["scores"]]
    refused = tuple(sorted([*reading.refused, *unread]))
    if not read:
        raise TableError(f"None of the {reading.rows} rows of the manifest could be scored.", refused)
    return ScoredCohort(tabulate_scores(read, scorer.bundle), refused, len(read), reading, tuple(sorted(cautions)))
