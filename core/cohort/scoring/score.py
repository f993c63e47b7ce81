"""A manifest with images to a prediction table; resumable row by row."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
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
    """What scoring gave."""

    table: pd.DataFrame  # one row per patient, as `core.cohort.read_predictions` reads it; no path and no name in it
    refused: tuple[tuple[int, str], ...]  # row of the manifest and reason
    images: int  # images that were read
    reading: TableReading  # what became of the manifest's columns
    # row of the manifest and what calls for caution with its image: a box that reaches its edge, for instance
    cautions: tuple[tuple[int, str], ...] = ()
    # images whose box was "drawn", "proposed" by the segmenter, or a "default" one
    boxes: Mapping[str, int] = field(default_factory=dict)


class Scorer(Protocol):
    """What scores rows: this machine (`scoring.local`) or a cluster of several (`scoring.cluster`)."""

    @property
    def bundle(self) -> Bundle:
        """The bundle that answers."""

    def score_rows(self, rows: Iterable[Row]) -> Iterator[tuple[int, Row]]:
        """Give row number and what was read of each row, in any order."""


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
        stamps = {row["row"]: _stamp_file(row["path"]) for row in rows}
        kept.forget(number for number, stamp in stamps.items() if kept.done.get(number) != stamp)
        for number, read in scorer.score_rows(row for row in rows if row["row"] not in kept.done):
            kept.add(number, stamps[number], read)
            progress(len(kept.done) + len(reading.refused), reading.rows)
    known = kept.read()
    rows = [row | known[row["row"]] for row in rows]
    cautions = sorted((row["row"], " ".join(row["cautions"])) for row in rows if "cautions" in row)
    scored = [row for row in rows if "refused" not in row]
    refused = tuple(sorted([*reading.refused, *((row["row"], row["refused"]) for row in rows if "refused" in row)]))
    if not scored:
        raise TableError(f"None of the {reading.rows} rows of the manifest could be scored.", refused)
    boxes = Counter(row["box_source"] for row in scored)
    return ScoredCohort(
        tabulate_scores(scored, scorer.bundle), refused, len(scored), reading, tuple(cautions), dict(boxes)
    )


def describe_boxes(boxes: Mapping[str, int]) -> str:
    """Say whose boxes the images had."""
    words = {"drawn": "drawn", "proposed": "proposed by the segmenter", "default": "default, as no lesion was found"}
    return (
        "Lesion boxes: " + "; ".join(f"{boxes[name]} {word}" for name, word in words.items() if boxes.get(name)) + "."
    )


def _stamp_file(path: Path) -> str:
    """Give size and time of an image file, so that one that has changed is read again."""
    try:
        file = path.stat()
    except OSError:
        return ""
    return f"{file.st_size}-{file.st_mtime_ns}"
