"""What each column of an uploaded table was taken for, and what has to be said about it."""

import pandas as pd
import streamlit as st

from core.cohort import TableReading
from core.cohort.columns import label_field
from core.plain_text import plain
from core.spreadsheet import disarm_table, render_csv
from core.ui.cohort.hints import Point

QUESTION = ":orange-badge[Question]"


def show_columns(reading: TableReading, point: Point) -> None:
    """Ask what can't be told; then list what each column was taken for, its coding and unit, and the cells left out."""
    for sentence in map(point, list_questions(reading)):
        st.markdown(f"{QUESTION} {plain(sentence)}")
    with st.expander(_summarise(reading), expanded=any(column.left_out for column in reading.columns)):
        st.dataframe(
            disarm_table(tabulate_columns(reading)), hide_index=True, alt="How each column of the file was read"
        )
        for sentence in map(point, reading.describe()):
            st.caption(plain(sentence))
        st.download_button(
            "Columns (CSV)",
            render_csv(tabulate_columns(reading)),
            file_name="sonoki_columns.csv",
            mime="text/csv",
            on_click="ignore",
            type="tertiary",
        )


def list_questions(reading: TableReading) -> list[str]:
    """List what a person has to say: columns that can't be understood, and columns that may be a field."""
    lines = [f"{c.column} is not read. {c.problem}" for c in reading.columns if c.problem]
    return lines + [f"{column} is not read. Is it {label_field(guess)}?" for column, guess in reading.unread if guess]


def tabulate_columns(reading: TableReading) -> pd.DataFrame:
    """Lay out the columns of a file: what each was taken for, coding, unit, cells."""
    rows: list[tuple[object, ...]] = [
        (c.column, "not read", "", "", None, None, None)
        if c.problem
        else (c.column, c.label, c.coding, c.unit, c.known, c.missing, c.not_understood)
        for c in reading.columns
    ]
    rows += [
        (column, f"not read (did you mean {label_field(guess)}?)" if guess else "not read", "", "", None, None, None)
        for column, guess in reading.unread
    ]
    names = ["Column in the file", "Read as", "Coding", "Unit", "Known", "Not known", "Left out"]
    table = pd.DataFrame(rows, columns=names)
    return table.astype(dict.fromkeys(names[4:], "Int64"))


def _summarise(reading: TableReading) -> str:
    read = sum(not column.problem for column in reading.columns)
    left_out = sum(column.not_understood for column in reading.columns if not column.problem)
    unread = len(reading.unread) + len(reading.columns) - read
    return f"Columns of the file: {read} read, {unread} not read, {left_out:,} cells left out"
