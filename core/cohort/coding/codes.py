"""What all columns of codes and words share: their codes, their values, and when they can't be told."""

import re
from dataclasses import dataclass

import numpy as np

from core.clinical import fold_word
from core.cohort.cells import Cells, Parsed

YES, NO, OTHER_EVENT = 1.0, 0.0, 2.0
STRAY_SHARE, UNFIT_SHARE = 0.02, 0.1
SETTLE = "Say what they mean: --code {name}={codes}"
CODE = re.compile(r"[+-]?\d+(?:[.,]0+)?")


@dataclass(frozen=True, eq=False)
class Coded:
    """A column of yes and no, or of levels."""

    parsed: Parsed  # values: 1, 0, and 2 for a competing event; or levels
    coding: str = ""  # codes and their meaning, in words
    problem: str = ""  # why the column can't be understood as a whole; "" if it can


def fold_code(text: str) -> str:
    """Write a cell's code as 1 for 1.0 and 1,00; a word in small letters."""
    word = fold_word(text)
    return re.sub(r"[.,]0+$", "", word) if CODE.fullmatch(word) else word


def count_codes(cells: Cells, parsed: Parsed, rows: np.ndarray | None = None) -> dict[str, int]:
    """Count the rows of each number among the cells."""
    counts = cells.counts if rows is None else np.bincount(cells.codes[rows], minlength=len(cells.texts))
    found: dict[str, int] = {}
    for position, text in enumerate(cells.different):
        code = fold_code(text)
        if CODE.fullmatch(code) and not parsed.missing[position] and counts[position]:
            found[code] = found.get(code, 0) + int(counts[position])
    return found
