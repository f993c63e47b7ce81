"""What may enter a statistic: complete, paired, coded 0/1, probabilities within [0, 1]."""

from collections.abc import Sequence, Sized

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core.errors import InputError

Floats = NDArray[np.float64]
Interval = tuple[float, float]


def prepare_column(values: ArrayLike, name: str) -> Floats:
    """Turn one column into floats; what is missing becomes NaN."""
    try:
        column = np.asarray(pd.Series(values) if isinstance(values, list | tuple) else values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name}: some values are not numbers; give one number a row.") from None
    if column.ndim != 1:
        raise InputError(f"{name}: the values have {column.ndim} dimensions; give one column.")
    if np.isinf(column).any():
        raise InputError(f"{name}: {int(np.isinf(column).sum())} values are infinite; give finite numbers.")
    return column


def prepare_outcome(
    y: ArrayLike, *scores: ArrayLike, probability: bool = False
) -> tuple[Floats, list[Floats], NDArray[np.bool_]]:
    """Pair an outcome with its scores and keep the complete rows."""
    outcome = prepare_column(y, "outcome")
    columns = [prepare_column(score, "score") for score in scores]
    check_lengths([outcome, *columns])
    check_binary(outcome, "outcome")
    if probability:
        for column in columns:
            check_probability(column, "probability")
    keep = _find_complete([outcome, *columns])
    return outcome[keep], [column[keep] for column in columns], keep


def prepare_survival(
    time: ArrayLike, event: ArrayLike, *columns: ArrayLike
) -> tuple[Floats, Floats, list[Floats], NDArray[np.bool_]]:
    """Pair follow-up times with events and other numeric columns, and keep the complete rows."""
    times = prepare_column(time, "time")
    events = prepare_column(event, "event")
    others = [prepare_column(column, "score") for column in columns]
    check_lengths([times, events, *others])
    check_binary(events, "event")
    if (times < 0).any():
        raise InputError(f"time: {int((times < 0).sum())} values are negative; follow-up starts at 0.")
    keep = _find_complete([times, events, *others])
    return times[keep], events[keep], [column[keep] for column in others], keep


def check_lengths(columns: Sequence[Sized]) -> None:
    """Refuse columns of different lengths."""
    lengths = [len(column) for column in columns]
    if len(set(lengths)) > 1:
        raise InputError(f"The columns have {', '.join(map(str, lengths))} rows; give the same rows in each.")


def check_binary(column: Floats, name: str) -> None:
    """Refuse anything but 0, 1 and missing."""
    wrong = ~np.isnan(column) & (column != 0) & (column != 1)
    if wrong.any():
        raise InputError(f"{name}: {int(wrong.sum())} values are neither 0 nor 1; code the positive class as 1.")


def check_probability(column: Floats, name: str) -> None:
    """Refuse probabilities outside [0, 1]."""
    wrong = (column < 0) | (column > 1)
    if wrong.any():
        raise InputError(f"{name}: {int(wrong.sum())} values lie outside 0 to 1; give probabilities, not per cent.")


def check_conf_level(conf_level: float) -> None:
    """Refuse a confidence level outside (0, 1)."""
    if not 0 < conf_level < 1:
        raise InputError(f"The confidence level is {conf_level:g}; give a number between 0 and 1, such as 0.95.")


def _find_complete(columns: Sequence[Floats]) -> NDArray[np.bool_]:
    return np.logical_and.reduce([~np.isnan(column) for column in columns])
