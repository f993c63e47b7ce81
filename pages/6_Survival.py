"""Survival: whether the predicted groups differ in recurrence."""

import streamlit as st

from core.evaluation import compute_survival_curves, compute_survival_models, compute_time_auc
from core.evaluation.cohort.net_benefit import compute_recurrence_net_benefit, fit_recurrence_risk, list_horizons
from core.evaluation.cohort.records import render_plain, render_survival_curves, render_survival_models
from core.evaluation.cohort.results import find_tertiles, name_development, settle_threshold
from core.evaluation.cohort.survival import describe_hazards
from core.evaluation.survival.kaplan_meier import hide_unseen
from core.figures.cohort.cohort_tables import (
    describe_cox_power,
    describe_early,
    describe_risk,
    describe_survival_tests,
    tabulate_cox,
    tabulate_medians,
)
from core.figures.cohort.decision_curve import describe_decision_curve, find_range, plot_decision_curve
from core.figures.cohort.kaplan_meier import describe_kaplan_meier, plot_kaplan_meier
from core.figures.cohort.tables import pick_thresholds, tabulate_net_benefit
from core.figures.rendering import render_png, render_svg
from core.plain_text import plain
from core.ui import begin_page
from core.ui.cohort.groups import ask_groups, ask_horizon
from core.ui.cohort.result import show_method, show_result, show_table
from core.ui.cohort.threshold import find_threshold
from core.ui.cohort.view import ask_for_slow, ask_view, compute_once, require_columns

DRAW = {"svg": render_svg, "png": render_png}

with begin_page("Survival"):
    view = ask_view()
    require_columns(view, "rfs_months", "rfs_event", what="recurrence-free survival")
    threshold = find_threshold(view, settle_threshold)
    if threshold.threshold is None:
        st.caption(f"There are no predicted groups: {plain(threshold.reason)}")
        st.stop()
    cuts = ask_groups(view, threshold, find_tertiles, compute_once(view.cohort, name_development))
    curves = compute_once(view, compute_survival_curves, cuts=cuts)
    models = None
    if ask_for_slow(view, "cox", "Compute Cox models and the C index"):
        models = compute_once(view, compute_survival_models, cut=cuts[0] if len(cuts) == 1 else threshold.threshold)
    show_result(
        view,
        plot_kaplan_meier(curves.kaplan_meier),
        name="survival",
        alt=describe_kaplan_meier(curves.kaplan_meier, curves.logrank, cohort=view.name),
        data=hide_unseen(curves.kaplan_meier.curve),
        record=render_plain(
            {**render_survival_curves(curves), **({} if models is None else render_survival_models(models, curves))}
        ),
        draw=DRAW,
    )
    concordance = None if models is None else models.concordance
    st.markdown(describe_survival_tests(curves.logrank_by_centre, curves.follow_up, concordance))
    show_table(tabulate_medians(curves.kaplan_meier, curves.rmst), "Patients, events, median and mean by group")

    if models is not None:
        st.header("Cox models", anchor=False)
        show_table(tabulate_cox(models.named), "Hazard ratios of the predicted group, alone and adjusted")
        for caution in (describe_cox_power(models.named), describe_hazards(models, curves)):
            if caution:
                st.warning(plain(caution))

    st.header("Early recurrence", anchor=False)
    early = compute_once(view, compute_time_auc, "rfs_months", "rfs_event", "prob")
    st.markdown(plain(describe_early(early, view.name)))
    if early.unstable:
        st.warning("Fewer than 10 early recurrences: read the estimate as unstable, not as evidence.")

    st.header("Decision curve for recurrence", anchor=False)
    risk = compute_once(view.cohort, fit_recurrence_risk, horizon=ask_horizon(*list_horizons(view.table)))
    benefit = compute_once(view, compute_recurrence_net_benefit, risk=risk)
    limits = None if benefit is None else find_range(benefit)
    st.caption(plain(describe_risk(risk, limits)))
    if benefit is not None and limits is not None:
        show_result(
            view,
            plot_decision_curve(benefit, limits=limits),
            name="recurrence_decision_curve",
            alt=describe_decision_curve(benefit, cohort=view.name, limits=limits),
            data=benefit.table,
            record=render_plain({"risk": vars(risk), "decision_curve": benefit.table, "n": benefit.n}),
            draw=DRAW,
        )
        show_table(tabulate_net_benefit(benefit, pick_thresholds(benefit)), "Net benefit for recurrence")
    show_method(
        "Kaplan-Meier with log-log intervals; at risk at t are those with T >= t; log-rank test, stratified by "
        "centre where there are several. Groups are known at time zero of the follow-up. Median follow-up by the "
        "reverse Kaplan-Meier method. Cox models with Efron's ties; proportional hazards by a score test on 1 - S(t). "
        "Early recurrence: cumulative/dynamic AUC at 6 months, weighted for censoring (Blanche 2013); with "
        "fewer than 10 events the interval is on the logit scale and it is called unstable. Harrell's C index. "
        "Decision curve: the risk is that of a Cox model of recurrence on the probability, fitted on development "
        "patients; net benefit takes the Kaplan-Meier risk among those above the threshold (Vickers 2008)."
    )
