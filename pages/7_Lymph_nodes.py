"""Lymph nodes: whether the predicted group goes with node metastasis."""

import streamlit as st

from core.evaluation.cohort_results import settle_threshold
from core.evaluation.evaluate import render_nodes, render_plain
from core.evaluation.split_evaluation import compute_nodes
from core.figures.cohort_tables import tabulate_node_predictors, tabulate_node_rates
from core.figures.lymph_nodes import describe_lymph_nodes, plot_lymph_nodes
from core.figures.rendering import render_png, render_svg
from core.figures.tables import tabulate_confusion, write_number
from core.ui import begin_page
from core.ui.cohort_result import show_method, show_result, show_table
from core.ui.cohort_threshold import describe_threshold, find_threshold
from core.ui.cohort_view import ask_view, compute_once, require_columns

DRAW = {"svg": render_svg, "png": render_png}

with begin_page("Lymph nodes"):
    view = ask_view()
    require_columns(view, "lnm", what="node metastasis")
    threshold = find_threshold(view, settle_threshold)
    if threshold.threshold is None:
        st.caption(f"There are no predicted groups: {threshold.reason}")
        st.stop()
    st.caption(describe_threshold(threshold))
    nodes = compute_once(view, compute_nodes, cut=threshold.threshold)
    figure, numbers = st.columns([3, 2], gap="large")
    with figure:
        show_result(
            view,
            plot_lymph_nodes(nodes),
            name="lymph_nodes",
            alt=describe_lymph_nodes(nodes, cohort=view.name),
            data=nodes.rates,
            record=render_plain(render_nodes(nodes)),
            draw=DRAW,
        )
    with numbers:
        show_table(tabulate_node_rates(nodes), "Node metastasis by predicted group")
        st.markdown(f"Difference high minus low: {write_number(nodes.difference, nodes.difference_ci)}.")
        st.header("The group as a classifier of metastasis", anchor=False)
        show_table(tabulate_confusion(nodes.group_classifier), "The predicted group as classifier of metastasis")

    st.header("What predicts metastasis", anchor=False)
    show_table(tabulate_node_predictors(nodes), "Predictors of node metastasis side by side")
    st.info(nodes.note)
    show_method(
        "Rates with Wilson intervals, difference with Newcombe's; Pearson's chi-squared test without correction, "
        "Fisher's exact test when an expected count lies below 5. The dedicated node head is judged with and without "
        "axillary ultrasound among its inputs; paired DeLong tests. None of this replaces the sentinel node biopsy."
    )
