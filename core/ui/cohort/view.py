"""What the evaluation pages look at: the cohort after its filters, the threshold, and results computed once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.cohort.record import count_reasons
from core.cohort.splits import SPLIT_NAMES, label_split
from core.errors import TableError
from core.evaluation import ThresholdResult
from core.evaluation.cohort.provenance import render_input
from core.evaluation.cohort.split import FITTED_ON
from core.figures.cohort.exhibit import LARGE, Patients
from core.plain_text import plain
from core.ui.cohort.current import Cohort, get_cohort
from core.ui.cohort.filters import Chosen, ask_filters, describe_filters, filter_table, list_filters

ALL = "all"
SHOWN = {**SPLIT_NAMES, ALL: "whole"}
Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class View:
    """The patients that the filters leave."""

    cohort: Cohort  # where they come from
    table: pd.DataFrame  # one row per patient
    split: str  # their split
    filters: Chosen = ()  # column and what was chosen in it; empty means all

    @property
    def key(self) -> tuple[object, ...]:
        """What tells this view from any other."""
        return (*self.cohort.key, self.split, self.filters)

    @property
    def name(self) -> str:
        """The patients as sentences call them: "the external test of the simulated cohort (centre D)"."""
        title = self.cohort.title
        name = title if self.split == ALL else f"the {SHOWN[self.split]} of {title}"
        return f"{name} ({describe_filters(self.filters)})" if self.filters else name

    @property
    def identity(self) -> str:
        """Hash of the cohort's file."""
        return self.cohort.sha256

    @property
    def is_simulated(self) -> bool:
        """Whether the patients are made up."""
        return self.cohort.is_simulated

    @property
    def count(self) -> int:
        """How many patients there are."""
        return len(self.table)

    def render_input(self) -> dict[str, object]:
        """Say how the cohort was read."""
        return render_input(self.cohort.read)

    def widen(self) -> "View":
        """Give the whole cohort, without filters."""
        return View(self.cohort, self.cohort.table, ALL)

    def at(self, threshold: ThresholdResult) -> Patients:
        """Give the patients with their threshold, as exhibits are made of them."""
        table, refused, is_development = self.cohort.table, self.cohort.read.refused, self.split == FITTED_ON
        reasons = count_reasons(refused)
        return Patients(self.table, table, self.name, threshold, is_development, len(refused), reasons)


def begin_line() -> DeltaGenerator:
    """Give a line of controls, which folds where the page is narrow."""
    return st.container(horizontal=True, vertical_alignment="center", gap="small")


def ask_view(*, whole: bool = False) -> View:
    """Draw the filters, the same on all pages, and apply them."""
    cohort = get_cohort()
    if cohort is None:
        st.info("There is no cohort yet: upload a prediction table on the Cohort page.")
        st.page_link("pages/2_Cohort.py", label="Go to the Cohort page")
        st.stop()
    table, mark = cohort.table, cohort.sha256[:12]
    present = set(table["split"])
    splits = [name for name in SHOWN if name in present]
    with begin_line():
        split = ALL if whole else _ask_split(splits, mark)
        chosen: Chosen = ()
        if list_filters(table):
            with st.popover("Filters", width="content"):
                chosen = ask_filters(table, mark)
        part = table if split == ALL else table[table["split"] == split]
        view = View(cohort, filter_table(part, chosen), split, chosen)
        marked = " :orange-badge[SIMULATED]" if cohort.is_simulated else ""
        filtered = f": {plain(describe_filters(chosen))}" if chosen else ""
        st.caption(f"{len(view.table):,} of {len(table):,} patients of {plain(cohort.title)}{filtered}{marked}")
    if view.table.empty:
        raise TableError("The filters leave no patient; widen them.")
    return view


def compute_once(source: Cohort | View, compute: Callable[..., Result], **options: Any) -> Result:
    """Compute a result for a cohort or view once a session."""
    patients: Patients | None = options.get("patients")
    told = {**options, "patients": patients and (patients.name, vars(patients.threshold))}
    owner = getattr(compute, "__self__", compute)  # the class of an exhibit, whose `of` may be inherited
    key = (owner.__module__, owner.__qualname__, source.key, tuple(sorted(told.items())))
    return _compute(key, lambda: compute(**options) if patients else compute(source.table, **options))


def ask_for_slow(view: View, name: str, label: str) -> bool:
    """Ask before a large cohort keeps the page waiting; True for up to 20,000 patients, and once it was pressed."""
    if len(view.table) <= LARGE:
        return True
    asked = st.session_state.setdefault("cohort_slow", set())
    if (name, view.key) not in asked and st.button(f"{label} ({len(view.table):,} patients; takes a while)", key=name):
        asked.add((name, view.key))
    return (name, view.key) in asked


@st.cache_data(scope="session", max_entries=64, show_spinner="Computing")
def _compute(key: tuple[object, ...], _compute: Callable[[], Any]) -> Any:  # noqa: ARG001 - hashed
    return _compute()


def _ask_split(splits: list[str], mark: str) -> str:
    return str(
        st.segmented_control(
            "Split",
            splits,
            default=splits[-1],
            format_func=lambda name: SHOWN[ALL].capitalize() if name == ALL else label_split(name),
            required=True,
            key=f"cohort_split_{mark}",
            label_visibility="collapsed",
            persist_state="session",
            width="content",
            wrap=True,
        )
    )
