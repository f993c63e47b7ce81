"""The ways between pages; the same whichever page is opened first."""

from pathlib import Path

import streamlit as st

PAGES = Path(__file__).resolve().parents[2] / "pages"


def list_pages() -> list[tuple[str, str]]:
    """List the pages in the order of their numbers."""
    paths = sorted(PAGES.glob("[0-9]*_*.py"), key=lambda path: int(path.stem.partition("_")[0]))
    return [(f"pages/{path.name}", path.stem.split("_", 1)[1].replace("_", " ")) for path in paths]


def show_navigation() -> None:
    """Draw links to all pages in the sidebar."""
    with st.sidebar:
        st.markdown("**SonoKi**")
        st.page_link("app.py", label="Home")
        for path, name in list_pages():
            st.page_link(path, label=name)
