"""One column's cells to values: names, numbers with their unit, yes and no, levels, splits."""

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from core.clinical import COLUMNS, FACTORS, UNITS, Column, Title, simplify_name
from core.cohort.cells import Cells, Centres, Parsed, find_plain_names, parse_texts, quote
from core.cohort.coding import OTHER_EVENT, STRAY_SHARE, Coded, read_binary, read_levels
from core.cohort.columns import MODEL, label_field
from core.cohort.numbers import Decimals, Quantities, find_lower_limits, parse_numbers
from core.cohort.record import Choices, ColumnReading
from core.cohort.units import find_unit

SPLITS = {
    "train": "train training trainings development dev derivation entwicklung entwicklungs entrenamiento entrainement "
    "训练 训练集",
    "validation": "validation validations valid val tuning validierung validierungs validacion 验证 验证集",
    "test": "test tests internal internal_test testing holdout hold_out interner_test test_interne prueba "
    "prueba_interna 测试 测试集",
    "external": "external external_test ext external_validation extern externe externo externer_test "
    "externe_validierung test_externe validation_externe prueba_externa validacion_externa 外部 外部测试 外部验证",
}
SPLIT_OF = {word: split for split, words in SPLITS.items() for word in words.split()}
SPLIT_ENDS = re.compile(r"_?(set|data_?set|cohort|kohorte|group|gruppe|sample|data|daten|datensatz|menge)$")
NO_SPLIT = f"none of {', '.join(SPLITS)}"
SCIENTIFIC = re.compile(r"\d(?:[.,](\d+))?[eE]\+(\d+)")
COMPETING_NOTE = "{column}: {count} competing events count as censored at their time."
DAY = re.compile(
    r"(?:(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)(?:T[\d:.]+)?|(?P<d2>\d{1,2})\.(?P<m2>\d{1,2})\.(?P<y2>\d{4}))"
)
MANY_PARTS = 20
NOT_ZERO, ZERO_SHARE = {"prob", "ki67_pct", "rfs_months"}, 0.05
MISSING_CODES, MANY_CODES = (88, 99, 888, 999), 3
DATE = re.compile(r"\d{4}-\d\d-\d\d(T[\d:.]+)?")
DOUBTFUL_ID = rf"{SCIENTIFIC.pattern}|{DATE.pattern}"


@dataclass(eq=False)
class Cast:
    """A column as values."""

    values: np.ndarray  # (rows,), float with NaN, or object with None
    reading: ColumnReading  # what became of it
    reasons: dict[int, str] = field(default_factory=dict)  # position of each row whose cell was not understood, and why
    # least and greatest value of each row, where cells such as "<20" and "20-30" leave some room
    limits: tuple[np.ndarray, np.ndarray] | None = None
    note: str = ""  # what was concluded, to be said; or ""
    competing: np.ndarray | None = None  # rows whose follow-up ends with a competing event, where there are any


def describe_field(name: str) -> Column:
    """Give the facts of a field; those of a model's probability are the same for every model."""
    if name.startswith(MODEL):
        return Column(name, label_field(name), "probability", "models", "fraction")
    return COLUMNS.get(name) or Column(name, name, "name", "kept")


def cast_column(
    name: str, column: str, cells: Cells, title: Title, choices: Choices, centres: Centres, shared: Decimals
) -> Cast:
    """Turn a column's cells into values."""
    about = describe_field(name)
    reading = ColumnReading(column, name, about.label)
    codes = choices.codes.get(name)
    if about.meaning in {"number", "probability"}:
        return _cast_numbers(about, cells, title, choices, centres, shared, reading)
    if about.meaning in {"binary", "event"}:
        coded = read_binary(name, cells, title, codes, centres, events=about.meaning == "event")
    elif about.meaning == "choice" and about.field is not None:
        coded = read_levels(about.field, cells, codes, title)
    elif about.meaning == "split":
        coded = _read_splits(cells, codes or title.coding)
    elif about.meaning == "date":
        coded = Coded(parse_texts(cells, _read_day))
    else:
        read, doubtful = (_read_id, DOUBTFUL_ID) if name == "patient_id" else (str, "")
        plain = find_plain_names(cells, doubtful)
        coded = Coded(parse_texts(cells, read, is_name=about.meaning == "name", plain=plain))
    return _spread(coded, cells, reading)


def _read_id(text: str) -> str:
    if DATE.fullmatch(text):
        raise ValueError("a date, which spreadsheet programs make of some ids; format the column as text")
    short = SCIENTIFIC.fullmatch(text)
    if short and len(short[1] or "") < int(short[2]):
        raise ValueError("a number cut to 1.2E+11 or the like by a spreadsheet program; format the column as text")
    return text


