"""A manifest: one row per image, understood column by column and checked into images and patients."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.clinical import COLUMNS, M2_PREDICTORS, fold_word
from core.cohort.box_column import check_boxes, parse_box
from core.cohort.columns import match_columns
from core.cohort.outcomes import EXCLUDING, name_wrong_outcome
from core.cohort.patients import set_aside
from core.cohort.reading import (
    STRADDLES,
    Understood,
    describe_reading,
    find_straddling,
    suggest_split,
    take_table,
    understand,
)
from core.cohort.record import Choices, TableReading
from core.cohort.splits import SplitRule, assign_splits
from core.errors import TableError
from core.tabular import TextTable, read_bytes
from models.cutoff import DEFAULT_CUTOFF, Cutoff

OUTCOMES = ("ki67_pct", "lnm", "rfs_months", "rfs_event")
NEEDED = ("patient_id", "image")
NEEDED_TO_TRAIN = ("patient_id", "centre", "image", "ki67_pct")
OF_THE_EXAMINATION = (*M2_PREDICTORS, "ki67_cnb_pct", "exam_date", "image_device")
FIELDS = (*NEEDED, "centre", "split", "box", *OUTCOMES, *OF_THE_EXAMINATION, *EXCLUDING)
OF_THE_PATIENT = ("centre", *OUTCOMES, "age", "menopausal", "grade_cnb", "er_pct", "pr_pct", "her2", "ki67_cnb_pct")
OF_THE_IMAGE = {*FIELDS} - {*OF_THE_PATIENT, *EXCLUDING, "patient_id", "image", "split", "box"}
HIGHEST = 100  # per cent


Row = dict[str, Any]


@dataclass(frozen=True)
class Manifest:
    """Checked rows of a manifest."""

    # row (number in the file, the header is 1), patient_id, path, box ((x0, y0, x1, y1) in source pixels or None); in
    # the order of patients and file names, whatever the order in the file
    images: pd.DataFrame
    # indexed by patient_id: centre, split, ki67_pct, lnm, rfs_months, rfs_event, and a column for each predictor that
    # the file has (checked values, None where not known)
    patients: pd.DataFrame
    reading: TableReading  # what became of the file's rows and columns

    @property
    def refused(self) -> tuple[tuple[int, str], ...]:
        """Row number and reason."""
        return self.reading.refused

    @property
    def notes(self) -> tuple[str, ...]:
        """What the file lacks and what was done about it."""
        return self.reading.notes


def read_manifest(path: Path, rule: SplitRule, choices: Choices | None = None, *, confined: bool = False) -> Manifest:
    """Read and check a manifest to learn from; `confined` is that of `read_rows`."""
    rows, reading = read_rows(path, choices, labelled=True, confined=confined, cutoff=rule.cutoff)
    if not rows:
        raise TableError(f"None of the {reading.rows} rows of the manifest can be used.", reading.refused)
    checked = pd.DataFrame(_sort_rows(rows))
    present = [name for name in (*OUTCOMES, *M2_PREDICTORS) if name in checked]
    patients = checked.groupby("patient_id", sort=True)[["centre", *present]].first()
    spelt = {fold_word(centre): centre for centre in patients["centre"]}
    rule = replace(rule, external=tuple(spelt.get(fold_word(name), name) for name in rule.external))
    patients = patients.astype(object).where(patients.notna(), None)
    for name in OUTCOMES:
        if name not in patients:
            patients[name] = None
    try:
        patients["split"] = assign_splits(checked, patients, rule)
    except TableError as error:
        raise TableError(str(error), (*error.rows, *reading.refused)) from None
    absent = [name for name in M2_PREDICTORS if name not in checked]
    if absent:
        note = f"Not in the manifest, so not in the model: {', '.join(absent)}."
        reading = replace(reading, notes=(*reading.notes, note))
    images = checked[["row", "patient_id", "path", "box"]].reset_index(drop=True)
    return Manifest(images, patients, reading)


def _sort_rows(rows: Sequence[Row]) -> list[Row]:
    """Sort rows by patient, file name and all else that they say, so that nothing depends on their order in the file.

    The folder comes after the name: scanners give one file name in every study.
    """
    return sorted(rows, key=lambda row: (str(row["patient_id"]), row["path"].name, row["path"].as_posix(), _spell(row)))


def _spell(row: Row) -> str:
    """Write what a row says, but for its place in the file, so that numbers stand in their order."""
    values = ((name, row[name]) for name in sorted(row) if name != "row")
    return repr([(name, f"{value:020.6f}" if isinstance(value, float) else str(value)) for name, value in values])


def read_rows(
    path: Path,
    choices: Choices | None = None,
    *,
    labelled: bool = False,
    confined: bool = False,
    cutoff: Cutoff = DEFAULT_CUTOFF,
) -> tuple[list[Row], TableReading]:
    """Read and check the rows of a manifest.

    Parameters
    ----------
    path : Path
        CSV, Excel, ODS or Parquet; image paths are relative to its folder.
    choices : Choices, optional
        What a person settled about its columns.
    labelled : bool
        Whether centre and Ki-67 are needed, as for training.
    confined : bool
        Whether images must lie in the folder: the rows of an upload must not name other files of this computer.
    cutoff : Cutoff
        High Ki-67; a value such as "15-25" that lies on both sides of it can't be used.

    Returns
    -------
    rows : list of dict
        Each with row, patient_id, centre, path, box, split, the outcomes, and the predictors that the file has; None
        where not known.
    reading : TableReading
        What became of the file's rows and columns.

    Raises
    ------
    TableError
        If a needed column is missing or can't be understood.
    """
    content, choices = read_bytes(path), choices or Choices()
    text = take_table(content, choices)
    match = suggest_split(text, match_columns(text.header, FIELDS, choices), choices)
    needed = NEEDED_TO_TRAIN if labelled else NEEDED
    missing = [name for name in needed if name not in match.positions and name not in match.doubtful]
    if missing:
        guesses = [f"'{column[:40]}' may be {guess}" for column, guess in match.unread if guess in missing]
        hint = f" ({'; '.join(guesses)})" if guesses else ""
        raise TableError(
            f"The manifest has no column {', '.join(missing)}{hint}; it needs {', '.join(needed)}. "
            "Rename one, or map another column to it."
        )
    text = set_aside(text, match, no_patient="patient_id is empty.")
    understood = understand(text, match, choices, (*needed, "split"))
    problems = {text.rows[position]: reason for position, reason in understood.problems.items()} | dict(text.refused)
    if "box" in understood.values:
        check_boxes(understood.values["box"], text.header[match.positions["box"]])
    if "ki67_pct" in understood.values:
        both = find_straddling(understood, cutoff, is_outcome=labelled)
        understood.values["ki67_pct"][both] = np.inf
        understood.values["ki67_range"] = np.array(list(map(write_range, *understood.limits["ki67_pct"])), dtype=object)
    rows = []
    for record in list_records(text, understood):
        if record["row"] in problems:
            continue
        try:
            rows.append(_check_row(record, path.parent, labelled=labelled, confined=confined, cutoff=cutoff))
        except TableError as error:
            problems[record["row"]] = str(error)
    problems |= find_conflicts(rows)
    rows = [row for row in rows if row["row"] not in problems]
    reading = describe_reading(content, text, match, understood, problems, _note_differences(rows))
    return rows, reading


def write_range(low: float, high: float) -> str | None:
    """Write a Ki-67 that left some room as it is read again: "20 to 30", "<20", ">20"; None for a single number."""
    if not low < high:
        return None
    if low == 0 and high < float(f"{high:g}"):
        return f"<{high:g}"
    return f">{low:g}" if low > float(f"{low:g}") and high == HIGHEST else f"{low:g} to {high:g}"


def list_records(text: TextTable, understood: Understood) -> list[Row]:
    """Give the values row by row, None where not known."""
    columns = {}
    for name, values in understood.values.items():
        known = values.astype(object)
        if values.dtype == float:
            known[np.isnan(values)] = None
        columns[name] = known.tolist()
    names = ["row", *columns]
    return [dict(zip(names, cells, strict=True)) for cells in zip(text.rows, *columns.values(), strict=True)]


def _check_row(record: Row, folder: Path, *, labelled: bool, confined: bool, cutoff: Cutoff) -> Row:
    patient, image, ki67 = record.get("patient_id"), record.pop("image", None), record.get("ki67_pct")
    if patient is None:
        raise TableError("patient_id is empty.")
    if labelled and record.get("centre") is None:
        raise TableError("centre is empty.")
    if ki67 == np.inf:
        raise TableError(STRADDLES.format(cutoff=cutoff.words))
    reason = name_wrong_outcome(record)
    if labelled and reason:
        raise TableError(reason)
    if labelled and ki67 is None:
        raise TableError("ki67_pct is empty, so the row can't be learnt from.")
    if image is None:
        raise TableError("image is empty.")
    path, box = find_image(image, folder, confined=confined), parse_box(record.get("box") or "")
    absent = dict.fromkeys(("split", *OUTCOMES))
    return absent | record | {"centre": record.get("centre") or "", "path": path, "box": box}


def find_image(name: str, folder: Path, *, confined: bool) -> Path:
    """Give the path of an image, also one written on Windows; a name that no file can have is not there."""
    for path in (folder / name, folder / name.replace("\\", "/")):
        if os.path.isfile(path) and (not confined or path.resolve().is_relative_to(folder.resolve())):
            return path
    raise TableError("The image file is not there; paths are relative to the manifest's folder.")


def find_conflicts(rows: Sequence[Row], of_one: Iterable[str] = OF_THE_PATIENT) -> dict[int, str]:
    """Name the rows of patients whose rows contradict each other in what a patient has only one of."""
    table = pd.DataFrame(rows)
    names = [name for name in of_one if name in table]
    if table.empty or not table["patient_id"].duplicated().any():
        return {}
    if "centre" in table:
        table["centre"] = table["centre"].replace("", None)
    groups = table.groupby("patient_id")
    bad = groups[names].nunique().gt(1)
    conflicts: dict[int, str] = {}
    for patient in bad.index[bad.any(axis=1)]:
        own = table.loc[groups.groups[patient]]
        parts = [_describe_values(name, own[name]) for name in names if bad.loc[patient, name]]
        sentence = f"The patient's rows contradict each other: {'; '.join(parts)}."
        conflicts |= {int(row): sentence for row in own["row"]}
    return conflicts


def _describe_values(name: str, values: "pd.Series[Any]") -> str:
    shown = [f"{value:g}" if isinstance(value, float) else str(value)[:20] for value in values.dropna().unique()[:3]]
    return f"{COLUMNS[name].label} {' and '.join(shown)}"


def _note_differences(rows: Sequence[Row]) -> list[str]:
    """Say where a patient's images differ in what belongs to the image; the first that is known counts."""
    table = pd.DataFrame(rows)
    names = sorted(OF_THE_IMAGE & set(table.columns))
    if table.empty or not names or not table["patient_id"].duplicated().any():
        return []
    counts = table.groupby("patient_id")[names].nunique().gt(1).sum()
    return [
        f"{name} differs between the images of {count} patients; the first that is known counts."
        for name, count in counts.items()
        if count
    ]
