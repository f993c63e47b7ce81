"""What each column of an uploaded table was taken for, and the form that changes it."""

import re
from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import streamlit as st

from core.clinical import COLUMNS
from core.cohort import Choices, TableReading
from core.cohort.casting import describe_field
from core.cohort.columns import label_field
from core.cohort.predictions import FIELDS
from core.errors import TableError
from core.plain_text import plain
from core.spreadsheet import disarm_table, render_csv
from core.tabular import read_table
from core.ui.errors import guard

CONTENT, CHOICES, HEADER = "cohort_content", "cohort_choices", "cohort_header"
COLUMN, FIELD, UNIT, CODES, CENTRE = (
    "columns_column",
    "columns_field",
    "columns_unit",
    "columns_codes",
    "columns_centre",
)
UNREAD, AS_FOUND = "Do not read it", "As the file says"
Read = Callable[[bytes, Choices], None]


def keep_content(content: bytes) -> None:
    """Keep an uploaded table for this session; a new one takes its place."""
    st.session_state[CONTENT] = content


def forget_choices() -> None:
    """Forget what was settled about the columns of the last table."""
    st.session_state[CHOICES] = Choices()


def get_choices() -> Choices:
    """Give what was settled about the columns of this table."""
    choices: Choices = st.session_state.setdefault(CHOICES, Choices())
    return choices


def show_columns(reading: TableReading) -> None:
    """List what each column was taken for, its coding and unit, and how many cells were left out."""
    problems = [column for column in reading.columns if column.problem or column.left_out]
    with st.expander(_summarise(reading), expanded=bool(problems)):
        st.dataframe(
            disarm_table(tabulate_columns(reading)), hide_index=True, alt="How each column of the file was read"
        )
        for sentence in map(point_below, reading.describe()):
            st.caption(plain(sentence))
        st.download_button(
            "Columns (CSV)",
            render_csv(tabulate_columns(reading)),
            file_name="sonoki_columns.csv",
            mime="text/csv",
            on_click="ignore",
            type="tertiary",
        )


def point_below(sentence: str) -> str:
    """Name the form below in place of the command line's option."""
    return re.sub(r": --(?:code|unit) .*$", " below.", sentence)


def tabulate_columns(reading: TableReading) -> pd.DataFrame:
    """Lay out the columns of a file: what each was taken for, coding, unit, cells."""
    rows: list[tuple[object, ...]] = [
        (c.column, "not read" if c.problem else c.label, c.coding, c.unit, c.known, c.missing, c.not_understood)
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


def ask_columns(read: Read) -> None:
    """Draw the form that changes how a column is read."""
    content = st.session_state.get(CONTENT)
    header = _read_header(content) if content is not None else ()
    if not header:
        return
    with st.expander("Change how a column is read"):
        column = st.selectbox("Column in the file", header, key=COLUMN)
        field = st.selectbox("Read it as", [UNREAD, *FIELDS], format_func=_label, key=FIELD)
        about = describe_field(field) if field != UNREAD else None
        if about is not None and about.units:
            st.selectbox("Its unit", [AS_FOUND, *about.units], key=UNIT)
            st.text_input("Of one centre only (its name; empty: all)", key=CENTRE)
        if about is not None and about.meaning in {"binary", "event", "choice", "split"}:
            st.text_input("What its codes mean (empty: as the file says)", key=CODES, placeholder="1: no, 2: yes")
        st.button(
            "Read the table so", on_click=guard(_apply), args=(read, column, field), type="primary", key="columns_apply"
        )
        st.caption("The file stays in this session's memory, so that its columns can be read otherwise.")
        st.button("Forget the file", on_click=guard(_drop), key="columns_drop", type="tertiary")
        settled = _describe_choices(get_choices())
        if settled:
            st.caption(f"Settled so far: {plain('; '.join(settled))}.")
            st.button("Forget these", on_click=guard(_forget), args=(read,), key="columns_forget")


def _read_header(content: bytes) -> tuple[str, ...]:
    """Give the column names of the kept table; they are read once."""
    known = st.session_state.get(HEADER)
    if known is None or known[0] is not content:
        try:
            names = tuple(dict.fromkeys(name for name in read_table(content).header if name))
        except TableError:
            names = ()
        known = (content, names)
        st.session_state[HEADER] = known
    header: tuple[str, ...] = known[1]
    return header


def _label(name: str) -> str:
    return UNREAD if name == UNREAD else COLUMNS[name].label


def _apply(read: Read, column: str, field: str) -> None:
    choices = get_choices()
    columns = {name: own for name, own in choices.columns.items() if own != column and name != field}
    ignored = tuple(name for name in choices.ignored if name != column)
    if field == UNREAD:
        choices = replace(choices, columns=columns, ignored=(*ignored, column))
    else:
        choices = replace(choices, columns=columns | {field: column}, ignored=ignored)
        choices = _take_unit(_take_codes(choices, field), field)
    st.session_state[CHOICES] = choices
    read(st.session_state[CONTENT], choices)


def _take_unit(choices: Choices, field: str) -> Choices:
    unit, centre = st.session_state.get(UNIT, AS_FOUND), st.session_state.get(CENTRE, "").strip()
    key = f"{field}@{centre}" if centre else field
    units = {name: own for name, own in choices.units.items() if name != key}
    return replace(choices, units=units if unit == AS_FOUND else units | {key: unit})


def _take_codes(choices: Choices, field: str) -> Choices:
    pairs = [pair.partition(":") for pair in st.session_state.get(CODES, "").replace("=", ":").split(",")]
    stated = {code.strip(): meaning.strip() for code, mark, meaning in pairs if mark}
    codes = {name: own for name, own in choices.codes.items() if name != field}
    return replace(choices, codes=codes | {field: stated} if stated else codes)


def _forget(read: Read) -> None:
    forget_choices()
    read(st.session_state[CONTENT], Choices())


def _drop() -> None:
    """Forget the file; what was read of it stays."""
    st.session_state.pop(CONTENT, None)
    st.session_state.pop(HEADER, None)


def _describe_choices(choices: Choices) -> list[str]:
    lines = [f"{column} is {label_field(field)}" for field, column in choices.columns.items()]
    lines += [f"{column} is not read" for column in choices.ignored]
    lines += [f"{label_field(key.partition('@')[0])} in {unit}{_place(key)}" for key, unit in choices.units.items()]
    lines += [
        f"{label_field(field)}: {', '.join(f'{code} = {meaning}' for code, meaning in codes.items())}"
        for field, codes in choices.codes.items()
    ]
    return lines


def _place(key: str) -> str:
    centre = key.partition("@")[2]
    return f" at {centre}" if centre else ""
