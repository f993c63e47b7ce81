"""Cohort: who is in it, how they flow into the analyses, and a cohort of one's own."""

import streamlit as st

from core.ui import begin_page

with begin_page("Cohort") as user:
    from core.figures.cohort.subjects import FLOW, TABLE_ONE
    from core.ui.cohort.input import ask_borrowing, ask_cohort, show_reading
    from core.ui.cohort.report import offer_report
    from core.ui.cohort.result import show_subject
    from core.ui.cohort.scoring import ask_scoring
    from core.ui.cohort.threshold import find_threshold
    from core.ui.cohort.view import ask_view
    from core.ui.register.adding import offer_cohort

    evaluating, scoring = st.columns(2)
    with evaluating:
        ask_cohort()
    with scoring:
        ask_scoring()
    view = ask_view(whole=True)
    show_reading(view.cohort)
    ask_borrowing(view.cohort)
    threshold = find_threshold(view)
    offer_report(view.cohort, threshold)
    offer_cohort(user, view.cohort)
    whole = view.widen()
    show_subject(whole, whole.at(threshold), FLOW)
    show_subject(view, view.at(threshold), TABLE_ONE)
