"""A training manifest: one row an image, read and checked row by row into images and patients."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.clinical import BY_NAME, M2_PREDICTORS, parse_value
from core.cohort.columns import find_column, simplify_name
from core.cohort.tabular import read_text_table
from core.errors import ClinicalError, TableError
from models.cutoff import Cutoff

SPLITS = ("train", "validation", "test", "external")
SPLIT_ALIASES = {
    "val": "validation",
    "valid": "validation",
    "training": "train",
    "internal": "test",
    "internal test": "test",
}
SPLIT_SHARES = (264 / 456, 96 / 456, 96 / 456)
OUTCOMES = ("ki67_pct", "lnm", "rfs_months", "rfs_event")
REQUIRED = ("patient_id", "centre", "image", "ki67_pct")
COLUMNS = frozenset((*REQUIRED, *OUTCOMES, *M2_PREDICTORS, "split", "box"))
YES_NO = {"0": 0.0, "1": 1.0, "no": 0.0, "yes": 1.0, "false": 0.0, "true": 1.0}


@dataclass(frozen=True)
class Manifest:
    """Checked rows of a manifest.

    Parameters
    ----------
    images : DataFrame
        row (number in the file, the header is 1), patient_id, path, box ((x0, y0, x1, y1) in source pixels or None).
    patients : DataFrame
        Indexed by patient_id: centre, split, ki67_pct, lnm, rfs_months, rfs_event, and a column for each predictor
        that the file has (checked values, None where not known).
    refused : tuple of (int, str)
        Row number and reason.
    notes : tuple of str
        What the file lacks and what was done about it.
    """

    images: pd.DataFrame
    patients: pd.DataFrame
    refused: tuple[tuple[int, str], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class SplitRule:
    """How patients without a given split are assigned.

    Parameters
    ----------
    external : tuple of str
        Centres held out as external test.
    cutoff : Cutoff
        High Ki-67, by which the split is stratified together with the centre.
    seed : int
        Seed of the assignment.
    """

    external: tuple[str, ...]
    cutoff: Cutoff
    seed: int


def read_manifest(path: Path, rule: SplitRule) -> Manifest:
    """Read and check a manifest.

    Parameters
    ----------
    path : Path
        CSV or XLSX file; image paths are relative to its folder.
    rule : SplitRule
        Used where the file has no column "split".

    Returns
    -------
    Manifest
        The rows that can be used, and the others with their reasons.

    Raises
    ------
    TableError
        If a required column is missing, a patient stands on two sides of the split, or no row is left.
    """
    table = read_text_table(path, _choose_columns)
    rows, refused = [], list(table.refused)
    for number, *cells in zip(table.rows, *table.columns.values(), strict=True):
        try:
            rows.append(check_row(dict(zip(table.columns, cells, strict=True)), number, path.parent))
        except (ClinicalError, TableError) as error:
            refused.append((number, str(error)))
    if not rows:
        raise TableError(f"None of the {len(refused)} rows of the manifest can be used.", tuple(refused))
    checked = pd.DataFrame(rows)
    conflicts = _find_conflicts(checked)
    refused += [(int(n), "The patient's centre or Ki-67 differs between rows.") for n in checked["row"][conflicts]]
    checked = checked[~conflicts]
    patients = _collect_patients(checked)
    try:
        patients["split"] = _assign_splits(checked, patients, rule)
    except TableError as error:
        raise TableError(str(error), (*error.rows, *refused)) from None
    absent = [name for name in M2_PREDICTORS if name not in table.columns]
    notes = (f"Not in the manifest, so not in the model: {', '.join(absent)}.",) if absent else ()
    images = checked[["row", "patient_id", "path", "box"]].reset_index(drop=True)
    return Manifest(images, patients, tuple(sorted(refused)), (*table.notes, *notes))


def _choose_columns(header: list[str]) -> dict[str, int]:
    """Find the columns that are known; all others, names among them, are not read."""
    return match_columns(header, COLUMNS, REQUIRED)


def match_columns(header: list[str], wanted: Iterable[str], needed: Sequence[str]) -> dict[str, int]:
    """Match the names of a manifest with the names that are known.

    Parameters
    ----------
    header : list of str
        Column names of the file.
    wanted : iterable of str
        Names here.
    needed : sequence of str
        Those that must be there.

    Returns
    -------
    dict of str to int
        Name here to position in the file.

    Raises
    ------
    TableError
        If two columns fit one name, or a needed column is missing.
    """
    names = [simplify_name(name) for name in header]
    exact = {name: names.index(name) for name in wanted if names.count(name) == 1}
    likely = {name: find_column(names, name, exact.values()) for name in wanted if name not in exact}
    found = exact | {name: position for name, position in likely.items() if position is not None}
    missing = [name for name in needed if name not in found]
    if missing:
        raise TableError(f"The manifest has no column {', '.join(missing)}; it needs {', '.join(needed)}.")
    return found


def check_row(
    row: Mapping[str, str], number: int, folder: Path, *, labelled: bool = True, confined: bool = False
) -> dict[str, object]:
    """Check one row of a manifest.

    Parameters
    ----------
    row : mapping of str to str
        Cells by column, as text.
    number : int
        Row in the file; the header is 1.
    folder : Path
        Folder that image paths are relative to.
    labelled : bool
        Whether centre and Ki-67 are needed, as for training.
    confined : bool
        Whether the image must lie in the folder: the rows of an upload must not name other files of this computer.

    Returns
    -------
    dict
        row, patient_id, centre, path, box, split, outcomes and the predictors that the file has.

    Raises
    ------
    ClinicalError, TableError
        If the row can't be used.
    """
    fields = M2_PREDICTORS if labelled else (*M2_PREDICTORS, "ki67_cnb_pct")
    values = {name: parse_value(BY_NAME[name], row[name]) for name in fields if name in row}
    ki67 = parse_value(BY_NAME["ki67_pct"], row.get("ki67_pct", ""))
    patient, centre = row["patient_id"].strip(), row.get("centre", "").strip()
    if not patient or (labelled and not centre):
        raise TableError("patient_id is empty." if not patient else "centre is empty.")
    if labelled and ki67 is None:
        raise TableError("ki67_pct is empty, so the row can't be learnt from.")
    path = _find_image(row["image"].strip(), folder, confined=confined)
    outcomes = {
        "lnm": _parse_yes_no(row.get("lnm", ""), "lnm"),
        "rfs_event": _parse_yes_no(row.get("rfs_event", ""), "rfs_event"),
        "rfs_months": parse_value(BY_NAME["rfs_months"], row.get("rfs_months", "")),
    }
    checked = {
        "row": number,
        "patient_id": patient,
        "centre": centre,
        "path": path,
        "box": _parse_box(row.get("box", "")),
    }
    return checked | {"split": _parse_split(row.get("split", "")), "ki67_pct": ki67} | outcomes | values


def _find_image(name: str, folder: Path, *, confined: bool) -> Path:
    """Give the path of an image, also one written on Windows; a name that no file can have is not there."""
    for path in (folder / name, folder / name.replace("\\", "/")):
        if os.path.isfile(path) and (not confined or path.resolve().is_relative_to(folder.resolve())):
            return path
    raise TableError("The image file is not there; paths are relative to the manifest's folder.")


def _parse_yes_no(text: str, name: str) -> float | None:
    value = text.strip().lower().removesuffix(".0")
    if value in {"", "na", "nan"}:
        return None
    if value not in YES_NO:
        raise TableError(f"{name}: '{text[:20]}' is neither 0 nor 1.")
    return YES_NO[value]


def _parse_box(text: str) -> tuple[float, float, float, float] | None:
    if not text.strip():
        return None
    try:
        x0, y0, x1, y1 = (float(part) for part in text.strip("[]() ").replace(";", ",").split(","))
    except ValueError:
        raise TableError(f"box: '{text[:40]}' is not x0,y0,x1,y1 in pixels.") from None
    if not (x0 < x1 and y0 < y1):
        raise TableError(f"box: '{text[:40]}' is empty; give x0,y0,x1,y1 with x0 < x1 and y0 < y1.")
    return (x0, y0, x1, y1)


def _parse_split(text: str) -> str | None:
    name = text.strip().lower()
    name = SPLIT_ALIASES.get(name, name)
    if not name:
        return None
    if name not in SPLITS:
        raise TableError(f"split: '{text[:20]}' is not one of {', '.join(SPLITS)}.")
    return name


def _find_conflicts(rows: pd.DataFrame) -> "pd.Series[bool]":
    """Mark the rows of patients whose rows disagree on the centre or the label."""
    distinct = rows.groupby("patient_id")[["centre", "ki67_pct"]].transform("nunique")
    return (distinct > 1).any(axis=1)


def _collect_patients(rows: pd.DataFrame) -> pd.DataFrame:
    """Give one row a patient: of each column the first value that is known."""
    names = ["centre", *(name for name in (*OUTCOMES, *M2_PREDICTORS) if name in rows.columns)]
    patients = rows.groupby("patient_id", sort=True)[names].first()
    return patients.astype(object).where(patients.notna(), None)


def _assign_splits(rows: pd.DataFrame, patients: pd.DataFrame, rule: SplitRule) -> "pd.Series[str]":
    given = rows.groupby("patient_id")["split"]
    sides = given.nunique(dropna=True)
    if (sides > 1).any():
        bad = rows.loc[rows["patient_id"].isin(sides.index[sides > 1]), "row"]
        raise TableError(
            f"{int((sides > 1).sum())} patient(s) stand on two sides of the split; give a patient's rows one split.",
            tuple((int(n), "patient on two sides of the split") for n in bad),
        )
    split = given.first().reindex(patients.index)
    if split.notna().any() and split.isna().any():
        raise TableError(
            "Some patients have a split and some have none; fill the column for all of them or leave it out."
        )
    if split.notna().all():
        return split
    return _draw_splits(patients, rule)


def _draw_splits(patients: pd.DataFrame, rule: SplitRule) -> "pd.Series[str]":
    unknown = sorted(set(rule.external) - set(patients["centre"]))
    if unknown:
        raise TableError(
            f"No patient comes from external centre {', '.join(unknown)}; the centres are {_list(patients['centre'])}."
        )
    split = pd.Series("external", index=patients.index)
    internal = patients[~patients["centre"].isin(rule.external)]
    rng = np.random.default_rng(rule.seed)
    high = rule.cutoff.is_high(internal["ki67_pct"].astype(float))
    strata = internal["centre"] + high.map({True: "+", False: "-"})
    position = pd.Series(0.0, index=internal.index)
    for _, members in strata.groupby(strata):
        position[members.index] = (rng.permutation(len(members)) + rng.random(len(members))) / len(members)
    order = position.sort_values().index
    ends = np.round(np.cumsum(SPLIT_SHARES) * len(order)).astype(int)
    for name, start, end in zip(SPLITS, (0, *ends), ends, strict=False):
        split[order[start:end]] = name
    return split


def _list(values: Iterable[str]) -> str:
    return ", ".join(sorted(set(values)))