def _read_day(text: str) -> str:
    """Read 2026-03-31 or 31.3.2026; with slashes, day and month can't be told apart."""
    found = DAY.fullmatch(text)
    try:
        year, month, day = (int(found[name] or found[f"{name}2"]) for name in "ymd") if found else (0, 0, 0)
        return datetime.date(year, month, day).isoformat()
    except ValueError:
        raise ValueError(f"{quote(text)} is not a date; write it as 2026-03-31 or 31.3.2026") from None


def _read_splits(cells: Cells, codes: Mapping[str, str]) -> Coded:
    """Read train, validation, test and external, in words or in codes that were explained."""
    parsed = parse_texts(cells, lambda text: _read_split(codes.get(text, text)))
    unfit = [cells.different[i] for i in parsed.reasons]
    if sum(int(cells.counts[i]) for i in parsed.reasons) > max(1, STRAY_SHARE * len(cells.codes)):
        example = ",".join(f"{text[:20]}:PART" for text in unfit[:4])
        listed = ", ".join(quote(codes.get(text, text)) for text in unfit[:4])
        return Coded(parsed, problem=f"{listed}: {NO_SPLIT}. Say which: --code split={example}.")
    return Coded(parsed, ", ".join(f"{code} = {split}" for code, split in codes.items()))


def holds_splits(cells: Cells) -> bool:
    """Whether every cell that is known names a part of the data, and not all the same."""
    if len(cells.different) > MANY_PARTS:
        return False
    parsed = parse_texts(cells, _read_split)
    return not parsed.reasons and len({part for part in parsed.values if part is not None}) > 1


def _read_split(text: str) -> str:
    name = simplify_name(text)
    split = SPLIT_OF.get(name) or SPLIT_OF.get(SPLIT_ENDS.sub("", name))
    if split is None:
        raise ValueError(f"{quote(text)} is {NO_SPLIT}")
    return split


def _spread(coded: Coded, cells: Cells, reading: ColumnReading) -> Cast:
    """Give every row the value of its text."""
    parsed, note, competing = coded.parsed, "", None
    if reading.name == "rfs_event" and not coded.problem:
        others = parsed.values == OTHER_EVENT
        if others.any():
            note = COMPETING_NOTE.format(column=reading.column, count=int(cells.counts[others].sum()))
            parsed.values[others] = 0.0
            competing = others[cells.codes]
    field = COLUMNS[reading.name].field if reading.name in COLUMNS else None
    if parsed.values.dtype == float and field is not None and field.levels:
        yes, no = ("yes", "no") if "yes" in field.levels else ("suspicious", "negative")
        parsed.values = np.array([{1.0: yes, 0.0: no}.get(value) for value in parsed.values], dtype=object)
    missing = int(cells.counts[parsed.missing].sum())
    known = len(cells.codes) - missing - sum(int(cells.counts[i]) for i in parsed.reasons)
    reading = replace(
        reading,
        coding="" if coded.problem else coded.coding,
        problem=coded.problem,
        known=known,
        missing=missing,
        left_out=parsed.count_reasons(cells),
    )
    return Cast(parsed.values[cells.codes], reading, _spread_reasons(parsed.reasons, cells), None, note, competing)


def _spread_reasons(reasons: dict[int, str], cells: Cells) -> dict[int, str]:
    if not reasons:
        return {}
    rows = np.flatnonzero(np.isin(cells.codes, list(reasons)))
    return {int(row): reasons[int(cells.codes[row])] for row in rows}


def _cast_numbers(
    about: Column,
    cells: Cells,
    title: Title,
    choices: Choices,
    centres: Centres,
    shared: Decimals,
    reading: ColumnReading,
) -> Cast:
    low, high = (0.0, 1.0) if about.field is None else (about.field.low or 0.0, about.field.high or np.inf)
    numbers = parse_numbers(cells, shared, [about.field.unit] if about.field else [])
    if about.unit != "percent":
        _refuse_intervals(numbers, cells)
    _refuse_other_units(about, numbers, cells)
    by_cell = np.zeros(len(cells.texts), dtype=bool)
    by_cell[[i for i, unit in numbers.units.items() if unit in about.units]] = True
    is_low_end = numbers.below & (numbers.high <= 1) & (about.unit == "percent")  # "<1" is no fraction, and no yes
    written = np.where(by_cell | is_low_end, np.nan, numbers.values)[cells.codes]
    unit = find_unit(about, written, centres, title.unit, choices.units)
    factors = unit.factors
    if by_cell.any():
        table = FACTORS[about.unit]
        own = np.ones(len(by_cell))
        own[list(numbers.units)] = [table.get(stated, 1.0) for stated in numbers.units.values()]
        factors = np.where(by_cell[cells.codes], own[cells.codes], factors)
    lower, upper, values = _scale(numbers, cells, factors, low, high)
    outside = (values < low) | (values > high)
    reasons = _spread_reasons(numbers.reasons, cells)
    words = f"outside {about.field.describe_values() if about.field else '0 to 1'}"
    reasons |= {int(row): f"is {values[row]:g}, {words}" for row in np.flatnonzero(outside)}
    values[outside] = np.nan
    reading = replace(
        reading,
        unit=_name_unit(about, unit.words, numbers, by_cell, written),
        problem=unit.problem or (find_lower_limits(cells) if about.name == "rfs_months" else ""),
        known=int(np.isfinite(values).sum()),
        missing=int(cells.counts[numbers.missing].sum()),
        left_out=_count(numbers, cells, words, int(outside.sum())),
    )
    note = f"{reading.column} was read in {unit.note}, as its values show." if unit.note and not reading.problem else ""
    cautions = "; ".join(filter(None, (unit.caution, _suspect_codes(about.name, values))))
    if cautions and not reading.problem:
        note = f"{note} {reading.column}: {cautions}.".strip()
    return Cast(values, reading, reasons, (lower, upper), note)


