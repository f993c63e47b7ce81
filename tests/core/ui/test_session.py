"""What a session keeps: nothing of one patient is held once the next has come."""

import pytest
from streamlit.testing.v1 import AppTest

SCRIPT = """
import gc, weakref
import streamlit as st
from core.ui.{subject}.session import {get}, {change}
from core.ui.{subject}.{events} import {event}
if "before" in st.session_state:
    {change}({call})
    gc.collect()
    st.text("gone" if st.session_state["before"]() is None else "held")
else:
    st.session_state["before"] = weakref.ref({get}())
"""


@pytest.mark.parametrize(
    ("subject", "events", "event", "given"),
    [
        ("board", "state", "Opened", "'P-2'"),
        ("case", "events", "CaseEnded", ""),
        ("cohort", "state", "FileForgotten", ""),
    ],
)
def test_what_an_event_replaced_is_gone_at_once(subject, events, event, given):
    get, change = ("get_own", "change_own") if subject == "cohort" else (f"get_{subject}", f"change_{subject}")
    script = SCRIPT.format(
        subject=subject, events=events, event=event, get=get, change=change, call=f"{event}({given})"
    )
    at = AppTest.from_string(script).run(timeout=60)
    assert [word.value for word in at.run(timeout=60).text] == ["gone"]
