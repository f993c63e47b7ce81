"""The register's sums, its list and what it is narrowed by."""

import math

import pandas as pd
import streamlit as st

from core.figures.wording import word_count
from core.inference.explain import format_percent
from core.plain_text import plain
from core.register.database import find_database
from core.register.estimate.entry import EARLIEST
from core.register.listing import (
    PAGE,
    Filter,
    Overview,
    count_estimates,
    list_estimates,
    read_overview,
    sum_estimates,
)
from core.register.store import Store
from core.spreadsheet import disarm_table, render_csv
from core.ui.cohort.filters import fold_filters
from core.ui.cohort.result import show_table
from core.ui.errors import guard, guard_file
from core.ui.register.database import get_store
from core.ui.register.session import change_state, get_state
from core.ui.register.state import RegisterState

ALL, UNNAMED = "all", "not known"
KNOWN = {ALL: None, "outcome known": True, "outcome not known": False}
SEARCH, AT, BY, OUTCOME = "register_search", "register_at", "register_by", "register_known"
SINCE, UNTIL, WITHDRAWN = "register_since", "register_until", "register_withdrawn"
USUAL = {SEARCH: "", AT: ALL, BY: ALL, OUTCOME: ALL, SINCE: None, UNTIL: None, WITHDRAWN: False}
TABLE, OPEN = "register_table", "register_open"


def show_sums(overview: Overview, last: str) -> None:
    """Say how many estimates there are and of how many patients the outcome is known; more behind a click."""
    n, known = overview.estimates, overview.known
    if not n and not overview.withdrawn:
        st.markdown("There is no estimate yet: add some on Case or Cohort, or by `python -m core register add`.")
        return
    withdrawn = f" {overview.withdrawn:,} more were withdrawn and do not count." if overview.withdrawn else ""
    st.markdown(f"**{n:,} estimates**; the surgical Ki-67 of **{known:,} patients** is known.{withdrawn}")
    if st.toggle("Count by centre and bundle", key="register_sums"):
        sums = _get_sums(find_database(), last)
        shown = sums.assign(centre=sums["centre"].replace("", UNNAMED), bundle_sha256=sums["bundle_sha256"].str[:12])
        names = ["Centre", "Bundle", "Hash", "Estimates", "Outcome known"]
        show_table(shown.set_axis(names, axis="columns"), "Estimates by centre and bundle")
        offer_table("Sums (CSV)", "sonoki_register_sums.csv", sums)


def ask_filter(overview: Overview) -> Filter:
    """Draw search and filters, folded; the list begins anew with each change."""
    names = {ALL: ALL} | {sha256: f"{name} {sha256[:8]}" for sha256, name in overview.bundles.items()}
    places = [ALL, *overview.centres]
    with fold_filters(USUAL):
        found = st.text_input("Search a pseudonym", key=SEARCH, autocomplete="off", persist_state="session")
        at = st.selectbox("Centre", places, format_func=lambda c: c or UNNAMED, key=AT)
        by = st.selectbox("Bundle", list(names), format_func=names.__getitem__, key=BY)
        is_known = st.selectbox("Outcome", list(KNOWN), key=OUTCOME)
        since = st.date_input("Examined from", None, EARLIEST, key=SINCE, format="YYYY-MM-DD")
        until = st.date_input("Examined until", None, EARLIEST, key=UNTIL, format="YYYY-MM-DD")
        shows_withdrawn = bool(overview.withdrawn) and st.toggle("Withdrawn ones", key=WITHDRAWN)
    wanted = Filter(
        found,
        None if at == ALL else at,
        None if by == ALL else by,
        since.isoformat() if since else "",
        until.isoformat() if until else "",
        KNOWN[is_known],
        shows_withdrawn,
    )
    change_state(RegisterState.narrow, wanted)
    return wanted


def show_list(store: Store, wanted: Filter) -> None:
    """Draw a page of the list; a click on a row opens its patient."""
    count = _count(store.read_anchor().number, store, wanted)
    last = max(math.ceil(count / PAGE) - 1, 0)
    change_state(RegisterState.keep_within, last)
    page = get_state().page
    rows = list_estimates(store, wanted, page=page)
    change_state(RegisterState.draw, tuple(rows["patient"]))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{word_count(count, 'estimate')}, newest first, page {page + 1:,} of {last + 1:,}")
        st.space("stretch")
        with st.container(horizontal=True, width="content"):
            for label, step, is_end in (("Newer", -1, page == 0), ("Older", 1, page >= last)):
                st.button(label, disabled=is_end, on_click=guard(change_state), args=(RegisterState.turn, step))
    if rows.empty:
        st.markdown("No estimate matches: change the search or the filters above.")
        return
    for sentence in rows["withheld"][rows["withheld"] != ""]:
        st.error(plain(sentence))
    table = pd.DataFrame(
        {
            "Patient": rows["patient"],
            "High Ki-67": [_write_estimate(*row) for row in rows[["probability", "low", "high"]].to_numpy(dtype=float)],
            "Outcome": rows["has_outcome"].map({True: "known", False: "not known"}),
            "Examined": rows["exam_date"].replace("", UNNAMED),
            "Centre": rows["centre"].replace("", UNNAMED),
            "Bundle": rows["bundle"],
            "Entry": rows["number"],
        }
    )
    st.dataframe(
        disarm_table(table),
        hide_index=True,
        key=TABLE,
        on_select=guard(_open_row),
        selection_mode="single-row",
        height=35 * (min(len(table), 12) + 1) + 3,
        alt="Estimates of the register: pseudonym, probability of a high Ki-67, whether the outcome is known",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Open a patient",
            dict.fromkeys(rows["patient"]),
            None,
            key=OPEN,
            on_change=guard(_open_named),
            placeholder="Choose, or click a row",
            width=260,
        )
        offer_table("This page (CSV)", "sonoki_register_page.csv", table)


def offer_table(label: str, name: str, table: pd.DataFrame) -> None:
    """Offer a table as CSV."""
    st.download_button(
        label, guard_file(lambda: render_csv(table)), name, "text/csv", on_click="ignore", type="tertiary", key=name
    )


@st.cache_resource(max_entries=2, show_spinner=False)
def get_overview(url: str, last: str) -> Overview:  # noqa: ARG001 - hashed
    """Say what is in the register of a database as it stands at its last entry, once for all sessions."""
    return read_overview(get_store())


@st.cache_resource(max_entries=2, show_spinner="Counting")
def _get_sums(url: str, last: str) -> pd.DataFrame:  # noqa: ARG001 - hashed
    return sum_estimates(get_store())


@st.cache_data(scope="session", max_entries=32, show_spinner=False)
def _count(number: int, _store: Store, wanted: Filter) -> int:  # noqa: ARG001 - hashed
    return count_estimates(_store, wanted)


def _write_estimate(probability: float, low: float, high: float) -> str:
    if math.isnan(probability):
        return "withheld"
    alone = format_percent(probability)
    return alone if math.isnan(low) else f"{alone} ({100 * low:.0f} to {100 * high:.0f})"


def _open_row() -> None:
    rows, listed = st.session_state[TABLE]["selection"]["rows"], get_state().listed
    change_state(RegisterState.open, listed[rows[0]] if rows and rows[0] < len(listed) else None)


def _open_named() -> None:
    change_state(RegisterState.open, st.session_state[OPEN])
