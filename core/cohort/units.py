"""The unit of a column, judged for the column and for each centre: by a person's word, the head, and the values."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.clinical import FACTORS, UNITS, Column
from core.cohort.cells import Centres

FEW = 5
MANY, STRAY = 0.2, 0.02
LONGEST_MONTHS = 600
PLAIN_MONTHS = (30, 240)
NOT_KNOWN = (-999, -99, -9, 888, 999, 8888, 9999, 88888, 99999)
LONE_CODES = (-88, -77, -8, -7, -2, -1, 8, 9, 77, 88, 99)  # not known, where no other value lies outside
BEYOND_SHARE = 0.1
LOW_END = 5
HIGHEST_SCORE, HIGHEST_IRS, SCORED = 8, 12, 10
RECEPTORS = ("er_pct", "pr_pct")
SHORT_MONTHS = 12
LARGEST_CM, SMALLEST_MM = 6, 10
LESIONS = ("size_mm", "size_ap_mm")
KI67 = ("ki67_pct", "ki67_cnb_pct")
NO_UNIT = "Its head says {stated}, but it is read in {unit}: convert it, or correct its head."
STATED = "Its head says {stated}, but {what}"
FIT = "{count} of {total} values fit {other}, not {unit}"
SETTLE = "Say which: --unit {name}={first} or {name}={second}"
BEYOND = "{count} of {total} values lie outside 0 to {high}: it holds something else. Map the right column."
SCORES = (
    "Its values are whole numbers up to {high:g}, which may be a score. "
    "Say so if they are per cent: --unit {name}=percent."
)
CALLS = "it holds only 0 and 1, which are calls and no probabilities"
MIXED = "Of its values {low} lie between 0 and 1 and {high} above: per cent and fraction can't be told apart"


@dataclass(frozen=True, eq=False)
class Unit:
    """Unit of a column."""

    factors: np.ndarray  # what each row's value is multiplied by
    words: str = ""  # the unit, by centre where centres differ
    note: str = ""  # what was concluded from the values; "" if the file says it
    problem: str = ""  # why it can't be told; "" if it can
    caution: str = ""  # what is unlikely about the values in this unit; "" if nothing is


def find_unit(column: Column, values: np.ndarray, centres: Centres, stated: str, chosen: Mapping[str, str]) -> Unit:
    """Find the unit of a column: as a person gave it (by field or field@centre), as its head states, or by its values.

    `values` are as written, NaN where there is none or the cell has its own unit. A centre of fewer than five values
    follows the others, as long as its values leave no doubt.
    """
    factors = np.ones(len(values))
    if column.unit not in FACTORS:
        own = column.field.unit if column.field is not None else ""
        is_other = bool(stated and own) and stated not in own and UNITS.get(own) != stated
        return Unit(factors, stated, problem=NO_UNIT.format(stated=stated, unit=own) if is_other else "")
    units, problems, guessed = {}, {}, {}
    names, finite = centres.names, np.isfinite(values)
    whole = _judge(column, values, stated, chosen.get(column.name, ""))
    for centre in names:
        own = values[centres.select(centre) & finite]
        by_hand = chosen.get(f"{column.name}@{centre}", chosen.get(column.name, ""))
        follows = len(own) < FEW and len(names) > 1 and not by_hand
        judged = whole if follows else _judge(column, own, stated, by_hand)
        if follows and not judged[1] and _contradicts(own, judged[0]):
            judged = judged[0], _ask(column, "Its few values fit no unit beyond doubt"), False
        units[centre], problems[centre], guessed[centre] = judged
    problem = next((_place(text, c, column.name, problems) for c, text in problems.items() if text), "")
    if problem:
        return Unit(factors, problem=problem)
    for centre, unit in units.items():
        factors[centres.select(centre)] = FACTORS[column.unit][unit]
    words = _describe(units, values, centres)
    same = set(units.values()) == {column.unit} and not any(key.startswith(column.name) for key in chosen)
    return Unit(factors, words, words if any(guessed.values()) else "", caution=_warn(column, values) if same else "")


def _warn(column: Column, values: np.ndarray) -> str:
    """Say what is unlikely about values that are read in the unit that is kept."""
    known = values[np.isfinite(values)]
    small = int(((known > 0) & (known < 1)).sum())
    if column.unit == "percent" and small and (known > 1).any():
        return f"{small} values between 0 and 1 were read as per cent, like the others"
    return CALLS if column.unit == "fraction" and len(known) >= FEW and np.isin(known, (0, 1)).all() else ""


def _place(text: str, centre: str, name: str, problems: Mapping[str, str]) -> str:
    """Say at which centre a question arises, where it does not at all of them; an answer may then be for it alone."""
    if all(problems.values()):
        return text if len(problems) == 1 or len(set(problems.values())) == 1 else f"Centre {centre[:20]}: {text}"
    if not centre:
        return f"Rows without a centre: {text}"
    own = text.replace(f"--unit {name}=", f"--unit {name}@{centre[:20]}=").replace(
        f"or {name}=", f"or {name}@{centre[:20]}="
    )
    return f"Centre {centre[:20]}: {own}"


def _describe(units: Mapping[str, str], values: np.ndarray, centres: Centres) -> str:
    known = {c: u for c, u in units.items() if np.isfinite(values[centres.select(c)]).any()} or dict(units)
    different = list(dict.fromkeys(known.values()))
    if len(different) < 2:
        return "".join(different)
    groups = [f"{unit} in {', '.join(str(c)[:20] for c, u in known.items() if u == unit)}" for unit in different]
    return "; ".join(groups)


def _ask(column: Column, sentence: str, *units: str) -> str:
    first, second = units or column.units[:2]
    return f"{sentence}. {SETTLE.format(name=column.name, first=first, second=second)}."


def _judge(column: Column, values: np.ndarray, stated: str, chosen: str) -> tuple[str, str, bool]:
    """Give unit, problem, and whether the values alone said so."""
    known = values[np.isfinite(values)]
    if chosen:
        return chosen, "", False
    stated = stated if stated in column.units else ""
    if not len(known):
        return stated or column.unit, "", False
    judge = {"percent": _judge_percent, "fraction": _judge_probability, "months": _judge_time, "mm": _judge_length}
    judged = judge[column.unit](column, known, stated) if column.unit in judge else (stated or column.unit, "", False)
    return judged if judged[1] else (judged[0], _find_others(column, known, judged[0]), judged[2])


def _judge_percent(column: Column, values: np.ndarray, stated: str) -> tuple[str, str, bool]:
    inside = int(((values > 0) & (values < 1)).sum())
    above = int((values > 1).sum())
    doubt = _find_beyond(values, 100) or (_suspect_score(column, values) if above else "")
    if doubt:
        return "percent", doubt, False
    if not above and not inside and len(values) >= FEW and (values == 1).any():
        return "percent", _ask(column, "It holds only 0 and 1, which may be no and yes, fractions or per cent"), False
    if not above and inside:
        if stated == "fraction" or (
            len(values) >= FEW and (column.name in KI67 or (not stated and values.max() > 0.5))
        ):
            return "fraction", "", stated != "fraction"
        return "percent", _ask(column, "No value is above 1, so that fractions and per cent can't be told apart"), False
    return "percent", _find_mixture(column, values, is_sure=stated == "fraction"), False


def _find_mixture(column: Column, values: np.ndarray, *, is_sure: bool = False) -> str:
    """Ask where too many of values in per cent lie between 0 and 1, or several that stand apart."""
    inside, above = int(((values > 0) & (values < 1)).sum()), int((values > 1).sum())
    many, several = inside > MANY / 2 * len(values), inside >= FEW and inside > STRAY * len(values)
    if is_sure or (many and several) or ((many or several) and _stand_apart(values)):
        return _ask(column, MIXED.format(low=inside, high=above))
    return ""


def _stand_apart(values: np.ndarray) -> bool:
    """Tell whether several values between 0 and 1 are no low end of the others: written finer, or beyond a gap."""
    inside, above = values[(values > 0) & (values < 1)], values[values > 1]
    digits = float(np.median(_count_decimals(inside)))
    finer = digits > 1 and digits > np.quantile(_count_decimals(above), 0.9)
    gap = len(np.unique(inside)) > 2 and len(inside) > ((values >= 1) & (values < LOW_END)).sum()
    return len(inside) > 1 and bool(finer or gap)


def _count_decimals(values: np.ndarray) -> np.ndarray:
    different, position = np.unique(values, return_inverse=True)
    return np.array([len(f"{value:.6f}".rstrip("0").partition(".")[2]) for value in different])[position]


def _find_beyond(values: np.ndarray, high: int) -> str:
    """Say that too many values are beyond what a percentage or a probability can be."""
    outside = ((values < 0) | (values > high)) & ~np.isin(values, NOT_KNOWN)
    if _is_lone_code(values[outside]):
        return ""  # each row is refused by name
    count, total = int(outside.sum()), len(values)
    return BEYOND.format(count=count, total=total, high=high) if count > max(1, BEYOND_SHARE * total) else ""


def _is_lone_code(values: np.ndarray) -> bool:
    """Tell whether all values are one code for not known."""
    codes = np.unique(values)
    return len(codes) == 1 and codes[0] in LONE_CODES


def _suspect_score(column: Column, values: np.ndarray) -> str:
    """Ask whether small whole numbers are per cent, for they may be groups or a score such as Allred's."""
    highest = HIGHEST_IRS if column.name in RECEPTORS else HIGHEST_SCORE
    if len(values) < SCORED or values.max() > highest or (values != values.round()).any():
        return ""
    return SCORES.format(high=values.max(), name=column.name)


