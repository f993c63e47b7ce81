"""The lesion box of a row: x0, y0, x1, y1 in pixels of the source, and a column of something else told apart."""

import numpy as np

from core.errors import TableError

EMPTY_BOXES = (
    "box: {count} of {total} boxes end before they begin: they may be x, y, width and height. "
    "Write x0,y0,x1,y1 in pixels, or leave the column unread: --ignore {column}."
)
FRACTIONS = (
    "box: {count} of {total} boxes lie within the first pixel: they may be fractions of width and height. "
    "Write x0,y0,x1,y1 in pixels, or leave the column unread: --ignore {column}."
)
EMPTY_SHARE = 0.1


class _EmptyBoxError(TableError):
    """A box ends before it begins."""


def parse_box(text: str) -> tuple[float, float, float, float] | None:
    """Read a box written as x0,y0,x1,y1; None of an empty cell."""
    if not text.strip():
        return None
    try:
        x0, y0, x1, y1 = (float(part) for part in text.strip("[]() ").replace(";", ",").split(","))
    except ValueError:
        x0 = y0 = x1 = y1 = np.nan
    if not np.isfinite([x0, y0, x1, y1]).all():
        raise TableError(f"box: '{text[:40]}' is not x0,y0,x1,y1 in pixels.")
    if not (x0 < x1 and y0 < y1):
        raise _EmptyBoxError(f"box: '{text[:40]}' is empty; give x0,y0,x1,y1 with x0 < x1 and y0 < y1.")
    return (x0, y0, x1, y1)


def check_boxes(boxes: np.ndarray, column: str) -> None:
    """Refuse a column of which more than stray boxes are empty: the others may mean something else than they say."""
    kinds = [_name_fault(text) for text in boxes if text is not None]
    for kind, sentence in (("empty", EMPTY_BOXES), ("fraction", FRACTIONS)):
        count = kinds.count(kind)
        if count > max(1, EMPTY_SHARE * len(kinds)):
            raise TableError(sentence.format(count=count, total=len(kinds), column=column[:40]), column=column)


def _name_fault(text: str) -> str:
    """Tell of a box whether it is empty, or lies within one pixel: "empty", "fraction" or ""."""
    try:
        box = parse_box(text)
    except _EmptyBoxError:
        return "empty"
    except TableError:
        return ""
    return "fraction" if box is not None and max(box) <= 1 else ""
