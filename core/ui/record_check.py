"""Whether the board's record holds, as the Model page says it."""

import streamlit as st

from core.register.daily_check import DailyCheck
from core.register.database import find_database
from core.ui.register.database import get_store
from core.ui.shared import Shared

_CHECK = Shared(lambda _: DailyCheck(lambda: get_store().verify_chain()), lambda _: None)


def show_record_check() -> None:
    """Say when the board's record was verified last, and with what result; it is verified daily."""
    found = _CHECK.get(find_database()).read()
    if found is None:
        st.markdown("The record is being verified; reload the page to see what was found.")
    elif found.report is None or not found.report.holds:
        st.error(found.describe())
    else:
        st.markdown(found.describe())
