"""What the evaluation pages look at: the cohort after its filters, the threshold, and results computed once."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.errors import TableError
from core.plain_text import plain
from core.ui.cohort.current import Cohort, get_cohort
from core.ui.cohort.filters import Chosen, ask_filters, describe_filters, filter_table, make_places

ALL = "all"
SPLIT_NAMES = {
    "train": "training split",
    "validation": "validation split",
    "test": "internal test",
    "external": "external test",
    ALL: "whole",
}
LARGE = 20_000
FITTED_ON = "train"
Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class View:
    """The patients that the filters leave.

    Parameters
    ----------
    cohort : Cohort
        Where they come from.
    table : DataFrame
        One row a patient.
    split : str
        Their split.
    filters : tuple of (str, tuple of str)
        Column and what was chosen in it; empty means all.
    """

    cohort: Cohort
    table: pd.DataFrame
    split: str
    filters: Chosen = ()

    @property
    def key(self) -> tuple[object, ...]:
        """What tells this view from any other."""
        return (*self.cohort.key, self.split, self.filters)

    @property
    def name(self) -> str:
        """The patients as sentences call them: "the external test of the simulated cohort (centre D)"."""
        name = f"the {SPLIT_NAMES[self.split]} of {self.cohort.title}"
        return f"{name} ({describe_filters(self.filters)})" if self.filters else name

    def widen(self) -> "View":
        """Give the whole cohort, without filters."""
        return View(self.cohort, self.cohort.table, ALL)

    @property
    def is_development(self) -> bool:
        """Whether the model was fitted on these patients."""
        return self.split == FITTED_ON


def ask_view(*, whole: bool = False) -> View:
    """Draw the filters, the same on all pages, and apply them.

    Parameters
    ----------
    whole : bool
        Whether all splits are looked at together; then there is no filter for them.

    Returns
    -------
    View
        At least one patient; without a cohort, or without patients, the page ends here.

    Raises
    ------
    TableError
        If the filters leave nobody.
    """
    cohort = get_cohort()
    if cohort is None:
        st.info("There is no cohort yet: upload a prediction table on the Cohort page.")
        st.page_link("pages/2_Cohort.py", label="Go to the Cohort page")
        st.stop()
    table, mark = cohort.table, cohort.sha256[:12]
    present = set(table["split"])
    splits = [name for name in SPLIT_NAMES if name in present]
    places = make_places(table, 0 if whole else 1)
    split = ALL if whole else _ask_split(places.pop(0), splits, mark)
    chosen = ask_filters(places, table, mark)
    part = table if split == ALL else table[table["split"] == split]
    view = View(cohort, filter_table(part, chosen), split, chosen)
    marked = " :orange-badge[SIMULATED]" if cohort.is_simulated else ""
    st.caption(f"{len(view.table):,} of {len(table):,} patients of {plain(cohort.title)}{marked}")
    if view.table.empty:
        raise TableError("The filters leave no patient; widen them.")
    return view


def compute_once(
    source: Cohort | View, compute: Callable[..., Result], *columns: str | None, **options: Hashable
) -> Result:
    """Compute a result for a cohort or view once a session.

    Parameters
    ----------
    source : Cohort or View
        Whose table.
    compute : callable
        A public function of `core.evaluation`.
    columns : str
        Columns of the table to give it, one an argument; without any it gets the whole table.
    options : hashable
        Keyword arguments.

    Returns
    -------
    object
        What it returned; its own copy.
    """
    table = source.table
    key = (compute.__module__, compute.__qualname__, source.key, columns, tuple(sorted(options.items())))
    arguments = [table[name] for name in columns] if columns else [table]
    return _compute(key, lambda: compute(*arguments, **options))


def require_columns(view: View, *columns: str, what: str) -> None:
    """End the page in a sentence if the table has no values in a column.

    Parameters
    ----------
    view : View
        The patients.
    columns : str
        Columns that are needed.
    what : str
        What they are needed for.
    """
    lacking = [name for name in columns if name not in view.table or view.table[name].isna().all()]
    if lacking:
        names = " and ".join(lacking)
        st.info(plain(f"There are no values in {names} in {view.name}, so {what} can't be shown."))
        st.stop()


def ask_for_slow(view: View, name: str, label: str) -> bool:
    """Ask before a large cohort keeps the page waiting.

    Parameters
    ----------
    view : View
        The patients.
    name : str
        What is slow; a key.
    label : str
        Text of the button.

    Returns
    -------
    bool
        True for up to 20,000 patients, and once the button was pressed for this view.
    """
    if len(view.table) <= LARGE:
        return True
    asked = st.session_state.setdefault("cohort_slow", set())
    if (name, view.key) not in asked and st.button(f"{label} ({len(view.table):,} patients; takes a while)", key=name):
        asked.add((name, view.key))
    return (name, view.key) in asked


@st.cache_data(scope="session", max_entries=64, show_spinner="Computing")
def _compute(key: tuple[object, ...], _compute: Callable[[], Any]) -> Any:
    return _compute()


def _ask_split(place: DeltaGenerator, splits: list[str], mark: str) -> str:
    return str(
        place.segmented_control(
            "Split",
            splits,
            default=splits[-1],
            format_func=lambda name: SPLIT_NAMES[name].removesuffix(" split").capitalize(),
            required=True,
            key=f"cohort_split_{mark}",
            persist_state="session",
            wrap=True,
        )
    )
