"""How the clinical fields of the data dictionary become the terms of the fusion."""

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from models.fusion import Scale, Term

LEVELS: Mapping[str, Mapping[str, float]] = {
    "menopausal": {"pre": 0, "peri": 0.5, "post": 1},
    "palpable": {"no": 0, "yes": 1},
    "adler": {"0": 0, "1": 1, "2": 2, "3": 3},
    "birads": {"3": 0, "4A": 1, "4B": 2, "4C": 3, "5": 4},
    "aln_suspicious": {"negative": 0, "suspicious": 1},
    "grade_cnb": {"1": 0, "2": 1, "3": 2},
    "her2": {"0": 0, "1+": 0, "2+/ISH-": 0, "2+/ISH+": 1, "3+": 1},
}
NUMBERS: Mapping[str, tuple[Scale, float]] = {
    "age": ("linear", 10.0),
    "size_mm": ("log", math.log(2)),
    "er_pct": ("linear", 10.0),
    "pr_pct": ("linear", 10.0),
}
MAX_MISSING = 0.5


def make_terms(patients: pd.DataFrame, fields: Sequence[str]) -> tuple[tuple[Term, ...], tuple[str, ...]]:
    """Code the fields that the training patients allow."""
    terms, notes = [], []
    for field in fields:
        values = patients[field].dropna() if field in patients else pd.Series(dtype=object)
        if len(values) < (1 - MAX_MISSING) * len(patients) or values.nunique() < 2:
            notes.append(
                f"{field} is left out: known in {len(values)} of {len(patients)} training patients, "
                f"{values.nunique()} different values."
            )
            continue
        terms.append(_make_term(field, values))
    return tuple(terms), tuple(notes)


def _make_term(field: str, values: "pd.Series") -> Term:
    if field in LEVELS:
        coded = values.astype(str).map(dict(LEVELS[field]))
        return Term(field, "levels", float(coded.mean()), 1.0, LEVELS[field], float(coded.min()), float(coded.max()))
    scale, unit = NUMBERS[field]
    numbers = values.astype(float)
    centre = numbers.map(math.log).mean() if scale == "log" else numbers.mean()
    return Term(field, scale, float(centre), unit, {}, float(numbers.min()), float(numbers.max()))
