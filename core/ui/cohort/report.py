"""The report of the whole evaluation: made once for a cohort and its threshold, with its progress, then downloaded."""

import streamlit as st

from core.evaluation import ThresholdResult
from core.evaluation.cohort.provenance import list_origin
from core.figures.cohort.report import render_report
from core.ui.cohort.current import Cohort
from core.ui.cohort.result import offer_file
from core.ui.waiting import begin_progress

KEPT = "cohort_report"


def offer_report(cohort: Cohort, threshold: ThresholdResult) -> None:
    """Offer the report, or to make it."""
    key = (cohort.key, cohort.title, tuple(vars(threshold).values()))
    place = st.empty()
    if st.session_state.get(KEPT, (None,))[0] != key:
        if not place.button("Make the report of the whole evaluation"):
            return
        bar = begin_progress(place, "The report is being written")
        page = render_report(
            cohort.read,
            threshold,
            title=cohort.title,
            simulated=cohort.is_simulated,
            origin=list_origin(cohort.read),
            watch=lambda done, total: bar.progress(done / total, f"{done} of {total} sections are written"),
        )
        st.session_state[KEPT] = (key, page)
    with place.container():
        report: bytes = st.session_state[KEPT][1]
        offer_file("report.html", lambda: report, label="Report of the whole evaluation (HTML)", prominent=True)
