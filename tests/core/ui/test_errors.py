"""What fails in a callback or a download is said on the page, and its message reaches no log."""

import logging

import pytest
from streamlit.testing.v1 import AppTest

from core.errors import WorkError
from core.ui.errors import NO_FILE, guard_file

SECRET = "Jane " + "Doe"


def draw(secret: str) -> None:
    import streamlit as st

    from core.errors import UsageError
    from core.ui.errors import guard, show_kept_error

    def fail() -> None:
        raise ValueError(f"could not convert '{secret}'")

    def refuse() -> None:
        raise UsageError("Give a number.")

    show_kept_error()
    st.button("fail", on_click=guard(fail))
    st.button("refuse", on_click=guard(refuse))
    st.markdown("drawn to its end")


@pytest.mark.parametrize(("button", "sentence"), [(0, "Something went wrong in the program"), (1, "Give a number.")])
def test_a_callback_that_fails_is_said_once_and_the_page_is_drawn(button, sentence, caplog):
    at = AppTest.from_function(draw, args=(SECRET,)).run()
    at.button[button].click().run()
    assert at.error[0].value.startswith(sentence)
    assert at.markdown[0].value == "drawn to its end"
    assert SECRET not in caplog.text
    assert not at.run().error


def test_a_download_that_fails_tells_nothing(caplog):
    def make() -> bytes:
        raise ValueError(SECRET)

    with caplog.at_level(logging.DEBUG), pytest.raises(WorkError, match=NO_FILE) as caught:
        guard_file(make)()
    assert caught.value.__context__ is None
    assert SECRET not in caplog.text
    assert "ValueError" in caplog.text
    assert guard_file(lambda: b"file")() == b"file"


def draw_owner() -> None:
    import streamlit as st

    from core.turns import OWNER
    from core.ui.errors import guard
    from core.ui.session import name_owner

    def note() -> None:
        st.session_state["noted"] = OWNER.get()

    st.button("note", on_click=guard(note))
    st.text(name_owner())


def test_what_a_callback_reads_is_its_sessions():
    at = AppTest.from_function(draw_owner).run()
    at.button[0].click().run()
    assert at.session_state["noted"] == at.text[0].value != ""
