"""Numbers as clinics write them: decimal commas, thousands, "<1", "20-30", "~15", "24 mm"."""

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.clinical import UNITS, is_missing, simplify_name
from core.cohort.cells import NO_VALUE, Cells, quote
from core.tabular import FORMULA

PLAIN = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"
PLAIN_POINT = r"^[+-]?(0?\.\d+|\d{4,}\.\d+|\d+\.(\d{1,2}|\d{4,}))$"
NUMBER = r"[+-]?(?:\d[\d.,' ]*\d|\d|[.,]\d+)(?:[eE][+-]?\d{1,3})?"
SINGLE = re.compile(rf"(?P<sign><=|>=|[<>~≈])?\s*(?P<number>{NUMBER})\s*(?P<unit>[^\d\s.,<>~+-].*)?")
RANGE = re.compile(rf"(?P<low>{NUMBER})\s*%?\s*(?:-|to|bis|a|à|至)\s*(?P<high>{NUMBER})\s*(?P<unit>[^\d\s.,<>~+-].*)?")
ABOUT = re.compile(
    r"^(?:ca\.?|circa|about|approx\.?|approximately|etwa|ungefähr|environ|env\.?|unos|aprox\.?|约|大约)\s*"
)
SIGNS = {"less than": "<", "unter": "<", "inférieur à": "<", "menos de": "<", "more than": ">", "über": ">"}
SIGNS |= {"supérieur à": ">", "más de": ">", "=<": "<=", "=>": ">=", "≤": "<=", "≥": ">="}
EITHER = "j"
LIMIT, LIMIT_SHARE = re.compile(r"(?:[>≥]=?|über|over|more than)\s*\d.*|\d[\d.,]*\s*\+"), 0.02
RAISED = re.compile(r"[¹²³⁰⁴-⁹₀-₉①-⑳⑴-⒛]")  # folded, 16¹ would be 161
FEW_DIGITS, MOST_DIGITS = 5, 4
AMBIGUOUS = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
AMBIGUOUS_PLAIN = r"^[+-]?[1-9]\d{0,2}\.\d{3}$"


@dataclass(frozen=True)
class Decimals:
    """Which marks stand before decimals, by the cells that leave no doubt."""

    comma: bool = False
    point: bool = False

    def __or__(self, other: "Decimals") -> "Decimals":
        return Decimals(self.comma or other.comma, self.point or other.point)

    def __bool__(self) -> bool:
        return self.comma or self.point


@dataclass(eq=False)
class Quantities:
    """Numbers of the different texts of a column, each an interval; exact ones have low = high."""

    # low, high: limits as written, NaN where there is no number
    low: np.ndarray
    high: np.ndarray
    # below, above: cells that name no lower or no upper limit, as "<1" and ">90"
    below: np.ndarray
    above: np.ndarray
    # open_low, open_high: whether the limit itself is left out, as that of "<1"
    open_low: np.ndarray
    open_high: np.ndarray
    units: dict[int, str]  # unit that the cell itself states, where one does
    missing: np.ndarray  # bool, texts that say that the value isn't known
    reasons: dict[int, str]  # position of a text that was not understood, and why

    @property
    def values(self) -> np.ndarray:
        """Middle of each interval."""
        return (self.low + self.high) / 2


def find_decimals(texts: pa.Array) -> Decimals:
    """Find the decimal marks that cells use beyond doubt: 21,5 and 1.234,5 have a comma, 0.574 and 1,234.5 a point."""
    found = Decimals(point=bool(pc.any(pc.match_substring_regex(texts, PLAIN_POINT)).as_py()))
    for text in texts.filter(pc.match_substring(texts, ",")).to_pylist():
        for number in re.findall(r"\d[\d.,]*\d|[.,]\d+", text):
            mark = _find_mark(number)
            found = found | Decimals(mark == ",", mark == ".")
    return found


def find_lower_limits(cells: Cells) -> str:
    """Say that several times are written as ">60" or "60+": without them only the short ones would be left."""
    limits = [i for i, text in enumerate(cells.different) if LIMIT.fullmatch(text)]
    count, total = int(cells.counts[limits].sum()), len(cells.codes)
    if count <= max(1, LIMIT_SHARE * total):
        return ""
    example = quote(cells.different[limits[0]])
    return f"{count} of {total} values are only a lower limit, as {example}: write how long each patient was followed."


def are_cut_decimals(whole: Cells, rest: Cells) -> bool:
    """Tell whether numbers such as 0,574 may have been parted at their comma into two columns.

    The first then holds only 0 and 1, or whole numbers, and the second only digits that no count or code has.
    """
    first, second = ([text for text in cells.different if text] for cells in (whole, rest))
    if len(second) < FEW_DIGITS or not all(map(str.isdecimal, (*first, *second))):
        return False
    starts_with_zero = any(len(text) > 1 and text.startswith("0") for text in second)
    return {*first} <= {"0", "1"} or (starts_with_zero and max(map(len, second)) <= MOST_DIGITS)


def _find_mark(number: str) -> str:
    """Give the decimal mark of one number; "" where there is none, or where 1.234 may be either."""
    points, commas = number.count("."), number.count(",")
    if points and commas:
        last = "." if number.rfind(".") > number.rfind(",") else ","
        return last if number.count(last) == 1 else ""
    mark = "." if points else ","
    if points + commas != 1 or AMBIGUOUS.fullmatch(number):
        return ""
    return mark