def _judge_probability(column: Column, values: np.ndarray, stated: str) -> tuple[str, str, bool]:
    above = int((values > 1).sum())
    beyond = _find_beyond(values, 100)
    if beyond:
        return "fraction", beyond, False
    if stated == "percent":
        if not above and len(values) >= FEW and (values < 1).mean() > 1 - MANY:
            return stated, _ask(column, "Its head says per cent, but no value is above 1"), False
        return stated, _find_mixture(column, values) if above else "", False
    is_code = _is_lone_code(values[values > 1])
    if not is_code and above > max(1, MANY * len(values)) and (values <= 100).mean() > 1 - STRAY:
        return "fraction", _ask(column, f"{above} of {len(values)} values are above 1", "percent", "fraction"), False
    return "fraction", _find_beyond(values, 1), False


def _judge_time(column: Column, values: np.ndarray, stated: str) -> tuple[str, str, bool]:
    values = values[~np.isin(values, NOT_KNOWN)] if not np.isin(values, NOT_KNOWN).all() else values
    high = float(np.quantile(values, 0.9))
    if stated:
        return stated, _question_time(column, values, stated), False
    if high > LONGEST_MONTHS and len(values) >= FEW:
        return "days", "", True
    if PLAIN_MONTHS[0] <= high <= PLAIN_MONTHS[1]:
        return "months", "", True
    text = f"Its unit can't be told (nine of ten values are at most {high:.4g})"
    return "months", _ask(column, text, "months", "days" if high > PLAIN_MONTHS[1] else "years"), False


