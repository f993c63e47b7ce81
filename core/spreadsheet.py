"""Text in CSV files that no spreadsheet program runs as a formula, and the way back to the text as it was.

A spreadsheet runs a cell that begins with one of = + - @ or their fullwidth forms, maybe after blanks; with another
list separator than ours also what follows a separator within a cell. An apostrophe before it makes it text. Numbers
stay numbers.
"""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_PLACE = r"(?:\A|(?<=[;,\t\r\n]))"
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)? *%?(?:\Z|[;,\t\r\n])"
_FORMULA = rf"(?!{_NUMBER})(?=[\s'\u200b\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20])"
_BLANK = r"(?=[ ']*[\t\r])"
_RISKY = re.compile(rf"{_PLACE}{_FORMULA}|\A{_BLANK}")
_DISARMED = re.compile(rf"{_PLACE}'{_FORMULA}|\A'{_BLANK}")


def disarm(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would run; `restore` takes it away."""
    return _RISKY.sub("'", text)


def restore(text: str) -> str:
    """Give back a text as it was before `disarm`; any other text stays as it is."""
    return _DISARMED.sub("", text) if "'" in text else text


def disarm_table(table: "pd.DataFrame") -> "pd.DataFrame":
    """Disarm the texts and column names of a table, as for the pages' tables: a browser saves them as CSV, too."""
    safe = table.copy(deep=False)
    safe.columns = [disarm(str(name)) for name in table.columns]
    for place, kind in enumerate(table.dtypes):
        if kind.kind not in "biufcmM":
            texts = table.iloc[:, place].astype(object).map(lambda v: disarm(v) if isinstance(v, str) else v)
            safe.isetitem(place, texts.to_numpy())
    return safe


def render_csv(table: "pd.DataFrame", *, float_format: str | None = None) -> bytes:
    """Write a table as CSV, without its index; the one writer of everything that leaves as CSV."""
    text = disarm_table(table).to_csv(index=False, lineterminator="\n", float_format=float_format)
    return text.encode("utf-8", "replace")
