"""Monitoring: whether patients, images and outcomes are still those that the model was made for."""

import streamlit as st

from core.ui import begin_page

with begin_page("Monitoring"):
    from core.ui.monitoring.source import ask_scope, read_estimates, watch_bundle
    from core.ui.monitoring.view import show_empty, show_monitoring, show_off
    from core.ui.register.availability import is_on

    if not is_on():
        show_off()
        st.stop()
    estimates = read_estimates()
    if estimates.table.empty:
        show_empty(estimates)
        st.stop()
    show_monitoring(watch_bundle(estimates, ask_scope(estimates)))
