"""Survival: whether the predicted groups differ in recurrence."""

import streamlit as st

from core.evaluation import compute_group_survival, compute_time_auc
from core.evaluation.cohort_results import compute_survival_curves, find_thirds, settle_threshold
from core.evaluation.evaluate import render_plain, render_survival
from core.figures.cohort_tables import describe_early, describe_survival_tests, tabulate_cox, tabulate_medians
from core.figures.kaplan_meier import describe_kaplan_meier, plot_kaplan_meier
from core.figures.rendering import render_png, render_svg
from core.ui import begin_page
from core.ui.cohort_result import show_method, show_result, show_table
from core.ui.cohort_threshold import describe_threshold, find_threshold
from core.ui.cohort_view import ask_for_slow, ask_view, compute_once, require_columns

DRAW = {"svg": render_svg, "png": render_png}

with begin_page("Survival"):
    view = ask_view()
    require_columns(view, "rfs_months", "rfs_event", what="recurrence-free survival")
    threshold = find_threshold(view, settle_threshold)
    if threshold.threshold is None:
        st.caption(f"There are no predicted groups: {threshold.reason}")
        st.stop()
    thirds = st.segmented_control(
        "Groups",
        [False, True],
        default=False,
        format_func=lambda value: "Thirds of the probability" if value else "Predicted high and low",
        required=True,
        key="cohort_thirds",
        persist_state="session",
        wrap=True,
    )
    cuts = compute_once(view.cohort, find_thirds) if thirds else (threshold.threshold,)
    st.caption(
        f"Thirds are cut at {cuts[0]:.3f} and {cuts[-1]:.3f}, found on development patients where there are any."
        if thirds
        else describe_threshold(threshold)
    )
    curves = compute_once(view, compute_survival_curves, cuts=cuts)
    whole = None
    slow = ask_for_slow(view, "cox", "Compute Cox models and the C index")
    if slow:
        whole = compute_once(view, compute_group_survival, cut=threshold.threshold)
    show_result(
        view,
        plot_kaplan_meier(curves.kaplan_meier),
        name="survival",
        alt=describe_kaplan_meier(curves.kaplan_meier, curves.logrank, cohort=view.name),
        data=curves.kaplan_meier.curve,
        record=render_plain(
            {
                "km": curves.kaplan_meier.curve,
                "at_risk": curves.kaplan_meier.at_times,
                "logrank": {"chisq": curves.logrank.chisq, "df": curves.logrank.df, "p": curves.logrank.p},
            }
            if whole is None or thirds
            else render_survival(whole)
        ),
        draw=DRAW,
    )
    concordance = None if whole is None else whole.concordance
    st.markdown(describe_survival_tests(curves.logrank_by_centre, curves.follow_up, concordance))
    show_table(tabulate_medians(curves.kaplan_meier, curves.rmst), "Patients, events, median and mean by group")

    if whole is not None:
        st.header("Cox models", anchor=False)
        show_table(
            tabulate_cox({"Univariable": whole.cox, "Multivariable": whole.cox_adjusted}),
            "Hazard ratios of the predicted group, alone and adjusted",
        )

    st.header("Early recurrence", anchor=False)
    early = compute_once(view, compute_time_auc, "rfs_months", "rfs_event", "prob")
    st.markdown(describe_early(early, view.name))
    if early.unstable:
        st.warning("Fewer than 10 early recurrences: read the estimate as unstable, not as evidence.")
    show_method(
        "Kaplan-Meier with log-log intervals; at risk at t are those with T >= t; log-rank test, stratified by "
        "centre where there are several. Groups are known at time zero of the follow-up. Median follow-up by the "
        "reverse Kaplan-Meier method. Cox models with Efron's ties; proportional hazards by a score test on 1 - S(t). "
        "Early recurrence: cumulative/dynamic AUC at 6 months, weighted for censoring (Blanche 2013); with "
        "fewer than 10 events the interval is on the logit scale and it is called unstable. Harrell's C index."
    )
