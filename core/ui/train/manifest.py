"""The table of a training: how its columns are read, and what the check says of it before anything is computed."""

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from core.clinical import KNOWN, read_title
from core.cohort.manifest import FIELDS, Manifest, read_manifest
from core.errors import TableError
from core.plain_text import plain
from core.spreadsheet import disarm_table, render_csv
from core.training.check import check_read
from core.training.plan import TrainingPlan
from core.ui.cohort.columns import list_questions, show_columns
from core.ui.cohort.hints import point_below
from core.ui.cohort.reread import TableForm, ask_columns, suggest
from core.ui.cohort.session import change_own, get_own
from core.ui.cohort.state import ManifestRead, Refusal, TableRefused
from core.ui.train.source import STATE

CHECKED, CENTRES = "train_checked", "train_centres"
MOST_ROWS = 20


def show_check(path: Path, plan: TrainingPlan) -> bool:
    """Show how the columns are read and what `train --check` says; give whether the table can be trained on."""
    found = _check(path, plan)
    own = get_own(STATE)
    if found is None:
        _show_refusal(own.refusal or Refusal(""))
        ask_columns(FORM, is_open=True)
        return False
    for sentence in found["findings"]:
        st.markdown(f"- {plain(point_below(sentence))}")
    show_refused(found["refused"], "Rows refused by the check")
    if own.reading is not None:
        show_columns(own.reading, point_below)
        ask_columns(FORM, is_open=bool(list_questions(own.reading)))
    return bool(found["is_enough"])


def show_refused(refused: list[tuple[int, str]], alt: str) -> None:
    """List refused rows with their reasons, and offer all of them as CSV."""
    if not refused:
        return
    table = pd.DataFrame([(row, point_below(why)) for row, why in refused], columns=["Row", "Reason"])
    st.dataframe(disarm_table(table.head(MOST_ROWS)), hide_index=True, alt=alt)
    if len(table) > MOST_ROWS:
        st.caption(f"The first {MOST_ROWS} of {len(table):,} rows; the file holds all.")
    name = f"sonoki_{alt.lower().replace(' ', '_')}.csv"
    st.download_button(f"{alt} (CSV)", render_csv(table), name, "text/csv", on_click="ignore", type="tertiary")


def list_centres(path: Path) -> list[str]:
    """List the centres of which one can be held out; none where the table gives the split, or is not read yet."""
    known: dict[Path, list[str]] = st.session_state.setdefault(CENTRES, {})
    return known.get(path, [])


def _check(path: Path, plan: TrainingPlan) -> dict[str, Any] | None:
    """Check the table, once for what was decided; None where it is refused as a whole."""
    key = (path, repr(plan.choices), plan.cutoff, plan.external, plan.few)
    known = st.session_state.get(CHECKED)
    if known is None or known[0] != key:
        with st.spinner("Checking the table"):
            before = list_centres(path)
            known = (key, _read(path, plan))
        st.session_state[CHECKED] = known
        if list_centres(path) != before:
            st.rerun()  # the options above offer the centres
    found: dict[str, object] | None = known[1]
    return found


def _read(path: Path, plan: TrainingPlan) -> dict[str, object] | None:
    try:
        manifest = read_manifest(path, plan.split_rule, plan.choices, confined=True)
        found = check_read(manifest, plan)
    except TableError as error:
        change_own(TableRefused(Refusal(str(error), error.rows, error.column)), STATE)
        suggest(FORM, error.column, KNOWN.get(read_title(error.column).name, ""))
        return None
    change_own(ManifestRead(manifest.reading), STATE)
    st.session_state[CENTRES] = {path: _find_centres(manifest)}
    return found


def _find_centres(manifest: Manifest) -> list[str]:
    has_split = any(column.name == "split" and not column.problem for column in manifest.reading.columns)
    return [] if has_split else sorted(set(manifest.patients["centre"]))


def _show_refusal(refusal: Refusal) -> None:
    st.error(plain(point_below(refusal.sentence)))
    show_refused(list(refusal.rows), "Rows refused by the check")


def _read_again() -> None:
    """Let the next run of the page check the table anew."""
    st.session_state.pop(CHECKED, None)


FORM = TableForm(STATE, FIELDS, _read_again)
