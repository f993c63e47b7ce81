"""One clinical value, checked against its field of the data dictionary."""

import datetime
import math
from collections.abc import Iterable, Mapping

from core.clinical.fields import BY_NAME, M1_PREDICTORS, Field, Value
from core.clinical.vocabulary import is_missing, match_level
from core.errors import ClinicalError

REFUSED_INPUTS = {
    "ki67_pct": "Ki-67 of the surgical specimen is what is predicted, so it can't be an input",
    "ki67_cnb_pct": "Ki-67 of the core biopsy is compared with the estimate, never fed into it",
    "ki67": "Ki-67 is what is predicted, so it can't be an input",
    "ki67_high": "Ki-67 is what is predicted, so it can't be an input",
}


def parse_value(field: Field, raw: object) -> Value | None:
    """Check one raw value against its field.

    Parameters
    ----------
    field : Field
        Row of the data dictionary.
    raw : object
        Value as it came from a form, a JSON file or a table.

    Returns
    -------
    str, float, int, datetime.date or None
        The checked value; None when it is not known.

    Raises
    ------
    ClinicalError
        If the value does not fit the field.
    """
    if field.levels and str(raw).strip().lower() in {level.lower() for level in field.levels}:
        return _parse_level(field, raw)
    if is_missing(raw):
        return None
    if field.kind == "choice":
        return _parse_level(field, raw)
    if field.kind in {"number", "integer"}:
        return _parse_number(field, raw)
    if field.kind == "date":
        return _parse_date(field, raw)
    return str(raw).strip()


def parse_inputs(raw: Mapping[str, object], predictors: Iterable[str] = M1_PREDICTORS) -> dict[str, Value]:
    """Check what is known of one patient before the estimate.

    Parameters
    ----------
    raw : mapping of str to object
        Field name to raw value; fields of the dictionary that are no predictors are checked and left out.
    predictors : iterable of str
        Names that the model takes.

    Returns
    -------
    dict of str to value
        The known predictors only.

    Raises
    ------
    ClinicalError
        If a name is not in the dictionary, a value does not fit, or the answer itself is given as an input.
    """
    wanted = set(predictors)
    known: dict[str, Value] = {}
    for name, value in raw.items():
        if name in REFUSED_INPUTS and not is_missing(value):
            raise ClinicalError(f"{name}: {REFUSED_INPUTS[name]}. Leave it out.")
        if name in REFUSED_INPUTS:
            continue
        if name not in BY_NAME:
            raise ClinicalError(
                f"'{name[:40]}' is not a field of the data dictionary; the model takes {', '.join(sorted(wanted))}."
            )
        parsed = parse_value(BY_NAME[name], value)
        if parsed is not None and name in wanted:
            known[name] = parsed
    return known


def _parse_level(field: Field, raw: object) -> str:
    text = str(raw).strip()
    for zero in (".0", ",0"):  # a spreadsheet turns whole numbers with gaps between them into 1.0, 2.0, 3.0
        text = text.removesuffix(zero)
    if isinstance(raw, bool):
        text = "yes" if raw else "no"
    if field.name == "birads":
        text = "".join(text.upper().split()).removeprefix("BI-RADS")
        if text.startswith("6"):
            raise ClinicalError(
                "BI-RADS 6 means that cancer is already proven, which encodes the answer: "
                "enter the category given before the biopsy (3 to 5)."
            )
    level = match_level(field.name, field.levels, text)
    if level is not None:
        return level
    raise ClinicalError(f"{field.label}: '{text[:40]}' is not one of {', '.join(field.levels)}.")


def _parse_number(field: Field, raw: object) -> float | int:
    try:
        value = float(str(raw).strip().removesuffix(field.unit).replace(",", "."))
    except ValueError:
        raise ClinicalError(
            f"{field.label}: '{str(raw)[:40]}' is not a number; give {field.describe_values()}."
        ) from None
    if isinstance(raw, bool) or not math.isfinite(value):
        raise ClinicalError(f"{field.label}: '{str(raw)[:40]}' is not a number; give {field.describe_values()}.")
    if field.low is not None and field.high is not None and not field.low <= value <= field.high:
        raise ClinicalError(
            f"{field.label}: {value:g} is outside {field.describe_values()}; check the value and its unit."
        )
    if field.kind == "integer":
        if not value.is_integer():
            raise ClinicalError(f"{field.label}: {value:g} is not a whole number.")
        return int(value)
    return value


def _parse_date(field: Field, raw: object) -> datetime.date:
    if isinstance(raw, datetime.datetime):
        return raw.date()
    if isinstance(raw, datetime.date):
        return raw
    try:
        return datetime.date.fromisoformat(str(raw).strip()[:10])
    except ValueError:
        raise ClinicalError(f"{field.label}: '{str(raw)[:20]}' is not a date; write YYYY-MM-DD.") from None
