"""How the clinical fields of the data dictionary become the terms of the fusion."""

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from core.clinical import BY_NAME, M2_PREDICTORS, Field
from models.fusion import Scale, Term

OWN_LEVELS: Mapping[str, Mapping[str, float]] = {
    "menopausal": {"pre": 0, "peri": 0.5, "post": 1},
    "her2": {"0": 0, "1+": 0, "2+/ISH-": 0, "2+/ISH+": 1, "3+": 1},
}
OWN_SCALES: Mapping[str, tuple[Scale, float]] = {"size_mm": ("log", math.log(2))}
TENS: tuple[Scale, float] = ("linear", 10.0)
MAX_MISSING = 0.5


def _number_levels(field: Field) -> Mapping[str, float]:
    """Give each level its place in the dictionary's order, no before yes."""
    levels = ("no", "yes") if set(field.levels) == {"no", "yes"} else field.levels
    return {level: place for place, level in enumerate(levels)}


_PREDICTORS = tuple(BY_NAME[name] for name in M2_PREDICTORS)
LEVELS = {field.name: OWN_LEVELS.get(field.name, _number_levels(field)) for field in _PREDICTORS if field.levels}
NUMBERS = {field.name: OWN_SCALES.get(field.name, TENS) for field in _PREDICTORS if not field.levels}


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
