"""Ask for a cohort: the bundle's own, or a prediction table, and say how its columns were read."""

import hashlib
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.clinical import KNOWN, read_title
from core.cohort import PredictionTable, read_predictions
from core.cohort.predictions import FIELDS
from core.cohort.record import group_reasons
from core.errors import ModelError, TableError
from core.plain_text import plain
from core.spreadsheet import disarm_table, render_csv
from core.ui.cohort.columns import list_questions, show_columns
from core.ui.cohort.current import (
    CHOICE,
    REGISTER_LABEL,
    UPLOADED_LABEL,
    Cohort,
    get_scoring_bundle,
    get_shipped,
    get_uploaded,
    keep_uploaded,
    list_choices,
    name_borrowing,
)
from core.ui.cohort.hints import Point, point_below, point_to_file
from core.ui.cohort.reread import TableForm, ask_columns, forget_file_answers, suggest
from core.ui.cohort.session import STATE, change_own, get_own
from core.ui.cohort.state import FileGiven, Refusal, TableRefused
from core.ui.errors import guard, guard_file
from core.ui.resources import get_bundle
from core.ui.upload import take_upload
from models.cutoff import DEFAULT_CUTOFF, Cutoff

SHOWN_ROWS = 10
TEMPLATE_COLUMNS = (
    "patient_id",
    "split",
    "centre",
    "y",
    "prob",
    "prob_image",
    "prob_clinical",
    "prob_m2",
    "lnm",
    "prob_lnm",
    "prob_lnm_without_aln_us",
    "aln_us",
    "rfs_months",
    "rfs_event",
    "age",
    "size_mm",
)
TEMPLATE_ROWS = (
    ("P-001", "external", "A", 1, 0.71, 0.66, 0.58, 0.74, 1, 0.52, 0.47, 1, 38.5, 0, 54, 24),
    ("P-002", "external", "A", 0, 0.22, 0.31, 0.27, 0.18, 0, 0.12, 0.14, 0, 41.0, 0, 61, 13),
)


def ask_cohort() -> None:
    """Draw the choice of the cohort, and the upload with its template and mapping form."""
    choices = list_choices()
    if len(choices) > 1:
        if st.session_state.get(CHOICE) not in choices:
            st.session_state[CHOICE] = UPLOADED_LABEL if UPLOADED_LABEL in choices else choices[0]
        st.segmented_control(
            "Cohort",
            choices,
            required=True,
            key=CHOICE,
            persist_state="session",
            wrap=True,
        )
    if st.session_state.get(CHOICE) == REGISTER_LABEL:
        from core.ui.cohort.register import ask_register  # noqa: PLC0415 - brings the database

        ask_register()
    own = get_own()
    is_open = get_shipped() is None or own.refusal is not None
    with st.expander("Evaluate the model on a cohort of your own", expanded=is_open):
        st.markdown(
            "A table with one row per patient: the probability of high Ki-67, and whether Ki-67 was high (or its value "
            "in per cent); where known patient, centre, part of the data, follow-up and recurrence, lymph nodes, "
            "age, size. Columns are found by their names in English, German, French, Spanish or Chinese; what each was "
            "taken for is shown and can be changed. The table stays in the memory of this session and is not stored."
        )
        st.download_button(
            "Template (CSV)",
            guard_file(render_template),
            file_name="sonoki_template.csv",
            mime="text/csv",
            on_click="ignore",
        )
        key = f"cohort_upload_{own.uploads}"
        st.file_uploader(
            "Prediction table: CSV, Excel, ODS or Parquet", key=key, on_change=guard(_take_upload), args=(key,)
        )
        if own.refusal is not None:
            _show_refusal(own.refusal)
            ask_columns(FORM, is_open=True)


