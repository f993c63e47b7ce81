"""A manifest with images to a prediction table: decoded ahead, read one by one, resumable row by row."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from scipy.special import expit

from core.clinical import M2_PREDICTORS
from core.cohort.manifest import OUTCOMES, check_row
from core.cohort.tabular import read_text_table
from core.errors import AppError, TableError
from core.imaging import Frame, Roi, default_roi, read_frame
from core.inference import ImageReading
from core.settings import get_setting
from models.bundle import Bundle

NEEDED = ("patient_id", "image")
NODE_HEADS = ("lnm", "lnm_without_aln_us")
CORE = ("grade_cnb", "er_pct", "pr_pct", "her2", "ki67_cnb_pct")
DESCRIPTIVE = ("age", "size_mm", "menopausal", "birads", "palpable", "adler", *CORE)
Progress = Callable[[int, int], None]
Row = dict[str, Any]


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


class Reader(Protocol):
    """What reads an image: a Predictor, or the worker that many sessions share."""

    @property
    def bundle(self) -> Bundle:
        """The bundle that answers."""

    def read_image(self, frame: Frame, roi: Roi) -> ImageReading:
        """Run the network once on the lesion."""


def score_manifest(manifest: Path, reader: Reader, journal: Path, *, progress: Progress) -> ScoredCohort:
    """Score the images of a manifest; a stopped run goes on where it was.

    Parameters
    ----------
    manifest : Path
        CSV or XLSX, one row an image: patient_id and image; box, clinical values, outcomes, centre, split if known.
    reader : Reader
        Bundle and network.
    journal : Path
        File of the rows that are done, one line a row; it belongs to one manifest and one bundle.
    progress : callable
        Called with the number of rows done and of all.

    Returns
    -------
    ScoredCohort
        Predictions of the patients with a readable image. Several images of a patient: the mean of their image scores.

    Raises
    ------
    TableError
        If a needed column is missing, or no row can be used.
    """
    rows, refused = read_rows(manifest)
    done = _open_journal(journal, _identify(manifest, reader))
    waiting = [row for row in rows if str(row["row"]) not in done]
    with journal.open("a", encoding="utf-8") as lines:
        for row, scores in _read_scores(waiting, reader):
            done[str(row["row"])] = scores
            lines.write(json.dumps([row["row"], scores]) + "\n")
            lines.flush()
            progress(len(done), len(rows))
    failed = [(int(n), str(scores["refused"])) for n, scores in done.items() if "refused" in scores]
    read = [row | {"scores": done[str(row["row"])]} for row in rows if "refused" not in done[str(row["row"])]]
    reasons = tuple(sorted((*refused, *failed)))
    if not read:
        raise TableError(f"None of the {len(rows) + len(refused)} rows of the manifest could be scored.", reasons)
    return ScoredCohort(_tabulate(read, reader.bundle), reasons, len(read))


def read_rows(manifest: Path) -> tuple[list[Row], list[tuple[int, str]]]:
    """Check the rows of a manifest that is to be scored.

    Parameters
    ----------
    manifest : Path
        CSV or XLSX.

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
    rows: list[Row] = []
    refused = list(text.refused)
    for position, number in enumerate(text.rows):
        cells = {name: values[position] for name, values in text.columns.items()}
        try:
            rows.append(check_row(cells, number, manifest.parent, labelled=False))
        except AppError as error:
            refused.append((number, str(error)))
    return rows, refused


def _choose_columns(header: list[str]) -> dict[str, int]:
    wanted = {*NEEDED, "centre", "split", "box", *OUTCOMES, *M2_PREDICTORS, "ki67_cnb_pct"}
    found = {name.strip().lower(): i for i, name in enumerate(header) if name.strip().lower() in wanted}
    missing = [name for name in NEEDED if name not in found]
    if missing:
        raise TableError(f"The manifest has no column {', '.join(missing)}; it needs {' and '.join(NEEDED)}.")
    return found


