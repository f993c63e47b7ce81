"""The tumour board's list and its way from patient to patient; the address holds the pseudonym alone."""

import pandas as pd
import streamlit as st

from core.board.store import Store, find_database
from core.errors import UsageError
from core.simulation import simulate_cohort
from core.ui.cohort import Cohort

PATIENT, SEARCH, FLAG, SIZE = "board_patient", "board_search", "board_flag", "board_size"
NO_CALL, DISCORDANT, MISSING = "no call", "differs from core", "missing data"
FLAGS = (NO_CALL, DISCORDANT, MISSING)
FEW = 20
INPUTS = ("age", "size_mm", "menopausal", "birads", "palpable", "adler", "aln_suspicious")


@st.cache_resource(max_entries=1, show_spinner=False, on_release=Store.close)
def _open_store(url: str) -> Store:
    return Store(url)


def get_store() -> Store:
    """Open the board's database, once for all sessions."""
    return _open_store(find_database())


@st.cache_resource(max_entries=1, show_spinner=False)
def read_simulated() -> pd.DataFrame:
    """Give everything known of the simulated patients, one row each, by their pseudonym."""
    return simulate_cohort().table.set_index("patient_id", drop=False)


def list_patients(cohort: Cohort, no_call: tuple[float, float], *, threshold: float, cutoff: float) -> pd.DataFrame:
    """List a cohort's patients, held-out ones first, with what the board should look at.

    Parameters
    ----------
    cohort : Cohort
        Shipped or uploaded.
    no_call : tuple of float
        Probabilities between which there is no call.
    threshold, cutoff : float
        Probability and Ki-67 in per cent from which they are called high.

    Returns
    -------
    DataFrame
        Columns of the cohort, what is known of simulated patients, and "flags" in words.
    """
    table = cohort.table
    if cohort.is_simulated:
        known = read_simulated().reset_index(drop=True)
        fresh = [name for name in known if name == "patient_id" or name not in table]
        table = table.merge(known[fresh], on="patient_id", how="left")
    if "split" in table:
        table = table.sort_values("split", key=lambda split: split.isin(["train", "validation"]), kind="stable")
    flags = pd.DataFrame({NO_CALL: table["prob"].between(*no_call)})
    core = table["ki67_cnb_pct"].astype(float) if "ki67_cnb_pct" in table else pd.Series(float("nan"), table.index)
    flags[DISCORDANT] = core.notna() & ((core >= cutoff) != (table["prob"] >= threshold)) & ~flags[NO_CALL]
    flags[MISSING] = table[[name for name in INPUTS if name in table]].isna().any(axis=1)
    words = [", ".join(name for name in FLAGS if row[name]) for row in flags.to_dict("records")]
    return table.assign(flags=words).reset_index(drop=True)


def ask_board(patients: pd.DataFrame) -> list[str]:
    """Draw the list with search and filter.

    Parameters
    ----------
    patients : DataFrame
        Of `list_patients`.

    Returns
    -------
    list of str
        Pseudonyms on the board, in its order.
    """
    with st.sidebar, st.expander("Board list"):
        found = st.text_input("Search a pseudonym", key=SEARCH, persist_state="session").strip().lower()
        flag = st.selectbox("Flag", ["all", *FLAGS], key=FLAG, persist_state="session")
        size = st.number_input("Patients on the board", 1, 200, FEW, key=SIZE, persist_state="session")
        chosen = patients[patients["patient_id"].astype(str).str.lower().str.contains(found, regex=False)]
        if flag != "all":
            chosen = chosen[chosen["flags"].str.contains(flag, regex=False)]
        chosen = chosen.head(int(size))
        st.dataframe(
            chosen[["patient_id", "prob", "flags"]],
            hide_index=True,
            alt="Patients of the board with the model's probability and flags",
            column_config={
                "patient_id": "Patient",
                "prob": st.column_config.ProgressColumn("High Ki-67", min_value=0, max_value=1, format="percent"),
                "flags": "Flags",
            },
        )
    return [str(name) for name in chosen["patient_id"]]


def choose_patient(board: list[str], everybody: set[str]) -> str:
    """Draw next and previous, and give the patient of the address.

    Parameters
    ----------
    board : list of str
        Pseudonyms in order.
    everybody : set of str
        Pseudonyms of the whole cohort; a link may name any of them.

    Returns
    -------
    str
        Pseudonym.

    Raises
    ------
    UsageError
        If the board is empty, or the address names nobody of this cohort.
    """
    if not board:
        raise UsageError("No patient fits the search and the filter; widen them in the board list.")
    asked = st.query_params.get("patient") or st.session_state.get(PATIENT) or board[0]
    if asked not in everybody:
        st.session_state.pop(PATIENT, None)
        st.button("Go to the first patient", on_click=_go, args=(board[0],))
        raise UsageError("The link names no patient of this cohort. Check it, or go to the first patient.")
    place = board.index(asked) if asked in board else -1
    previous, name, following = st.columns([1, 3, 1], vertical_alignment="center")
    with previous:
        before = board[max(place - 1, 0)]
        st.button("Previous", shortcut="PageUp", on_click=_go, args=(before,), disabled=place == 0, width="stretch")
    with following:
        after = board[min(place + 1, len(board) - 1)]
        last = place == len(board) - 1
        st.button("Next", shortcut="PageDown", on_click=_go, args=(after,), disabled=last, width="stretch")
    where = f"{place + 1} of {len(board)}" if place >= 0 else "not on the board's list"
    name.header(f"{asked} · {where}", anchor=False)
    st.session_state[PATIENT] = asked
    st.query_params["patient"] = asked
    return asked


def _go(patient: str) -> None:
    st.session_state[PATIENT] = patient
    st.query_params["patient"] = patient