def _question_time(column: Column, values: np.ndarray, stated: str) -> str:
    """Ask where values in the unit of the head are too long for a follow-up, or so short that they may be another."""
    longest = {unit: float(np.quantile(values, 0.9)) * factor for unit, factor in FACTORS["months"].items()}
    limit, long = (
        LONGEST_MONTHS / FACTORS["months"][stated],
        int((values > LONGEST_MONTHS / FACTORS["months"][stated]).sum()),
    )
    is_long = long > max(1, STRAY * len(values))
    is_short = 0 < longest[stated] <= SHORT_MONTHS and stated != "years"
    is_too_long = stated == "months" and longest[stated] > PLAIN_MONTHS[1]
    if not is_long and not (len(values) >= FEW and (is_short or is_too_long)):
        return ""
    what = f"{long} of {len(values)} values are above {limit:.0f}"
    if not is_long:
        what = f"nine of ten values are at most {np.quantile(values, 0.9):.3g}, which may be another unit"
    fitting = [unit for unit, months in longest.items() if unit != stated and SHORT_MONTHS < months <= LONGEST_MONTHS]
    return _ask(column, STATED.format(stated=stated, what=what), stated, (*fitting, "days", "years")[0])


def _judge_length(column: Column, values: np.ndarray, stated: str) -> tuple[str, str, bool]:
    middle = float(np.median(values))
    text = f"Its middle value is {middle:.4g}, in mm or in cm"
    if stated:
        what = f"its middle value is {middle:.4g}"
        is_apart = column.name in LESIONS and (middle < LARGEST_CM if stated == "mm" else middle > LARGEST_CM)
        return stated, _ask(column, STATED.format(stated=stated, what=what)) if is_apart else "", False
    if middle <= LARGEST_CM:
        return "cm", "" if len(values) >= FEW else _ask(column, text), True
    return "mm", "" if middle >= SMALLEST_MM else _ask(column, text), False


def _find_others(column: Column, values: np.ndarray, unit: str) -> str:
    """Ask where several values lie outside the field's range in one unit, and within it in another."""
    if column.field is None or column.field.low is None or column.field.high is None or column.unit == "percent":
        return ""
    factors, low, high = FACTORS[column.unit], column.field.low, column.field.high
    inside = {name: (values * factor >= low) & (values * factor <= high) for name, factor in factors.items()}
    for other, fits in inside.items():
        count = int((fits & ~inside[unit] & (values > 0) & ~np.isin(values, NOT_KNOWN)).sum())
        if count > max(1, STRAY * len(values)):
            return _ask(column, FIT.format(count=count, total=len(values), other=other, unit=unit), unit, other)
    return ""


def _contradicts(values: np.ndarray, unit: str) -> bool:
    """Tell whether a centre's few values speak against the unit of the others."""
    if not len(values):
        return False
    if unit == "percent":
        return bool(((values > 0) & (values < 1)).any() and (values <= 1).all())
    limits = {"fraction": 1, "months": LONGEST_MONTHS, "years": LONGEST_MONTHS / 12}
    return unit in limits and bool((values > limits[unit]).any())
