"""The component behind `mind_browser`."""

from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

SCRIPT = Path(__file__).with_name("browser.js")


def mind_browser(*, asks: bool = False, shows_top: bool = False) -> None:
    """Let keys of buttons work while a radio, switch or slider has the focus, and ask before the page is left.

    Parameters
    ----------
    asks : bool
        Whether there is something that a reload would lose: the browser then asks first.
    shows_top : bool
        Whether an answer stands at the page's top: the page scrolls there once, when it comes.
    """
    _component()(key="mind_browser", data={"asks": asks, "showsTop": shows_top}, height=1)


@cache
def _component() -> Any:
    return st.components.v2.component("sonoki_browser", js=SCRIPT.read_text(encoding="utf-8"), html="<span></span>")
