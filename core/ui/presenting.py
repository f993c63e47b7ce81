"""Presentation mode for a board's projector, and what a printed page leaves out."""

import streamlit as st

from core.ui.errors import guard

PRESENTING = "presenting"
LARGE = """<style>
html { font-size: clamp(20px, 2.5vw, max(32px, 1.67vw)) !important; }
@media (min-width: 900px) and (max-width: 1600px) {
[data-testid="stMain"] .st-key-page_head :is(h1, p) { font-size: 1rem !important; }
.st-key-page_head [data-testid="stMarkdown"] { zoom: 0.5; }
.st-key-board_more { display: none; }
[data-testid="stColumn"]:has([data-testid^="stBidi"]) [data-testid="stPopover"] { display: none; }
[data-testid="stColumn"]:has([data-testid^="stBidi"]) { flex: 9 1 0 !important; }
[data-testid="stColumn"]:has([data-testid^="stBidi"]) + [data-testid="stColumn"] { flex: 11 1 0 !important; }
}
[data-testid="stSidebar"], [data-testid="stExpandSidebarButton"], [data-testid="stHeader"] { display: none !important; }
kbd[aria-label^="Shortcut"], [data-testid="stElementToolbar"] { display: none !important; }
[data-testid="stMainBlockContainer"] { padding: 0.5rem 1rem 1rem !important; }
</style>"""
LEFT_OUT = (
    "Sidebar Header Toolbar ExpandSidebarButton Button FormSubmitButton DownloadButton Popover PopoverButton "
    "FileUploader Expander Checkbox Selectbox Form ButtonGroup ElementToolbar"
)
KEPT = "App AppViewContainer Main MainBlockContainer"
PRINTED = """<style>@media print {
@page { size: A4; margin: 12mm; }
html:root { font-size: 16px !important; color-scheme: light; background: #FFF; }
body { background: #FFF !important; }
[data-testid="stAlertContainer"], .stMarkdownBadge { background: none !important; border: 1px solid #000; }
.stMarkdownBadge, [data-testid="stAlertContainer"], [data-testid="stAlertContainer"] * { color: #000 !important; }
LEFT_OUT { display: none !important; }
KEPT { position: static !important; display: block !important; overflow: visible !important; height: auto !important;
  padding: 0 !important; background: #FFF !important; color: #000 !important; }
[data-testid="stColumn"] { min-width: 0 !important; break-inside: avoid; }
.st-key-case_why { break-inside: avoid; }
.st-key-case_export { display: none; }
}</style>"""
DARK_PRINTED = "<style>@media print { [class*=st-key-drawn_] img { filter: invert(1) hue-rotate(180deg); } }</style>"


def ask_presenting() -> bool:
    """Draw the way into and out of presentation mode, and give whether it is on; printing is set up beside it."""
    st.html(PRINTED.replace("LEFT_OUT", _select(LEFT_OUT)).replace("KEPT", _select(KEPT)))
    if st.context.theme.type == "dark":
        st.html(DARK_PRINTED)
    is_on = is_presenting()
    st.button(
        "End presentation" if is_on else "Present",
        on_click=guard(_turn),
        type="tertiary",
        help=None if is_on else "Large type and no side bar, for a projector.",  # it would lie over the estimate
    )
    if is_on:
        st.html(LARGE)
    return is_on


def fit_height(usual: str) -> str:
    """Give the CSS height of a picture: while presenting all that the screen has, else the usual one."""
    return "calc(100vh - 7.5rem)" if is_presenting() else usual


def _select(names: str) -> str:
    """Write the CSS selector of Streamlit's elements."""
    return ", ".join(f'[data-testid="st{name}"]' for name in names.split())


def is_presenting() -> bool:
    """Whether presentation mode is on."""
    return bool(st.session_state.get(PRESENTING))


def _turn() -> None:
    st.session_state[PRESENTING] = not is_presenting()
