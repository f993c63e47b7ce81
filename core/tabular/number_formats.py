"""Number formats of XLSX, as far as they change what a number says: per cent, leading zeros, units and words."""

import operator
import re
from collections.abc import Callable
from itertools import islice

LONGEST = 255
PIECE = r'"[^"]*"|\\.|[-/ ()]|0'
PADDED = re.compile(rf"(?:{PIECE})+")
LITERAL = re.compile(r'"[^"]*"|\\.')
BRACKETS = re.compile(r"\[[^\]]*\]")
SECTION = re.compile(r'(?:"[^"]*"|\\.|[^;"\\])+|(?<=;)(?=;|$)|^(?=;)')
CONDITION = re.compile(r"\[(<=|>=|<>|=|<|>)\s*(-?\d+(?:\.\d+)?)\]")
UNIT = re.compile(r'(?:General|[#0?.,]+)((?:"[^"]*"|\\.| |_.)+)')
COMPARED: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def changes_reading(code: str) -> bool:
    """Tell whether a format shows something else than its number; one longer than spreadsheets allow is none."""
    return len(code) <= LONGEST and any(_is_telling(BRACKETS.sub("", section)) for section in SECTION.findall(code))


def _is_telling(section: str) -> bool:
    is_padded = section not in {"", "0"} and bool(PADDED.fullmatch(section))
    return "%" in section or is_padded or bool(_find_unit(section))


def format_number(value: float, code: str) -> str:
    """Write a number as its format shows it, but with all its decimals.

    0.35 as 35% in "0%", 7 as 00007 in "00000", 45.46 as "45.46 days" in '0" days"', 1 as yes in '"yes";;"no"'.
    """
    section = _choose_section(value, code)
    if "%" in section:
        is_scaled = "%" in LITERAL.sub("", section)  # a sign in quotes is only written behind the number
        return format_percent(value if is_scaled else value / 100)
    unit = _find_unit(section)
    if unit:
        return f"{value:.15g} {unit}"
    words = _join(section)
    if PADDED.fullmatch(section) and "0" not in LITERAL.sub("", section) and any(map(str.isalpha, words)):
        return words
    return _pad(value, section)


def format_percent(value: float) -> str:
    """Write 0.35 as 35%."""
    return f"{100 * value:.12g}%"


def _choose_section(value: float, code: str) -> str:
    """Give the part of a format that a number is shown in, without what is in brackets."""
    sections = SECTION.findall(code) or [""]
    conditions = [CONDITION.search(section) for section in sections]
    if any(conditions):
        for section, condition in zip(sections, conditions, strict=True):
            if condition is None or COMPARED[condition[1]](value, float(condition[2])):
                return BRACKETS.sub("", section)
        return ""
    position = 1 if value < 0 else 2 if value == 0 else 0
    return BRACKETS.sub("", sections[position if position < len(sections) else 0])


def _find_unit(section: str) -> str:
    """Give the word behind a number, as days in '0.0" days"'; "" where there is none."""
    found = UNIT.fullmatch(section.strip())
    word = _join(re.sub(r"_.", "", found[1])) if found else ""
    return word if any(map(str.isalpha, word)) else ""


def _join(section: str) -> str:
    return "".join(part.strip('"').removeprefix("\\") for part in re.findall(PIECE, section)).strip()


def _pad(value: float, section: str) -> str:
    """Write a whole number with leading zeros and what stands around it."""
    pieces = re.findall(PIECE, section) if PADDED.fullmatch(section) else []
    places = pieces.count("0")
    if not places or value < 0 or not float(value).is_integer():
        return f"{value:.15g}"
    digits = iter(f"{value:.0f}".zfill(places))
    extra = max(0, len(f"{value:.0f}") - places)
    shown = ""
    for piece in pieces:
        if piece == "0":
            shown += "".join(islice(digits, 1 + extra))
            extra = 0
        else:
            shown += piece.strip('"').removeprefix("\\")
    return shown
