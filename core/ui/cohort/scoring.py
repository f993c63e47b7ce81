"""Score a cohort's images: upload, progress with rate and time left, stop, go on."""

import hashlib
from dataclasses import replace
from threading import Event

import pandas as pd
import streamlit as st

from core.cohort import read_predictions
from core.cohort.scoring.job import ScoringJob
from core.cohort.scoring.score import ScoredCohort, describe_boxes
from core.errors import TableError
from core.inference.queue.cohort_reader import BulkReader
from core.plain_text import plain
from core.spreadsheet import disarm_table, render_csv
from core.ui.cohort.current import keep_uploaded
from core.ui.cohort.hints import point_to_file
from core.ui.errors import guard, report_errors
from core.ui.resources import get_bundle, get_worker
from core.ui.session import end_with_session, name_owner
from core.ui.upload import take_upload

OPEN = "The table has no ki67_pct: the tumour board shows these patients, but the model can't be evaluated on them yet."
JOB, ROUND, FAILED = "scoring_job", "scoring_round", "scoring_failed"
TEMPLATE = (
    "patient_id,image,box,centre,age,menopausal,palpable,size_mm,adler,birads,aln_suspicious,ki67_pct\n"
    'P-001,images/P-001.png,"120,80,260,190",A,54,post,yes,24,2,4C,negative,35\n'
    "P-002,images/P-002.dcm,,A,61,post,no,13,1,4A,,\n"
)


def ask_scoring() -> None:
    """Draw the upload of a package, or the state of its scoring."""
    with st.expander("Score the images of a cohort of your own", expanded=JOB in st.session_state):
        if JOB in st.session_state:
            _show_job()
            return
        st.markdown(
            "A zip archive with one table (CSV, Excel, ODS or Parquet, one row per image) and the images it names: "
            "`patient_id` and `image` are needed; `box` (x0,y0,x1,y1 in pixels), `centre`, clinical values and "
            "`ki67_pct` where known. "
            "Files stay in a temporary folder of this server for as long as this session shows the cohort."
        )
        st.download_button(
            "Template of the table (CSV)", TEMPLATE, "sonoki_manifest.csv", "text/csv", on_click="ignore"
        )
        key = f"scoring_upload_{st.session_state.setdefault(ROUND, 0)}"
        st.file_uploader("Table and images: ZIP", key=key, on_change=guard(_take_upload), args=(key,))
        if FAILED in st.session_state:
            _show_failure(*st.session_state[FAILED])


def _take_upload(key: str) -> None:
    content = take_upload(key)
    if content is None:
        return
    st.session_state.pop(FAILED, None)
    st.session_state[ROUND] += 1
    stop = Event()
    try:
        job = ScoringJob(content, BulkReader(get_worker(), owner=name_owner(), stop=stop), stop=stop)
    except TableError as error:
        st.session_state[FAILED] = (str(error), error.rows)
    else:
        st.session_state[JOB] = job
        end_with_session(job)


def _discard() -> None:
    st.session_state.pop(JOB).close()


@st.fragment(run_every=1.0)
def _show_job() -> None:
    with report_errors():
        _draw_job()


def _draw_job() -> None:
    job: ScoringJob = st.session_state[JOB]
    if job.scored is not None:
        _finish(job.scored)
        st.rerun(scope="app")
    st.progress(job.done / job.total if job.total else 0.0, text=_describe(job))
    if job.is_running:
        st.button("Stop", on_click=guard(job.stop), key="scoring_stop")
        return
    if job.failure is not None:
        _show_failure(str(job.failure), getattr(job.failure, "rows", ()))
    with st.container(horizontal=True):
        st.button("Go on", on_click=guard(job.start), key="scoring_start", type="primary")
        if st.button("Discard", on_click=guard(_discard), key="scoring_discard"):
            st.rerun(scope="app")


def _describe(job: ScoringJob) -> str:
    if not job.total:
        return "Reading the table" if job.is_running else "Nothing was scored."
    words = f"{job.done:,} of {job.total:,} images"
    if not job.is_running:
        return f"{words}, stopped"
    left = job.seconds_left
    return f"{words}, {job.rate:.1f} a second" + ("" if left is None else f", {left:.0f} s left")


def _finish(scored: ScoredCohort) -> None:
    """Make the scored table the page's cohort, as an uploaded one; rows that failed stay named."""
    is_open = "y" not in scored.table
    table = scored.table.assign(y="") if is_open else scored.table
    data = render_csv(table)
    job = st.session_state.pop(JOB)
    try:
        read = read_predictions(data, cutoff=get_bundle().cutoff, outcome_needed=not is_open)
    except TableError as error:
        st.session_state[FAILED] = (str(error), scored.refused)
    else:
        notes = (*read.notes, *scored.reading.notes, describe_boxes(scored.boxes), *((OPEN,) if is_open else ()))
        reading = replace(
            scored.reading,
            rows=scored.reading.rows,
            refused=(*read.refused, *scored.refused),
            notes=tuple(dict.fromkeys(notes)),
        )
        keep_uploaded(replace(read, reading=reading), hashlib.sha256(data).hexdigest(), job)


def _show_failure(sentence: str, rows: tuple[tuple[int, str], ...]) -> None:
    st.error(plain(point_to_file(sentence)))
    if rows:
        table = pd.DataFrame([(row, point_to_file(reason)) for row, reason in rows], columns=["Row", "Reason"])
        st.dataframe(disarm_table(table), hide_index=True, alt="Rows that could not be scored")
        st.download_button(
            "Rows that failed (CSV)",
            render_csv(table),
            "sonoki_failed_rows.csv",
            "text/csv",
            on_click="ignore",
        )
