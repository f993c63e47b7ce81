"""Filters of a cohort that hold on all pages: centre, age, size, device; and how the filters of a list fold."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.plain_text import plain

Chosen = tuple[tuple[str, tuple[str, ...]], ...]
MOST_LEVELS = 12


@dataclass(frozen=True)
class Filter:
    """One column that patients are chosen by."""

    label: str  # heading of its buttons
    words: str  # how a sentence says what was chosen: "age {} years"
    # name to limits ``[low, high)`` of a number; empty for a column of labels
    bands: Mapping[str, tuple[float, float]] = field(default_factory=dict)


FILTERS = {
    "centre": Filter("Centre", "centre {}"),
    "age": Filter(
        "Age (years)",
        "age {} years",
        {"< 50": (-math.inf, 50.0), "50 to < 65": (50.0, 65.0), "\u2265 65": (65.0, math.inf)},
    ),
    "size_mm": Filter(
        "Size (mm)",
        "size {} mm",
        {"< 20": (-math.inf, 20.0), "20 to < 50": (20.0, 50.0), "\u2265 50": (50.0, math.inf)},
    ),
    "image_device": Filter("Device", "device {}"),
    "timing": Filter("Estimated", "estimated {}"),
}


def list_options(table: pd.DataFrame, column: str) -> list[str]:
    """List what can be chosen in a column; nothing where it lacks, does not vary or has too many labels."""
    if column not in table or table[column].isna().all():
        return []
    if FILTERS[column].bands:
        return list(FILTERS[column].bands)
    known = sorted(table[column].dropna().astype(str).unique())
    return known if 1 < len(known) <= MOST_LEVELS else []


def ask_filters(table: pd.DataFrame, mark: str) -> Chosen:
    """Draw a filter for each column that the table has."""
    chosen = []
    for column in list_filters(table):
        picked = st.pills(
            FILTERS[column].label,
            list_options(table, column),
            format_func=plain,
            selection_mode="multi",
            key=f"cohort_{column}_{mark}",
            persist_state="session",
            wrap=True,
        )
        if picked:
            chosen.append((column, tuple(picked)))
    return tuple(chosen)


def list_filters(table: pd.DataFrame) -> list[str]:
    """List the columns of `FILTERS` that a table can be filtered by."""
    return [column for column in FILTERS if list_options(table, column)]


def filter_table(table: pd.DataFrame, chosen: Chosen) -> pd.DataFrame:
    """Keep the patients that every filter lets through."""
    keep = pd.Series(True, index=table.index)
    for column, options in chosen:
        bands = FILTERS[column].bands
        if bands:
            limits = [bands[name] for name in options]
            inside = [(table[column] >= low) & (table[column] < high) for low, high in limits]
            keep &= pd.concat(inside, axis=1).any(axis=1)
        else:
            keep &= table[column].astype("string").isin(options).fillna(value=False).astype(bool)
    return table[keep]


def describe_filters(chosen: Chosen) -> str:
    """Say what was chosen: "centre A and B, age < 50 years"; empty without filters."""
    return ", ".join(
        FILTERS[column].words.format((" or " if FILTERS[column].bands else " and ").join(options))
        for column, options in chosen
    )


def fold_filters(usual: Mapping[str, object]) -> DeltaGenerator:
    """Draw the button that the filters of a list lie behind, which says how many are set; give where to draw them.

    `usual` is what each filter holds, by its key, while it leaves nothing out.
    """
    count = sum(st.session_state.get(key, value) != value for key, value in usual.items())
    return st.popover("Search and filter" + (f" ({count} set)" if count else ""), width="content")
