"""Lymph nodes: whether the predicted group goes with node metastasis."""

import streamlit as st

from core.evaluation.cohort.net_benefit import compute_node_net_benefit
from core.evaluation.cohort.records import render_nodes, render_plain
from core.evaluation.cohort.results import settle_threshold
from core.evaluation.cohort.split import compute_nodes
from core.evaluation.estimate import write_estimate
from core.figures.cohort.cohort_tables import tabulate_node_predictors, tabulate_node_rates
from core.figures.cohort.decision_curve import NODE_RANGE, describe_decision_curve, plot_decision_curve
from core.figures.cohort.lymph_nodes import (
    describe_lymph_nodes,
    describe_node_roc,
    plot_lymph_nodes,
    plot_node_roc,
    tabulate_node_curves,
)
from core.figures.cohort.tables import tabulate_confusion, tabulate_net_benefit
from core.figures.rendering import render_png, render_svg
from core.plain_text import plain
from core.ui import begin_page
from core.ui.cohort.result import show_method, show_result, show_table
from core.ui.cohort.threshold import describe_threshold, find_threshold
from core.ui.cohort.view import ask_view, compute_once, require_columns

DRAW = {"svg": render_svg, "png": render_png}

with begin_page("Lymph nodes"):
    view = ask_view()
    require_columns(view, "lnm", what="node metastasis")
    threshold = find_threshold(view, settle_threshold)
    if threshold.threshold is None:
        st.caption(f"There are no predicted groups: {plain(threshold.reason)}")
        st.stop()
    st.caption(plain(describe_threshold(threshold)))
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
        st.markdown(
            f"Difference high minus low: {write_estimate(nodes.difference, nodes.difference_ci, nodes.reason)}."
        )
        st.header("The group as a classifier of metastasis", anchor=False)
        show_table(tabulate_confusion(nodes.group_classifier), "The predicted group as classifier of metastasis")

    st.header("What predicts metastasis", anchor=False)
    st.info(nodes.note)
    show_result(
        view,
        plot_node_roc(nodes),
        name="node_roc",
        alt=describe_node_roc(nodes, cohort=view.name),
        data=tabulate_node_curves(nodes),
        record=render_plain(render_nodes(nodes)),
        draw=DRAW,
    )
    show_table(tabulate_node_predictors(nodes), "Predictors of node metastasis side by side")

    benefit = compute_once(view, compute_node_net_benefit)
    if benefit is not None:
        st.header("Decision curve for node metastasis", anchor=False)
        show_result(
            view,
            plot_decision_curve(benefit, limits=NODE_RANGE),
            name="node_decision_curve",
            alt=describe_decision_curve(benefit, cohort=view.name, limits=NODE_RANGE),
            data=benefit.table,
            record=render_plain({"decision_curve": benefit.table, "n": benefit.n, "prevalence": benefit.prevalence}),
            draw=DRAW,
        )
        show_table(tabulate_net_benefit(benefit, (0.05, 0.1, 0.15, 0.2, 0.25, 0.3)), "Net benefit for node metastasis")
    show_method(
        "Rates with Wilson intervals, difference with Newcombe's; Pearson's chi-squared test without correction, "
        "Fisher's exact test when an expected count lies below 5. The node model is evaluated with and without "
        "axillary ultrasound among its inputs; paired DeLong tests. Net benefit is drawn for thresholds from 0.05 to "
        "0.30, fixed beforehand, on patients complete for all predictors; axillary ultrasound gives one decision "
        "whatever the threshold. None of this replaces the sentinel node biopsy."
    )
