"""The tumour board's list and its way from patient to patient; the address holds the pseudonym alone."""

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.clinical import M1_PREDICTORS
from core.errors import UsageError
from core.figures.evidence import PREDICTIONS
from core.plain_text import plain
from core.register.estimates import BoardEstimate, BoardReader
from core.ui.board.session import change_board, get_board
from core.ui.board.state import Opened
from core.ui.cohort.current import Cohort, get_package
from core.ui.errors import guard
from core.ui.resources import get_bundle, get_simulated
from models.manifest import Manifest

ADDRESS = "patient"
INDETERMINATE, DISCORDANT, MISSING = "indeterminate", "differs from core", "missing data"
CAUTION, REFUSED = "caution", "refused"
SEEN = {"caution": CAUTION, "refused": REFUSED}
FLAGS = (INDETERMINATE, CAUTION, REFUSED, MISSING, DISCORDANT)
PSEUDONYM = re.compile(r"[\w.-]*\d[\w.-]*", re.ASCII)
NODES = {0: "negative", 1: "suspicious"}


def is_own(cohort: Cohort) -> bool:
    """Whether the cohort's probabilities are known to be the bundle's: its own evidence, or scored in this session."""
    return cohort.sha256 == get_bundle().manifest.files.get(PREDICTIONS) or get_package(cohort) is not None


def list_patients(cohort: Cohort, manifest: Manifest) -> pd.DataFrame:
    """List a cohort's patients, held-out ones first, with what the board should look at."""
    key = (*cohort.key, cohort.is_simulated, get_bundle().sha256)
    return _list_once(key, lambda: _list_patients(cohort, manifest))


@st.cache_resource(scope="session", max_entries=4, show_spinner=False)
def _list_once(key: tuple[object, ...], _list: Callable[[], pd.DataFrame]) -> pd.DataFrame:  # noqa: ARG001 - hashed
    """List once a session; other sessions' lists can't be reached from it."""
    return _list()


def _list_patients(cohort: Cohort, manifest: Manifest) -> pd.DataFrame:
    table = cohort.table
    if cohort.is_simulated:
        known = get_simulated().table
        fresh = [name for name in known if name == "patient_id" or name not in table]
        table = table.merge(known[fresh], on="patient_id", how="left")
    if "aln_suspicious" not in table and "aln_us" in table:
        table = table.assign(aln_suspicious=table["aln_us"].map(NODES))
    if "split" in table:
        table = table.sort_values("split", key=lambda split: split.isin(["train", "validation"]), kind="stable")
    table = table.reset_index(drop=True)
    table["patient_id"] = table["patient_id"].astype(str)
    rule = manifest.call_rule
    flags = pd.DataFrame({INDETERMINATE: rule.is_indeterminate(table["prob"])})
    core = table["ki67_cnb_pct"].astype(float) if "ki67_cnb_pct" in table else pd.Series(np.nan, table.index)
    is_apart = manifest.cutoff.is_high(core) != (table["prob"] >= rule.threshold)
    flags[DISCORDANT] = core.notna() & is_apart & ~flags[INDETERMINATE]
    flags[MISSING] = table[[name for name in M1_PREDICTORS if name in table]].isna().any(axis=1)
    words = [", ".join(name for name in FLAGS if row.get(name)) for row in flags.to_dict("records")]
    return table.assign(flags=words)


def add_seen(patients: pd.DataFrame, reader: BoardReader) -> pd.DataFrame:
    """Add what the images that were read give: the interval of the patient's page, and "caution" or "refused"."""
    rows = patients[["patient_id", "prob", "flags"]].to_numpy()
    seen = [_add_seen(prob, flags, reader.peek(name)) for name, prob, flags in rows]
    return patients.assign(**pd.DataFrame(seen, columns=["prob", "low", "high", "flags"], index=patients.index))


def _add_seen(prob: float, flags: str, read: BoardEstimate | None) -> tuple[float, float, float, str]:
    """Give probability, interval and flags; no interval where the table's probability is not the page's."""
    if read is None or read.prediction is None:
        return prob, np.nan, np.nan, flags
    held = {*flags.split(", "), SEEN.get(read.prediction.applicability.status, "")}
    flags = ", ".join(name for name in FLAGS if name in held)
    if read.shown is None or not read.fits(prob):
        return prob, np.nan, np.nan, flags
    return read.shown.probability, *read.shown.interval, flags


def find_asked(everybody: set[str]) -> str | None:
    """Give the patient that is asked for by the address or before in this session."""
    linked = st.query_params.get(ADDRESS)
    if linked is not None and linked not in everybody:
        st.button("Go to the list", on_click=guard(go), args=(None,))
        raise UsageError("The link names no patient of this cohort. Check it, or go to the list.")
    asked = linked or get_board().patient
    return asked if asked in everybody else None


def go(patient: str | None) -> None:
    """Go to a patient, or to the list; only what looks like a pseudonym gets into the address."""
    change_board(Opened(patient))
    if patient is not None and PSEUDONYM.fullmatch(patient):
        st.query_params[ADDRESS] = patient
    else:
        st.query_params.pop(ADDRESS, None)


def show_way(patient: str, board: list[str], *, simulated: bool) -> DeltaGenerator:
    """Draw the way to the previous and the next patient and back to the list."""
    place = board.index(patient) if patient in board else -1
    where = f"{place + 1} of {len(board)}" if place >= 0 else "not on the list"
    badge = " :orange-badge[simulated patient]" if simulated else ""
    before, after = board[max(place - 1, 0)], board[min(place + 1, len(board) - 1)]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(f"{plain(patient)} · {where}{badge}", anchor=False, width="content")
        beside = st.container(horizontal=True, width="content", key="board_more")
        st.space("stretch")
        st.button("List", shortcut="Home", on_click=guard(go), args=(None,))
        st.button("Previous", shortcut="PageUp", on_click=guard(go), args=(before,), disabled=place == 0)
        is_last = place == len(board) - 1
        st.button("Next", shortcut="PageDown", on_click=guard(go), args=(after,), disabled=is_last)
    return beside