def show_reading(cohort: Cohort) -> None:
    """Show which rows were refused, which columns were read, and what was assumed."""
    own = get_own()
    has_form = cohort.sha256 == own.sha256 and own.content is not None and own.refusal is None
    point = point_below if has_form else point_to_file
    for note in map(point, cohort.read.notes):
        st.caption(plain(note))
    if cohort.read.refused:
        st.markdown(f"**{len(cohort.read.refused):,} of {cohort.read.reading.rows:,} rows were refused.**")
        refused = tabulate_refused(cohort.read, point)
        groups = tabulate_reasons(cohort.read, point)
        if len(groups) < len(refused):
            st.dataframe(disarm_table(groups), hide_index=True, alt="Rows refused, by reason")
        st.dataframe(
            disarm_table(refused), hide_index=True, height=min(400, 38 * (len(refused) + 1)), alt="Rows refused"
        )
        st.download_button(
            "Refused rows (CSV)",
            render_csv(tabulate_all_refused(cohort.read, point)),
            file_name="sonoki_refused_rows.csv",
            mime="text/csv",
            on_click="ignore",
            type="tertiary",
        )
    if cohort.read.reading.columns:
        show_columns(cohort.read.reading, point)
    if has_form:
        ask_columns(FORM, is_open=bool(list_questions(cohort.read.reading)))


def ask_borrowing(cohort: Cohort) -> None:
    """Ask whether an uploaded table's probabilities are the bundle's, so that its frozen threshold holds for them."""
    if cohort.sha256 != get_own().sha256:
        return
    try:
        bundle = get_scoring_bundle()
    except ModelError:
        return
    cut = bundle.manifest.call_rule.threshold
    st.toggle(
        f"These probabilities come from the bundle {plain(bundle.name)}: take its frozen threshold of {cut:.3f}",
        key=name_borrowing(bundle),
        persist_state="session",
    )


def tabulate_refused(read: PredictionTable, point: Point) -> pd.DataFrame:
    """List refused rows with their reasons, at most ten of each reason; the header is row 1."""
    rows = [row for _, group in group_reasons(read.refused) for row in group[:SHOWN_ROWS]]
    return _tabulate_rows(sorted(rows), point)


def tabulate_all_refused(read: PredictionTable, point: Point) -> pd.DataFrame:
    """List all refused rows with their reasons."""
    return _tabulate_rows(read.refused, point)


def _tabulate_rows(rows: Sequence[tuple[int, str]], point: Point) -> pd.DataFrame:
    return pd.DataFrame([(row, point(reason)) for row, reason in rows], columns=["Row", "Reason"])


def tabulate_reasons(read: PredictionTable, point: Point) -> pd.DataFrame:
    """Count the refused rows by reason."""
    counts = [(point(reason), len(rows)) for reason, rows in group_reasons(read.refused)]
    return pd.DataFrame(counts, columns=["Reason", "Rows"])


def render_template() -> bytes:
    """Write a prediction table with two made-up rows, to be filled in."""
    table = pd.DataFrame(TEMPLATE_ROWS, columns=list(TEMPLATE_COLUMNS))
    return render_csv(table)


def _take_upload(key: str) -> None:
    """Read an upload; its bytes are kept in the session, so that a column can be read otherwise."""
    content = take_upload(key)
    if content is not None:
        change_own(FileGiven(content))
        forget_file_answers()
        _read()


def _read() -> None:
    """Read the session's file, with what was settled about it; what has a question is where the form begins."""
    own = get_own()
    if own.content is None:
        return
    try:
        read = read_predictions(own.content, own.choices, cutoff=_get_cutoff())
    except TableError as error:
        change_own(TableRefused(Refusal(str(error), error.rows, error.column)))
        suggest(FORM, error.column, KNOWN.get(read_title(error.column).name, ""))
    else:
        keep_uploaded(read, hashlib.sha256(own.content + repr(own.choices).encode()).hexdigest())
        doubtful = [(c.column, c.name) for c in read.reading.columns if c.problem]
        doubtful += [(column, guess) for column, guess in read.reading.unread if guess]
        suggest(FORM, *(doubtful[0] if doubtful else ("", "")))


def _show_refusal(refusal: Refusal) -> None:
    st.error(plain(point_below(refusal.sentence)))
    if refusal.rows:
        st.dataframe(disarm_table(_tabulate_rows(refusal.rows, point_below)), hide_index=True, alt="Rows refused")
    if get_shipped() is not None or get_uploaded() is not None:
        st.caption("Until the file can be read, the pages show the cohort before.")


def _get_cutoff() -> Cutoff:
    try:
        return get_bundle().cutoff
    except ModelError:
        return DEFAULT_CUTOFF


FORM = TableForm(STATE, FIELDS, _read)
