"""Ask for a cohort: the bundle's own, or a prediction table with its columns matched."""

import hashlib

import pandas as pd
import streamlit as st

from core.cohort import PredictionTable, read_header, read_predictions
from core.cohort.predictions import ALIASES, match_columns
from core.errors import ModelError, TableError
from core.ui.cohort.current import (
    BORROW,
    CHOICE,
    SHIPPED_LABEL,
    UPLOADED_LABEL,
    Cohort,
    get_shipped,
    get_uploaded,
    keep_uploaded,
)
from core.ui.resources import get_bundle
from core.ui.upload import take_upload
from models.cutoff import DEFAULT_CUTOFF, Cutoff

ROUND, PENDING, FAILED = "cohort_round", "cohort_pending", "cohort_failed"
BY_NAME = "(by name)"
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
    if get_shipped() is not None and get_uploaded() is not None:
        st.segmented_control(
            "Cohort",
            [SHIPPED_LABEL, UPLOADED_LABEL],
            required=True,
            key=CHOICE,
            persist_state="session",
            wrap=True,
        )
    with st.expander(
        "Judge the model on a cohort of your own", expanded=get_shipped() is None or PENDING in st.session_state
    ):
        st.markdown(
            "A table with one row a patient: `prob` (probability of high Ki-67) and `y` (1 if Ki-67 was high) or "
            "`ki67_pct`; where known `patient_id`, `split`, `centre`, `prob_<model>`, `lnm`, `prob_lnm`, `aln_us`, "
            "`rfs_months`, `rfs_event`, `age`, `size_mm`. Columns that are not known are not read. "
            "The table stays in the memory of this session and is not stored."
        )
        st.download_button(
            "Template (CSV)", render_template, file_name="sonoki_template.csv", mime="text/csv", on_click="ignore"
        )
        key = f"cohort_upload_{st.session_state.setdefault(ROUND, 0)}"
        st.file_uploader("Prediction table: CSV or XLSX", key=key, on_change=_take_upload, args=(key,))
        _show_failure()
        if PENDING in st.session_state:
            _ask_mapping()


def show_reading(cohort: Cohort) -> None:
    """Show which rows were refused, which columns were read, and what was assumed."""
    for note in cohort.read.notes:
        st.caption(note)
    if cohort.read.refused:
        st.markdown(f"**{len(cohort.read.refused):,} rows were refused; the others are evaluated.**")
        refused = tabulate_refused(cohort.read)
        st.dataframe(refused, hide_index=True, height=min(400, 38 * (len(refused) + 1)), alt="Rows refused")
        st.download_button(
            "Refused rows (CSV)",
            refused.to_csv(index=False, lineterminator="\n").encode("utf-8"),
            file_name="sonoki_refused_rows.csv",
            mime="text/csv",
            on_click="ignore",
            type="tertiary",
        )
    renamed = {name: column for name, column in cohort.read.columns.items() if name != column}
    if renamed:
        st.caption("Columns read under another name: " + ", ".join(f"{v} as {k}" for k, v in renamed.items()) + ".")


def ask_borrowing(cohort: Cohort) -> None:
    """Ask whether an uploaded table's probabilities are the bundle's, so that its frozen threshold holds for them."""
    if cohort is get_shipped() or get_uploaded() is None:
        return
    try:
        bundle = get_bundle()
    except ModelError:
        return
    cut = bundle.manifest["threshold"]["value"]
    st.toggle(
        f"These probabilities come from the bundle {bundle.name}: take its frozen threshold of {cut:.3f}",
        key=BORROW,
        persist_state="session",
    )


def tabulate_refused(read: PredictionTable) -> pd.DataFrame:
    """List the refused rows with their reasons; the header is row 1."""
    return pd.DataFrame(read.refused, columns=["Row", "Reason"])


def render_template() -> bytes:
    """Write a prediction table with two made-up rows, to be filled in."""
    table = pd.DataFrame(TEMPLATE_ROWS, columns=list(TEMPLATE_COLUMNS))
    return table.to_csv(index=False, lineterminator="\n").encode("utf-8")


def _take_upload(key: str) -> None:
    """Read an upload; its bytes are kept only until its columns are matched."""
    content = take_upload(key)
    if content is not None:
        st.session_state.pop(PENDING, None)
        st.session_state.pop(FAILED, None)
        _read(content, {})
        st.session_state[ROUND] += 1


def _read(data: bytes, mapping: dict[str, str]) -> None:
    header: list[str] = []
    try:
        header = read_header(data)
        match_columns(header, mapping)
    except TableError as error:
        st.session_state[FAILED] = (str(error), error.rows)
        if header:
            st.session_state[PENDING] = (data, header)
        return
    try:
        read = read_predictions(data, mapping=mapping, cutoff=_get_cutoff())
    except TableError as error:
        st.session_state[FAILED] = (str(error), error.rows)
    else:
        keep_uploaded(read, hashlib.sha256(data + repr(sorted(mapping.items())).encode()).hexdigest())
    st.session_state.pop(PENDING, None)


def _show_failure() -> None:
    if FAILED not in st.session_state:
        return
    sentence, rows = st.session_state[FAILED]
    st.error(sentence)
    if rows:
        st.dataframe(pd.DataFrame(rows, columns=["Row", "Reason"]), hide_index=True, alt="Rows refused")


def _ask_mapping() -> None:
    _, header = st.session_state[PENDING]
    with st.form("cohort_mapping"):
        st.markdown("**Which column stands for which?**")
        left, right = st.columns(2)
        for index, name in enumerate(ALIASES):
            (left, right)[index % 2].selectbox(name, [BY_NAME, *header], key=f"cohort_map_{name}")
        st.form_submit_button("Read the table", on_click=_take_mapping, type="primary")


def _take_mapping() -> None:
    data, _ = st.session_state[PENDING]
    chosen = {name: st.session_state[f"cohort_map_{name}"] for name in ALIASES}
    st.session_state.pop(FAILED, None)
    _read(data, {name: column for name, column in chosen.items() if column != BY_NAME})


def _get_cutoff() -> Cutoff:
    try:
        return get_bundle().cutoff
    except ModelError:
        return DEFAULT_CUTOFF