def parse_numbers(cells: Cells, shared: Decimals, own_units: Iterable[str]) -> Quantities:
    """Parse the numbers of a column: plain ones at once, the others one by one.

    Parameters
    ----------
    cells : Cells
        Column.
    shared : Decimals
        Marks that the file's other columns use, for a column that shows none itself.
    own_units : iterable of str
        What may stand behind a number besides the known units, as "U/mL".

    Returns
    -------
    Quantities
        As written; units are not converted.
    """
    plain = _match(cells.texts, PLAIN)
    decimals = find_decimals(cells.texts) or shared
    if decimals.comma:
        plain &= ~_match(cells.texts, AMBIGUOUS_PLAIN)
    n = len(plain)
    texts = pc.if_else(pa.array(plain), cells.texts, pa.scalar(None, pa.string()))
    numbers = texts.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(float)
    below, above, open_low, open_high, missing = (np.zeros(n, dtype=bool) for _ in range(5))
    result = Quantities(numbers, numbers.copy(), below, above, open_low, open_high, {}, missing, {})
    known = frozenset(simplify_name(unit) for unit in own_units) - {""}
    for i in map(int, np.flatnonzero(~plain)):
        text = cells.different[i]
        if text == FORMULA:
            result.reasons[i] = NO_VALUE
        elif is_missing(text):
            result.missing[i] = True
        else:
            _parse_one(text, i, result, decimals, known)
    for i in map(int, np.flatnonzero(np.isinf(numbers))):
        result.reasons[i] = f"{quote(cells.different[i])} is not a number"
        result.low[i] = result.high[i] = np.nan
    return result


def _match(texts: pa.Array, pattern: str) -> np.ndarray:
    return np.array(pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False), dtype=bool)


def _parse_one(text: str, i: int, result: Quantities, decimals: Decimals, known: frozenset[str]) -> None:
    try:
        low, high, sign, unit = _read_quantity(text, decimals)
    except ValueError as error:
        result.reasons[i] = str(error)
        return
    if simplify_name(unit) == EITHER and "years" not in known:
        result.reasons[i] = f"{quote(text)} may be in days (jours) or in years (Jahre)"
        return
    if unit and simplify_name(unit) not in known and not _find_unit(unit):
        result.reasons[i] = f"{quote(text)} is not a number"
        return
    result.low[i], result.high[i] = low, high
    if _find_unit(unit):
        result.units[i] = "years" if simplify_name(unit) == EITHER else _find_unit(unit)
    result.below[i], result.above[i] = sign[:1] == "<", sign[:1] == ">"
    result.open_high[i], result.open_low[i] = sign == "<", sign == ">"


def _find_unit(text: str) -> str:
    return UNITS.get(text.strip(), "") or UNITS.get(simplify_name(text), "")


def _read_quantity(text: str, decimals: Decimals) -> tuple[float, float, str, str]:
    """Give least and greatest number, sign (< <= > >=) and unit of a cell."""
    if RAISED.search(text):
        raise ValueError(f"{quote(text)} holds a raised or other sign that may be a footnote's")
    plain = unicodedata.normalize("NFKC", text).casefold().strip()
    plain = re.sub(r"[\u2010-\u2015\u2212]", "-", plain)
    plain = ABOUT.sub("", plain)
    for word, sign in SIGNS.items():
        plain = plain.replace(word, sign)
    match = RANGE.fullmatch(plain)
    if match is None:
        match = SINGLE.fullmatch(plain)
        if match is None:
            raise ValueError(f"{quote(text)} is not a number")
        value = _read_number(match["number"], decimals, text)
        return value, value, match["sign"] or "", match["unit"] or ""
    low, high = (_read_number(match[name], decimals, text) for name in ("low", "high"))
    if not 0 <= low <= high:
        raise ValueError(f"{quote(text)} is not a number")
    return low, high, "", match["unit"] or ""


def _read_number(number: str, decimals: Decimals, text: str) -> float:
    number = re.sub(r"(?<=\d)[' ](?=\d{3}(?!\d))", "", number.strip())
    if AMBIGUOUS.fullmatch(number):
        mark = "," if decimals.comma else "."
        if (decimals.comma and decimals.point) or (not decimals and "," in number):
            raise ValueError(f"{quote(text)} may be a thousand or a decimal")
    else:
        mark = _find_mark(number.lstrip("+-")) or ("" if re.search(r"[.,]", number) else ".")
    other = {",": ".", ".": ",", "": ".,"}[mark]
    if any(c in number for c in other) and not re.fullmatch(_grouped(other, mark), number):
        raise ValueError(f"{quote(text)} is not a number")
    for c in other:
        number = number.replace(c, "")
    try:
        value = float(number.replace(",", "."))
    except ValueError:
        raise ValueError(f"{quote(text)} is not a number") from None
    if not math.isfinite(value):
        raise ValueError(f"{quote(text)} is not a number")
    return value


def _grouped(group: str, mark: str) -> str:
    """Pattern of a number in groups of three digits."""
    if not mark:
        return r"[+-]?\d{1,3}(?:(?:\.\d{3}){2,}|(?:,\d{3}){2,})"
    return rf"[+-]?\d{{1,3}}(?:{re.escape(group)}\d{{3}})+(?:{re.escape(mark)}\d+)?"
