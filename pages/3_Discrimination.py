"""Discrimination: whether the probability tells high from low."""

import streamlit as st

from core.evaluation import compute_confusion
from core.evaluation.cohort.records import render_comparison, render_confusion, render_plain, render_roc
from core.evaluation.cohort.results import compute_cohort_subgroups, compute_rocs, label_model, settle_threshold
from core.evaluation.cohort.split import MAIN, compare_models
from core.figures.cohort.forest import describe_forest, plot_forest
from core.figures.cohort.parts import describe_lower_auc
from core.figures.cohort.roc import describe_roc, plot_roc
from core.figures.cohort.tables import tabulate_confusion, tabulate_matrix, tabulate_models, tabulate_subgroups
from core.figures.rendering import render_png, render_svg
from core.figures.wording import thin_rows
from core.plain_text import plain
from core.ui import begin_page
from core.ui.cohort.result import show_method, show_result, show_table
from core.ui.cohort.threshold import ask_threshold, find_threshold
from core.ui.cohort.view import ask_for_slow, ask_view, compute_once

DRAW = {"svg": render_svg, "png": render_png}

with begin_page("Discrimination"):
    view = ask_view()
    threshold = ask_threshold(view, find_threshold(view, settle_threshold))
    main = label_model(MAIN)
    rocs = compute_once(view, compute_rocs)
    others = {name: roc for name, roc in rocs.items() if name != main}
    confusion = None
    if threshold.threshold is not None:
        confusion = compute_once(view, compute_confusion, "y", "prob", threshold=threshold.threshold)
    comparisons = compute_once(view, compare_models, cut=threshold.threshold)
    named = {label_model(comparison.model): comparison for comparison in comparisons}

    figure, numbers = st.columns([3, 2], gap="large")
    with figure:
        show_result(
            view,
            plot_roc(rocs[main], name=main, others=others, operating_point=confusion),
            name="roc",
            alt=describe_roc(rocs[main], cohort=view.name, operating_point=confusion),
            data=thin_rows(rocs[main].curve),
            record=render_plain(
                {
                    "discrimination": render_roc(rocs[main]),
                    "models": {name: render_roc(roc) for name, roc in others.items()},
                    "comparisons": [render_comparison(comparison) for comparison in comparisons],
                    "threshold": vars(threshold),
                    "confusion": None if confusion is None else render_confusion(confusion),
                }
            ),
            draw=DRAW,
        )
    with numbers:
        st.header("Confusion matrix", anchor=False)
        if confusion is None:
            st.caption("Without a threshold there is no matrix.")
        else:
            show_table(tabulate_matrix(confusion), "Confusion matrix at the threshold")
            show_table(tabulate_confusion(confusion), "Metrics at the threshold with their intervals")

    st.header("Models compared", anchor=False)
    if lower := describe_lower_auc(comparisons, cohort=view.name):
        st.warning(plain(lower))
    show_table(tabulate_models(rocs, named, main), "AUC of each model and tests against the main one")
    if not others:
        st.caption("The table has no other model (columns prob_image, prob_clinical, prob_m2).")

    st.header("Subgroups", anchor=False)
    if ask_for_slow(view, "subgroups", "Compute the subgroups"):
        subgroups = compute_once(view, compute_cohort_subgroups)
        show_result(
            view,
            plot_forest(subgroups),
            name="subgroups",
            alt=describe_forest(subgroups, cohort=view.name),
            data=subgroups.table,
            record=render_plain(subgroups.table),
            draw=DRAW,
        )
        with st.expander("Subgroups in numbers"):
            show_table(tabulate_subgroups(subgroups), "Discrimination and calibration by subgroup")
    show_method(
        "AUC with DeLong's interval (on the logit scale with fewer than 10 events); band: pointwise Wilson limits. "
        "Positive is a probability at or above the threshold, which was chosen on development data and frozen. "
        "Proportions: Wilson without continuity correction. Models: paired DeLong tests, corrected by Holm; McNemar's "
        "test at the same threshold. Subgroups: unpaired DeLong test against the other patients of the family, "
        "corrected by Holm within the family; edges of age and size were fixed beforehand."
    )
