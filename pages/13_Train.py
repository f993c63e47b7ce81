"""Train: a bundle of one's own, from a table with its images to a card and one file to share."""

import streamlit as st

from core.ui import begin_page

with begin_page("Train", role="admin"):
    from core.training.run.process import sweep_unused
    from core.ui.train.availability import stop_where_off
    from core.ui.train.manifest import list_centres, show_check
    from core.ui.train.options import ask_plan
    from core.ui.train.runs import show_runs
    from core.ui.train.source import ask_source
    from core.ui.train.starting import offer_start

    stop_where_off()
    sweep_unused()
    st.markdown(
        "Train a bundle on patients of your own: Ki-67 of the surgical specimen, one ultrasound image or several, and "
        "what is known before biopsy. It is `python -m core train` on a page."
    )
    show_runs()
    st.header("1. Patients and images", anchor=False)
    source = ask_source()
    if source is None:
        st.stop()
    st.header("2. Options", anchor=False)
    plan = ask_plan(list_centres(source.manifest))
    st.header("3. Check", anchor=False)
    is_enough = show_check(source.manifest, plan)
    offer_start(source, plan, is_enough=is_enough)
