"""Counts and labels in words, and lines thinned for the screen."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

MAX_POINTS = 1000
FEW = 10
QUALIFIERS = (" on ultrasound", " before biopsy")


def word_count(n: int, noun: str) -> str:
    """Write a count with its noun: "1 event", "93 events"."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def caution_few(figures: str, rarer: int) -> list[str]:
    """Say that figures which rest on few patients of the rarer outcome are unstable."""
    if rarer >= FEW:
        return []
    return [f"{figures}: fewer than {FEW} patients of the rarer outcome ({rarer:,}); read the figures as unstable."]


def write_threshold(value: float) -> str:
    """Write a threshold probability with two decimals, or with as many as it has: "0.20", "0.035"."""
    rounded = round(value, 6)
    return f"{rounded:.2f}" if round(rounded, 2) == rounded else f"{rounded:g}"


def thin_rows(frame: "pd.DataFrame", limit: int = MAX_POINTS) -> "pd.DataFrame":
    """Keep at most `limit` evenly spread rows, the first and the last among them, so that a browser stays quick."""
    if len(frame) <= limit:
        return frame
    return frame.iloc[np.unique(np.linspace(0, len(frame) - 1, limit).round().astype(int))]


def shorten_label(label: str) -> str:
    """Take off when or how a field was found, for a figure with little room."""
    for qualifier in QUALIFIERS:
        label = label.replace(qualifier, "")
    return label