def _refuse_other_units(about: Column, numbers: Quantities, cells: Cells) -> None:
    """Leave out cells that state a unit which the field can't have, as an age in months."""
    own = {*about.units, UNITS.get(about.field.unit, "") if about.field else ""}
    for i in [i for i, unit in numbers.units.items() if unit not in own]:
        numbers.reasons[i] = f"{quote(cells.different[i])} is in {numbers.units.pop(i)}"
        numbers.low[i] = numbers.high[i] = np.nan
        numbers.below[i] = numbers.above[i] = False


def _suspect_codes(name: str, values: np.ndarray) -> str:
    """Say that zeros or the highest value may be a code for not known, where it occurs several times."""
    known = values[np.isfinite(values)]
    zeros = int((known == 0).sum())
    if (
        name in NOT_ZERO
        and zeros >= MANY_CODES
        and zeros > ZERO_SHARE * len(known)
        and not np.isin(known, (0, 1)).all()
    ):
        return f"{zeros} values of 0 were read as they stand; empty them if they mean not known"
    count = int((known == known.max()).sum()) if len(known) else 0
    if not count or known.max() not in MISSING_CODES or count < MANY_CODES:
        return ""
    return f"{count} values of {known.max():g}, a common code for not known, were read as they stand; empty them if so"


def _refuse_intervals(numbers: Quantities, cells: Cells) -> None:
    """Leave out "<5" and "50-59" where only a single number says enough."""
    for i in map(int, np.flatnonzero(numbers.below | numbers.above | (numbers.low < numbers.high))):
        numbers.reasons[i] = f"{quote(cells.different[i])} is not a single number"
        numbers.low[i] = numbers.high[i] = np.nan
        numbers.below[i] = numbers.above[i] = False


def _scale(
    numbers: Quantities, cells: Cells, factors: np.ndarray, low: float, high: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Convert to the field's unit; the ends of "<1" and ">90" are those of the field's range."""
    lower, upper = _multiply(numbers.low[cells.codes], factors), _multiply(numbers.high[cells.codes], factors)
    lower = np.where(numbers.below[cells.codes], np.minimum(low, upper), lower)
    upper = np.where(numbers.above[cells.codes], np.maximum(high, lower), upper)
    lower = np.where(numbers.open_low[cells.codes], np.nextafter(lower, np.inf), lower)
    upper = np.where(numbers.open_high[cells.codes], np.nextafter(upper, -np.inf), upper)
    exact = numbers.low[cells.codes] == numbers.high[cells.codes]
    values = np.where(exact & ~numbers.below[cells.codes] & ~numbers.above[cells.codes], lower, (lower + upper) / 2)
    return lower, upper, values


def _multiply(values: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Multiply so that 14 % and 0.14 become the same number: a cut-off tells them apart otherwise."""
    return np.where(
        factors == 1, values, np.where(factors < 1, values / np.round(1 / factors, 9), (values * factors).round(9))
    )


def _count(numbers: Quantities, cells: Cells, words: str, outside: int) -> tuple[tuple[str, int], ...]:
    counts = dict(Parsed(numbers.low, numbers.missing, numbers.reasons).count_reasons(cells))
    if outside:
        counts[words] = outside
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _name_unit(about: Column, words: str, numbers: Quantities, by_cell: np.ndarray, written: np.ndarray) -> str:
    """Name the unit that the file uses; cells that state their own come last."""
    stated = ", ".join(sorted({numbers.units[int(i)] for i in np.flatnonzero(by_cell)}))
    if stated and not np.isfinite(written).any():
        return stated
    words = words or (about.field.unit if about.field is not None else "")
    return f"{words}; {stated} where a cell says so" if stated else words
