"""Lymph nodes: whether the predicted group goes with node metastasis."""

import streamlit as st

from core.plain_text import plain
from core.ui import begin_page

with begin_page("Lymph nodes"):
    from core.evaluation.cohort.results import describe_threshold
    from core.figures.cohort.subjects import LYMPH_NODES
    from core.ui.cohort.result import show_subject
    from core.ui.cohort.threshold import find_threshold
    from core.ui.cohort.view import ask_view

    view = ask_view()
    threshold = find_threshold(view)
    st.caption(plain(describe_threshold(threshold)))
    show_subject(view, view.at(threshold), LYMPH_NODES)
