"""Register: what was estimated, and what pathology found."""

import streamlit as st

from core.spreadsheet import render_csv
from core.ui import begin_page, guard_file

with begin_page("Register") as user:
    from core.register.database import find_database
    from core.register.outcome_entry import Author
    from core.register.patients import tabulate_register
    from core.ui.board.decision import ask_author
    from core.ui.register.availability import is_on
    from core.ui.register.database import get_store
    from core.ui.register.importing import ask_import
    from core.ui.register.listing import ask_filter, get_overview, show_list, show_sums
    from core.ui.register.outcome import show_patient
    from core.ui.register.session import get_state

    if not is_on():
        st.markdown("The register is off: whoever runs SonoKi turns it on with the setting `SONOKI_REGISTER=on`.")
        st.stop()
    store = get_store()
    last = str(store.read_anchor())
    overview = get_overview(find_database(), last)
    show_sums(overview, last)
    if not (overview.estimates or overview.withdrawn) or not user.may("clinician"):
        st.stop()
    author = Author(ask_author(user), user.key, user.role)
    if get_state().said and get_state().patient is None:
        st.markdown(get_state().said)
    show_list(store, ask_filter(overview))
    patient = get_state().patient
    if patient is not None:
        show_patient(store, patient, author)
    ask_import(store, author)
    if user.may("admin"):
        st.download_button(
            "The whole register (CSV)",
            guard_file(lambda: render_csv(tabulate_register(store))),
            file_name="sonoki_register.csv",
            mime="text/csv",
            on_click="ignore",
        )
