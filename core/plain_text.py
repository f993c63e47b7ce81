"""Text that came from a file, an archive or a user, written so that a page shows it as it is and never acts on it.

Streamlit reads text as Markdown: links, pictures, HTML, formulas, colours, emoji, icons. Plotly reads tags.
A character reference stands for itself in both. What Streamlit looks for after it has resolved references (bare
addresses, emoji, icons) is parted by a word joiner, which is not seen.
"""

import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

_JOINER = "\N{WORD JOINER}"
_PARTED = re.compile(r"(?<=:)(?=[a-z_/]|[\w+-]+:)|(?<=@)(?=\w)|(?<=www)(?=\.)", re.IGNORECASE)
_ACTIVE = re.compile(r"[<\[\]*`~$\\]|&(?=#|\w+;)|(?<!\w)_|_(?!\w)|^[#>]|^[-+](?=\s|$)|(?<=^\d)[.)](?=\s|$)")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_LEADING = re.compile(r"[<\[\]$\\]|&(?=#|\w+;)")
_OUR_TAGS = r"/?(?:b|i|sub|sup|extra)>|br ?/?>"
_FOREIGN = re.compile(rf"<(?!{_OUR_TAGS})|\$|&(?=#)")


def printable(text: str) -> str:
    """Write a text for a terminal, which would else obey what a file's text or name holds of control characters."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def plain(text: object) -> str:
    """Write a text for Markdown so that it is seen as it is; blanks and line ends become one blank."""
    words = _PARTED.sub(_JOINER, " ".join(str(text).split()))
    return _ACTIVE.sub(lambda found: f"&#{ord(found[0])};", words)


def plain_document(text: str) -> str:
    """Write a document in Markdown so that its form stays and nothing in it leads or asks elsewhere."""
    return _LEADING.sub(lambda found: f"&#{ord(found[0])};", _PARTED.sub(_JOINER, text))


def plain_table(table: "pd.DataFrame") -> "pd.DataFrame":
    """Write the texts and column names of a table so, for the tables whose cells are Markdown."""
    written = table.map(lambda cell: plain(cell) if isinstance(cell, str) else cell)
    return written.set_axis([plain(name) for name in table.columns], axis="columns")


def plain_figure(figure: "go.Figure") -> "go.Figure":
    """Write the texts of a figure so that no tag is read but bold, italics, indices, line breaks and hover boxes."""
    return type(figure)(_clean(figure.to_dict()), _validate=False)  # as it was, so there is nothing to be checked


def _clean(part: object) -> object:
    if isinstance(part, dict):
        return {name: _clean(value) for name, value in part.items()}
    if isinstance(part, list | tuple):
        return [_clean(value) for value in part]
    if isinstance(part, str):
        return _FOREIGN.sub(lambda found: f"&#{ord(found[0])};", part)
    if isinstance(part, np.ndarray) and part.dtype.kind == "O":
        return [_clean(value) for value in part]
    return part
