"""The cells of one column, each different text once."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.clinical import is_missing
from core.tabular import FORMULA

NO_VALUE = "formula without a stored value"
SHOWN = 20
MOST_CENTRES = 500  # the rows are gone through for each


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells of a column."""

    array: pa.Array  # pyarrow.Array of str, the cells, one a row

    @cached_property
    def _encoded(self) -> pa.DictionaryArray:
        return self.array.dictionary_encode()

    @cached_property
    def codes(self) -> np.ndarray:
        """For each row the position of its text among the different ones; shape (rows,)."""
        return np.asarray(self._encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)

    @cached_property
    def texts(self) -> pa.Array:
        """The different texts."""
        return self._encoded.dictionary

    @cached_property
    def different(self) -> list[str]:
        """The different texts as a list."""
        return list(self.texts.to_pylist())

    @cached_property
    def counts(self) -> np.ndarray:
        """Rows of each different text."""
        return np.bincount(self.codes, minlength=len(self.texts))


@dataclass(frozen=True, eq=False)
class Centres:
    """Centre of each row, "" where it is not known."""

    names: list[str]  # different centres
    codes: np.ndarray  # int, for each row the position of its centre

    @classmethod
    def of(cls, cells: Cells | None, n: int) -> "Centres":
        """Read them; without a column, or with more centres than are looked at one by one, all rows are of one."""
        if cells is None or len(cells.texts) > MOST_CENTRES:
            return cls([""], np.zeros(n, dtype=np.int64))
        return cls(cells.different, cells.codes)

    def select(self, name: str) -> np.ndarray:
        """Give whether each row is of a centre."""
        return np.asarray(self.codes == self.names.index(name), dtype=bool)


@dataclass(eq=False)
class Parsed:
    """What the different texts of a column mean."""

    # value of each different text: float with NaN, or object with None, where it is missing or not understood
    values: np.ndarray
    missing: np.ndarray  # bool, texts that say that the value isn't known
    reasons: dict[int, str] = field(default_factory=dict)  # position of a text that was not understood, and why

    def count_reasons(self, cells: Cells) -> tuple[tuple[str, int], ...]:
        """Count the rows that were not understood by reason, the most frequent first."""
        counts: dict[str, int] = {}
        for position, reason in self.reasons.items():
            counts[reason] = counts.get(reason, 0) + int(cells.counts[position])
        return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def parse_texts(
    cells: Cells,
    parse: Callable[[str], object],
    *,
    is_name: bool = False,
    dtype: type = object,
    plain: np.ndarray | None = None,
) -> Parsed:
    """Parse each different text once."""
    n = len(cells.texts)
    empty = np.nan if dtype is float else None
    parsed = Parsed(np.full(n, empty, dtype=dtype), np.zeros(n, dtype=bool))
    if plain is not None:
        parsed.values[plain] = np.asarray(cells.different, dtype=object)[plain]
    for position in map(int, range(n) if plain is None else np.flatnonzero(~plain)):
        text = cells.different[position]
        if text == FORMULA:
            parsed.reasons[position] = NO_VALUE
        elif is_missing(text, is_name=is_name):
            parsed.missing[position] = True
        else:
            try:
                parsed.values[position] = parse(text)
            except ValueError as error:
                parsed.reasons[position] = str(error)
    return parsed


def find_plain_names(cells: Cells, doubtful: str) -> np.ndarray:
    """Find the texts that are names beyond doubt."""
    has_digit = pc.match_substring_regex(cells.texts, r"^[\x21-\x7e]*[0-9][\x21-\x7e]*$")
    odd = pc.match_substring_regex(cells.texts, rf"^#|{doubtful}" if doubtful else "^#")
    return np.asarray(pc.and_not(has_digit, odd).to_numpy(zero_copy_only=False), dtype=bool)


def quote(text: str) -> str:
    """Quote the start of a cell."""
    return f"'{text[:SHOWN]}…'" if len(text) > SHOWN else f"'{text}'"
