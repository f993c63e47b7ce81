"""The board's list: search, filter, sort, and what is to be looked at."""

from collections.abc import Callable, Collection, Mapping

import numpy as np
import pandas as pd
import streamlit as st

from core.inference.explain import format_percent
from core.register.estimates import BoardReader
from core.register.models import WITHHELD, Record
from core.spreadsheet import disarm_table
from core.ui.board.navigation import FLAGS, go
from core.ui.board.session import change_board
from core.ui.board.state import ListDrawn, RowOpened
from core.ui.cohort.filters import fold_filters
from core.ui.errors import guard
from core.ui.export import offer_csv

SEARCH, FLAG, SIZE, ORDER, TABLE = "board_search", "board_flag", "board_size", "board_order", "board_table"
BLIND_ORDER = "board_order_blind"
FEW, ALL = 20, "all"
AS_IS, HIGHEST, LOWEST, NAME, FLAGGED, OPEN = (
    "Held-out patients first",
    "Probability, highest first",
    "Probability, lowest first",
    "Pseudonym",
    "Most flags first",
    "Not decided first",
)
ESTIMATE, GRAPH = "High Ki-67", "0 to 100 %"
DASH = "\N{EN DASH}"


def choose_board(patients: pd.DataFrame, *, is_blind: bool) -> pd.DataFrame:
    """Give the board's patients in the order and by the filter last asked for; it works on every view.

    Where estimates are to be read first, neither order nor filter may tell of them.
    """
    found = str(st.session_state.get(SEARCH, "")).strip().lower()
    flag = ALL if is_blind else st.session_state.get(FLAG, ALL)
    order = st.session_state.get(BLIND_ORDER if is_blind else ORDER, AS_IS)
    chosen = patients[patients["patient_id"].str.lower().str.contains(found, regex=False)]
    if flag != ALL:
        chosen = chosen[chosen["flags"].str.split(", ").map(lambda held: flag in held)]
    count = chosen["flags"].str.split(", ").map(lambda held: -len([name for name in held if name]))
    keys: dict[str, tuple[pd.Series, bool]] = {
        HIGHEST: (chosen["prob"], False),
        LOWEST: (chosen["prob"], True),
        NAME: (chosen["patient_id"], True),
        FLAGGED: (count, True),
        OPEN: (chosen["decided"] != "", True),
    }
    if order in keys:
        values, ascending = keys[order]
        chosen = chosen.loc[values.sort_values(ascending=ascending, kind="stable").index]
    return chosen.head(int(st.session_state.get(SIZE, FEW)))


def ask_list(*, is_blind: bool) -> None:
    """Draw search, filter and order, folded; without what would tell of estimates that are to be read first."""
    usual = {SEARCH: "", SIZE: FEW} | ({BLIND_ORDER: AS_IS} if is_blind else {FLAG: ALL, ORDER: AS_IS})
    with fold_filters(usual):
        st.text_input("Search a pseudonym", key=SEARCH, persist_state="session")
        if is_blind:
            st.selectbox("Order", [AS_IS, NAME, OPEN], key=BLIND_ORDER, persist_state="session")
        else:
            st.selectbox("Flag", [ALL, *FLAGS], key=FLAG, persist_state="session")
            st.selectbox("Order", [AS_IS, HIGHEST, LOWEST, NAME, FLAGGED, OPEN], key=ORDER, persist_state="session")
        st.number_input("Patients on the board", 1, 200, FEW, key=SIZE, persist_state="session")


def show_list(
    board: pd.DataFrame, draw: Callable[[float, tuple[float, float] | None], str], hidden: Collection[str]
) -> None:
    """Draw the list with small graphs, but for those whose estimate is hidden; a click on a row opens its patient."""
    is_hidden = board["patient_id"].isin(hidden)
    bounds = zip(board["prob"], board["low"], board["high"], strict=True)
    graphs = pd.Series([draw(p, None if pd.isna(low) else (low, high)) for p, low, high in bounds], board.index)
    columns = {
        "Patient": board["patient_id"],
        ESTIMATE: [_write_estimate(*row) for row in board[["prob", "low", "high"]].to_numpy(dtype=float)],
        "Decision": board["decided"].replace("", DASH),
        GRAPH: graphs,
        "Flags": board["flags"].replace("", DASH),
    }
    table = pd.DataFrame(columns, index=board.index)
    table.loc[is_hidden, [ESTIMATE, "Flags"]] = DASH
    table.loc[is_hidden, GRAPH] = None
    st.dataframe(
        disarm_table(table),
        hide_index=True,
        key=TABLE,
        on_select=guard(_open_row),
        selection_mode="single-row",
        height=35 * (min(len(table), 15) + 1) + 3,
        alt="Patients of the board: probability of a high Ki-67 with its interval, flags, decision",
        column_config={
            "Patient": st.column_config.TextColumn(width=95),
            ESTIMATE: st.column_config.TextColumn(
                width=135, help="Probability of a high Ki-67, with its 95 % interval"
            ),
            "Decision": st.column_config.TextColumn(width=130),
            GRAPH: st.column_config.ImageColumn(width=210),
            "Flags": st.column_config.TextColumn(width=240),
        },
    )
    change_board(ListDrawn(tuple(board["patient_id"])))
    st.caption(
        "Grey: indeterminate range; broken line: threshold; orange: estimate with its 95 % interval, as on the "
        "patient's page. Hollow: the probability of the cohort's table, where the image is not read or gives another."
    )
    names = [name for name in ("prob", "low", "high", "flags") if name in board]
    kept = board[["patient_id", *names, "decided"]].copy()
    kept.loc[is_hidden.to_numpy(), names] = None
    offer_csv(kept, "board_list", label="List (CSV)")


def _write_estimate(probability: float, low: float, high: float) -> str:
    """Write a probability with its interval, where it has one, as the patient's page does."""
    alone = format_percent(probability)
    ends = (format_percent(end).rstrip("\N{NO-BREAK SPACE}%") for end in (low, high))
    return alone if np.isnan(low) else f"{alone} ({' to '.join(ends)})"


def follow_reading(reader: BoardReader) -> None:
    """Say how many images are still being read, and draw the list anew with their intervals once they are."""
    if not reader.left:
        return

    @st.fragment(run_every=1.0)
    def look() -> None:
        left = reader.left
        if not left:
            st.rerun()
        st.caption(f"Reading {left} more image{'s' if left > 1 else ''}: their intervals come at once.")

    look()


def name_decisions(stands: Mapping[str, Record]) -> dict[str, str]:
    """Say of each patient what was decided last."""
    return {patient: _name_decision(record) for patient, record in stands.items()}


def _name_decision(record: Record) -> str:
    if record.kind == WITHHELD:
        return f"entry {record.number} withheld"
    return f"{'agrees' if record.agrees else 'overrides'}, {record.author}"


def _open_row() -> None:
    rows = st.session_state[TABLE]["selection"]["rows"]
    if rows:
        go(change_board(RowOpened(rows[0])).patient)
