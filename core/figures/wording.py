"""Numbers in words: estimates with their intervals, p values, and lines thinned for the screen."""

import math

import numpy as np
import pandas as pd

MAX_POINTS = 1000
QUALIFIERS = (" on ultrasound", " before biopsy")


def word_estimate(
    value: float | None, interval: tuple[float, float] | None, digits: int = 2, level: float = 0.95
) -> str:
    """Write an estimate with its interval.

    Parameters
    ----------
    value : float or None
        Estimate.
    interval : tuple of float or None
        Its limits.
    digits : int
        Decimals.
    level : float
        Confidence level.

    Returns
    -------
    str
        For example "0.83 (95 % CI 0.76 to 0.89)"; "not estimable" without a value.
    """
    if value is None or math.isnan(value):
        return "not estimable"
    if interval is None or any(math.isnan(limit) for limit in interval):
        return f"{value:.{digits}f} (no interval)"
    low, high = interval
    return f"{value:.{digits}f} ({100 * level:g} % CI {low:.{digits}f} to {high:.{digits}f})"


def word_percent(value: float, low: float, high: float, level: float = 0.95) -> str:
    """Write a share in per cent with its interval, or "not estimable"."""
    if math.isnan(value):
        return "not estimable"
    return f"{100 * value:.1f} % ({100 * level:g} % CI {100 * low:.1f} to {100 * high:.1f} %)"


def word_p(p: float | None) -> str:
    """Write a p value: "p = 0.041", "p < 0.001" or "p not estimable"."""
    if p is None or math.isnan(p):
        return "p not estimable"
    if p < 0.001:
        return "p < 0.001"
    return f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def word_count(n: int, noun: str) -> str:
    """Write a count with its noun: "1 event", "93 events"."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def thin_rows(frame: pd.DataFrame, limit: int = MAX_POINTS) -> pd.DataFrame:
    """Keep at most `limit` evenly spread rows, the first and the last among them, so that a browser stays quick."""
    if len(frame) <= limit:
        return frame
    return frame.iloc[np.unique(np.linspace(0, len(frame) - 1, limit).round().astype(int))]


def shorten_label(label: str) -> str:
    """Take off when or how a field was found, for a figure with little room.

    Parameters
    ----------
    label : str
        Label of the data dictionary.

    Returns
    -------
    str
        For example "Largest diameter" of "Largest diameter on ultrasound".
    """
    for qualifier in QUALIFIERS:
        label = label.removesuffix(qualifier)
    return label
