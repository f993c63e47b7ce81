"""A prediction table: one row a patient, read and checked row by row."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.clinical import BY_NAME, is_missing, parse_value
from core.cohort.columns import ALIASES, find_column, simplify_name
from core.cohort.tabular import TextTable, read_text_table
from core.errors import ClinicalError, TableError
from models.cutoff import DEFAULT_CUTOFF, Cutoff

SPLITS = {
    "train": ("train", "training", "development"),
    "validation": ("validation", "valid", "val", "tuning"),
    "test": ("test", "internal", "internal_test", "testing"),
    "external": ("external", "external_test", "ext"),
}
TRUE_WORDS = frozenset({"1", "1.0", "yes", "y", "true", "high", "positive", "suspicious"})
FALSE_WORDS = frozenset({"0", "0.0", "no", "n", "false", "low", "negative"})
BINARY = {"y": "y", "lnm": "node metastasis", "aln_us": "axillary ultrasound", "rfs_event": "recurrence"}
KNOWN = tuple(name for name in ALIASES if name not in {"image", "box"})
TEXTS = ("centre", "image_device")
NEVER_READ = frozenset({"patient_id", "centre", "image_device", "ki67_pct", "rfs_months", "rfs_event"})
DESCRIPTIVE = tuple(n for n, f in BY_NAME.items() if f.kind not in {"text", "date"} and n not in NEVER_READ)
MAX_TEXT = 40


@dataclass(frozen=True, eq=False)
class PredictionTable:
    """Checked predictions.

    Attributes
    ----------
    table : DataFrame
        One row a patient: ``patient_id, split, y, prob`` and where given ``centre, ki67_pct, prob_<model>, lnm,
        prob_lnm, aln_us, rfs_months, rfs_event`` and fields of the data dictionary. NaN or None where not known.
    refused : tuple of (int, str)
        Row number in the file (the header is row 1) and reason.
    notes : tuple of str
        What the file lacks and what was done about it.
    columns : dict of str to str
        Name here to name in the file.
    """

    table: pd.DataFrame
    refused: tuple[tuple[int, str], ...]
    notes: tuple[str, ...]
    columns: dict[str, str]


def read_predictions(
    source: bytes | Path, *, mapping: Mapping[str, str] | None = None, cutoff: Cutoff = DEFAULT_CUTOFF
) -> PredictionTable:
    """Read and check a prediction table.

    Parameters
    ----------
    source : bytes or Path
        CSV or XLSX, one row a patient.
    mapping : mapping of str to str, optional
        Name here to name in the file, where they differ.
    cutoff : Cutoff
        Ki-67 that counts as high, where the file has no ``y``.

    Returns
    -------
    PredictionTable
        The rows that can be used, and the others with their reasons. Columns that are not known are not read.

    Raises
    ------
    TableError
        If the file is no table, lacks a column, or no row can be used.
    """
    chosen: dict[str, str] = {}

    def choose(header: list[str]) -> dict[str, int]:
        positions = match_columns(header, mapping or {})
        chosen.update({name: header[position].strip() for name, position in positions.items()})
        return positions

    text = read_text_table(source, choose)
    problems: dict[int, str] = dict(text.refused)
    table = _parse_columns(text, problems)
    notes = [*text.notes, *_complete(table, text, cutoff)]
    _find_repeats(table, text.rows, problems)
    good = [row not in problems for row in text.rows]
    table = table[good].reset_index(drop=True)
    refused = tuple(sorted(problems.items()))
    if table.empty:
        first = f"; row {refused[0][0]}: {refused[0][1].rstrip('.')}" if refused else ""
        raise TableError(f"No row of the table can be used{first}. Correct the file and read it again.", refused)
    return PredictionTable(table, refused, tuple(notes), chosen)


def match_columns(header: list[str], mapping: Mapping[str, str]) -> dict[str, int]:
    """Match the names of a file with the names that are known.

    Parameters
    ----------
    header : list of str
        Column names of the file.
    mapping : mapping of str to str
        Name here to name in the file; it goes before any likeness.

    Returns
    -------
    dict of str to int
        Name here to position in the file.

    Raises
    ------
    TableError
        If a name of the mapping is not in the file, two columns fit one name, or a needed column is lacking.
    """
    names = [simplify_name(name) for name in header]
    positions: dict[str, int] = {}
    for name, column in mapping.items():
        if column not in header:
            raise TableError(f"The column that stands for '{name}' in the mapping is not in the file; choose another.")
        positions[name] = header.index(column)
    for known in (*KNOWN, *TEXTS, *DESCRIPTIVE, *(n for n in names if n.startswith("prob_"))):
        if known in positions:
            continue
        position = find_column(names, known, positions.values())
        if position is not None:
            positions[known] = position
    lacking = [] if "prob" in positions else ["'prob' (probability of high Ki-67)"]
    if not {"y", "ki67_pct"} & set(positions):
        lacking.append("'y' (1 if Ki-67 is high) or 'ki67_pct'")
    if lacking:
        raise TableError(f"The table has no column {' and no column '.join(lacking)}; rename one, or map it.")
    return positions


def _parse_columns(text: TextTable, problems: dict[int, str]) -> pd.DataFrame:
    columns = {name: _parse_column(name, values, text.rows, problems) for name, values in text.columns.items()}
    return pd.DataFrame(columns, index=range(len(text.rows)))


def _parse_column(name: str, values: list[str], rows: list[int], problems: dict[int, str]) -> pd.Series:
    """Parse each different value once and give every row its own, or its reason."""
    parse, dtype = _choose_parser(name)
    codes, different = pd.factorize(np.asarray(values, dtype=object))
    parsed, reasons = [], {}
    for index, value in enumerate(different):
        try:
            parsed.append(parse(value))
        except (ValueError, ClinicalError) as error:
            parsed.append(None)
            reasons[index] = str(error)
    for position in np.flatnonzero(np.isin(codes, list(reasons))):
        problems.setdefault(rows[position], reasons[codes[position]])
    result = pd.Series([parsed[code] for code in codes], dtype=object)
    return result.astype(dtype) if dtype is float else result


def _choose_parser(name: str) -> tuple[Callable[[str], object], type]:
    if name == "prob" or name.startswith("prob_"):
        return (lambda text: _parse_probability(name, text)), float
    if name in BINARY:
        return (lambda text: _parse_binary(BINARY[name], text)), float
    if name == "split":
        return _parse_split, object
    if name in {"patient_id", *TEXTS}:
        return _parse_text, object
    field = BY_NAME[name]
    return (lambda text: parse_value(field, text)), (object if field.kind == "choice" else float)


def _parse_text(text: str) -> str | None:
    return None if is_missing(text) else text[:MAX_TEXT]


def _parse_split(text: str) -> str | None:
    if is_missing(text):
        return None
    for split, words in SPLITS.items():
        if simplify_name(text) in words:
            return split
    raise ValueError(f"split is none of {', '.join(SPLITS)}")


def _parse_binary(label: str, text: str) -> float | None:
    if is_missing(text):
        return None
    word = text.lower()
    if word in TRUE_WORDS or word in FALSE_WORDS:
        return float(word in TRUE_WORDS)
    raise ValueError(f"{label} is neither 0 nor 1")


def _parse_probability(name: str, text: str) -> float | None:
    if is_missing(text):
        return None
    try:
        value = float(text.removesuffix("%").replace(",", "."))
    except ValueError:
        raise ValueError(f"{name} is not a number") from None
    if text.endswith("%"):
        value /= 100
    if not 0 <= value <= 1:
        raise ValueError(f"{name} is {value:g}, outside 0 to 1")
    return value


def _complete(table: pd.DataFrame, text: TextTable, cutoff: Cutoff) -> list[str]:
    """Fill the columns that every table has, and say how."""
    notes = []
    if "patient_id" not in table:
        table.insert(0, "patient_id", [f"row {row}" for row in text.rows])
        notes.append("The file has no patient_id: every row counts as a patient of its own.")
    if "split" not in table:
        table.insert(1, "split", "external")
        notes.append("The file has no split: all patients count as an external test.")
    if "y" not in table:
        known = table["ki67_pct"].notna()
        table["y"] = cutoff.is_high(table["ki67_pct"]).astype(float).where(known)
        notes.append(f"High Ki-67 is {cutoff.words} of ki67_pct.")
    elif "ki67_pct" in table:
        known = table["ki67_pct"].notna() & table["y"].notna()
        differ = int((cutoff.is_high(table["ki67_pct"]) != (table["y"] == 1))[known].sum())
        if differ:
            notes.append(f"y differs from ki67_pct ({cutoff.words}) in {differ} rows; y was used.")
    return notes


def _find_repeats(table: pd.DataFrame, rows: list[int], problems: dict[int, str]) -> None:
    first: dict[str, int] = {}
    columns = zip(rows, table["patient_id"], table["split"], table["prob"].isna(), strict=True)
    for row, patient, split, no_prob in columns:
        if row in problems:
            continue
        if patient is None or split is None:
            problems[row] = "no patient_id" if patient is None else "no split"
        elif no_prob:
            problems[row] = "no probability"
        elif patient in first:
            problems[row] = f"the patient of row {first[patient]} again; give one row a patient"
        else:
            first[patient] = row
