"""Cohort: who is in it, how they flow into the analyses, and a cohort of one's own."""

import streamlit as st

from core.evaluation import count_flow
from core.evaluation.cohort.provenance import list_origin
from core.evaluation.cohort.records import render_plain
from core.evaluation.cohort.results import describe_patients, settle_threshold
from core.figures.cohort.cohort_tables import describe_flow, tabulate_cohort_flow, tabulate_table_one
from core.figures.cohort.flow import plot_flow
from core.figures.cohort.report import render_report
from core.figures.rendering import render_png, render_svg
from core.plain_text import plain
from core.ui import begin_page
from core.ui.cohort.input import ask_borrowing, ask_cohort, show_reading
from core.ui.cohort.result import offer_file, render_data, show_method, show_result, show_table
from core.ui.cohort.scoring import ask_scoring
from core.ui.cohort.threshold import describe_threshold, find_threshold
from core.ui.cohort.view import ask_view, compute_once

with begin_page("Cohort"):
    ask_cohort()
    ask_scoring()
    view = ask_view(whole=True)
    cohort = view.cohort
    show_reading(cohort)
    ask_borrowing(cohort)

    threshold = find_threshold(view, settle_threshold)
    offer_file(
        "report.html",
        lambda: render_report(
            cohort.read,
            threshold,
            title=cohort.title,
            simulated=cohort.is_simulated,
            origin=list_origin(cohort.read),
        ),
        label="Report of the whole evaluation (HTML)",
        prominent=True,
    )

    st.header("Flow of patients", anchor=False)
    flow = compute_once(cohort, count_flow, refused=len(cohort.read.refused))
    flow_table = tabulate_cohort_flow(flow)
    show_result(
        view.widen(),
        plot_flow(flow),
        name="flow",
        alt=describe_flow(flow, cohort.title),
        data=flow_table,
        record=render_plain({"read": flow.read, "refused": flow.refused, "splits": flow.table}),
        draw={"svg": render_svg, "png": render_png},
    )
    show_table(flow_table, "Patients from the file to each analysis, by split")

    st.header("Table 1", anchor=False)
    by_group = st.segmented_control(
        "Side by side",
        [False, True],
        default=False,
        format_func=lambda value: "Predicted groups" if value else "Splits",
        required=True,
        key="cohort_table_one",
        persist_state="session",
    )
    if by_group and threshold.threshold is None:
        st.caption(f"There are no predicted groups: {plain(threshold.reason)}")
        st.stop()
    if by_group:
        st.caption(plain(describe_threshold(threshold)))
    patients = compute_once(view, describe_patients, by="group" if by_group else "split", cut=threshold.threshold)
    table_one = tabulate_table_one(patients)
    show_table(table_one, "Characteristics of the patients with missing counts and standardised differences")
    offer_file("table_1.csv", lambda: render_data(view, table_one), label="Table 1 (CSV)")
    show_method(
        "Numbers: median (type-7 quartiles). Choices: count and per cent of those known. Standardised difference: the "
        "largest between any two columns; for numbers the difference of means over the pooled standard deviation, for "
        "choices the Mahalanobis distance of the proportions (Yang and Dalton 2012). Patients with a missing value are "
        "counted, never filled in."
    )
