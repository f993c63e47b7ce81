"""Levels such as a grade or a stage, judged for the column as a whole."""

from collections.abc import Mapping

from core.clinical import Field, Title, fold_word, parse_value
from core.cohort.cells import Cells, Parsed, parse_texts, quote
from core.cohort.coding.codes import SETTLE, STRAY_SHARE, UNFIT_SHARE, Coded, count_codes, fold_code
from core.errors import ClinicalError
from core.tabular import FORMULA


def read_levels(field: Field, cells: Cells, codes: Mapping[str, str] | None, title: Title) -> Coded:
    """Read a column of levels, None where missing or not understood.

    `codes` are those that a person gave, the title is what the column's head says.
    """
    stated = {fold_code(code): meaning for code, meaning in (codes or title.coding or {}).items()}

    def parse(text: str) -> object:
        meaning = stated.get(fold_code(text), text)
        try:
            return parse_value(field, meaning)
        except ClinicalError as error:
            if "BI-RADS 6" in str(error):
                raise ValueError("BI-RADS 6 encodes the answer") from None
            raise ValueError(f"{quote(text)} is none of {', '.join(field.levels)}") from None

    parsed = parse_texts(cells, parse)
    for position, text in enumerate(cells.different):  # a level may be spelt as a word for missing: "none"
        if parsed.missing[position] and fold_word(text) in map(fold_word, field.levels):
            parsed.values[position], parsed.missing[position] = parse(text), False
    found = count_codes(cells, parsed)
    if (
        field.name == "her2"
        and found
        and not stated
        and set(found) <= {"0", "1"}
        and len(found) == _count_known(parsed)
    ):
        return Coded(
            parsed, problem=f"0 and 1 may be scores or no and yes. {SETTLE.format(name='her2', codes='1:1+')}."
        )
    coding = ", ".join(f"{code} = {meaning}" for code, meaning in stated.items())
    unfit = sorted((i for i in parsed.reasons if cells.different[i] != FORMULA), key=lambda i: -int(cells.counts[i]))
    is_grade = all(level.isdecimal() for level in field.levels)  # a number beyond the others shows another scale
    is_worded = not any(character.isdigit() for level in field.levels for character in level)
    share = STRAY_SHARE if is_grade else UNFIT_SHARE if is_worded else 0.5
    if sum(int(cells.counts[i]) for i in unfit) <= max(1, share * int(cells.counts[~parsed.missing].sum())):
        return Coded(parsed, coding)
    words = [cells.different[i] for i in unfit[:4]]
    example = ",".join(f"{word[:20]}:LEVEL" for word in words[:2])
    problem = f"{', '.join(map(quote, words))}: none of {', '.join(field.levels)}"
    return Coded(parsed, coding, f"{problem}. {SETTLE.format(name=field.name, codes=example)}.")


def _count_known(parsed: Parsed) -> int:
    return int((~parsed.missing).sum()) if len(parsed.missing) else 0