def _identify(manifest: Path, reader: Reader) -> str:
    return hashlib.sha256(manifest.read_bytes() + reader.bundle.sha256.encode()).hexdigest()


def _open_journal(journal: Path, identity: str) -> dict[str, Row]:
    """Read the rows that an earlier run has done; a line that was cut off is done again."""
    lines = journal.read_text(encoding="utf-8").splitlines() if journal.exists() else []
    kept = {}
    if lines and lines[0] == identity:
        for line in lines[1:]:
            try:
                number, scores = json.loads(line)
            except ValueError:
                continue
            kept[str(number)] = scores
    journal.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps([int(number), scores]) + "\n" for number, scores in kept.items())
    journal.write_text(f"{identity}\n{text}", encoding="utf-8")
    return kept


def _read_scores(rows: Iterable[Row], reader: Reader) -> Iterator[tuple[Row, Row]]:
    """Read the network's scores; the next images are decoded meanwhile, in the decoders' processes."""
    ahead = 2 * get_setting("decode_workers")
    pending = iter(rows)
    with ThreadPoolExecutor(get_setting("decode_workers")) as threads:
        queue: list[tuple[Row, Future[tuple[Frame, Roi]]]] = []
        try:
            while True:
                queue += [(row, threads.submit(decode_row, row)) for row in islice(pending, ahead - len(queue))]
                if not queue:
                    return
                row, future = queue.pop(0)
                yield row, _score(future, reader)
        finally:
            for _, future in queue:
                future.cancel()


def decode_row(row: Mapping[str, Any]) -> tuple[Frame, Roi]:
    """Decode the image of a row of `read_rows`, with its lesion box or a default one."""
    frame = read_frame(row["path"].read_bytes())
    return frame, default_roi(frame) if row["box"] is None else frame.to_frame(Roi(*row["box"]))


def _score(decoded: Future[tuple[Frame, Roi]], reader: Reader) -> Row:
    try:
        reading = reader.read_image(*decoded.result())
    except AppError as error:
        return {"refused": str(error)}
    except OSError:
        return {"refused": "The image file can't be opened."}
    if reading.applicability.status == "refused":
        return {"refused": " ".join(reading.applicability.reasons)}
    return dict(reading.scores)


def _tabulate(rows: list[Row], bundle: Bundle) -> pd.DataFrame:
    """Lay out one row a patient, in the order of the manifest."""
    patients: dict[str, list[Row]] = {}
    for row in rows:
        patients.setdefault(row["patient_id"], []).append(row)
    return pd.DataFrame([_predict_patient(patient, images, bundle) for patient, images in patients.items()])


def _predict_patient(patient: str, images: list[Row], bundle: Bundle) -> Row:
    known = {name: value for row in reversed(images) for name, value in row.items() if value is not None}
    scores = {name: float(np.mean([row["scores"][name] for row in images])) for name in images[0]["scores"]}
    record: Row = {"patient_id": patient, "split": known.get("split", "external"), "centre": known.get("centre", "")}
    ki67 = known.get("ki67_pct")
    if ki67 is not None:
        cutoff = bundle.manifest["cutoff"]
        high = ki67 >= cutoff["value"] if str(cutoff["rule"]).startswith(">=") else ki67 > cutoff["value"]
        record |= {"y": int(high), "ki67_pct": ki67}
    for name, head in bundle.fusion_heads.items():
        score = scores["lnm" if name in NODE_HEADS else "ki67"]
        log_odds = head.intercept + sum(head.contribute(score, known).values())
        record["prob" if name == "m1" else f"prob_{name}"] = float(expit(log_odds))
    record |= {name: known[name] for name in ("lnm", "rfs_months", "rfs_event", *DESCRIPTIVE) if name in known}
    if "aln_suspicious" in known:
        record["aln_us"] = int(known["aln_suspicious"] == "suspicious")
    return record
