"""How every page begins: title, navigation, and what the model is and is not."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from core.errors import ModelError
from core.plain_text import plain
from core.ui.browser import mind_browser
from core.ui.case.session import get_case
from core.ui.errors import report_errors, show_kept_error
from core.ui.gate.intake import prepare_intake
from core.ui.gate.warming import WARMING
from core.ui.login import Role, User, require_role
from core.ui.navigation import show_navigation
from core.ui.presenting import ask_presenting
from core.ui.resources import begin_run, get_bundle
from core.ui.session import note_session
from models.bundle import Bundle

STYLE = """<style>
.js-plotly-plot .main-svg text { fill: currentColor !important; }
[data-testid="stCaptionContainer"] { opacity: 1; }
[data-testid^="stBaseButton-primary"]:enabled :is(p, kbd) { color: light-dark(#FFFFFF, #10161B); }
kbd[aria-label^="Shortcut"] { opacity: 1; padding: 0 0.35em; border: 1px solid; border-bottom-width: 2px; }
kbd[aria-label^="Shortcut"] { border-radius: 4px; }
button[data-variant][aria-checked="true"]:hover p { color: light-dark(#1D252C, #E8ECEF); }
.st-key-case_answer h2 { padding: 0 0 0.25rem; line-height: 1.3; }
.st-key-case_answer [data-testid="stAlertContainer"] { padding: 0.5rem 0.75rem; }
.st-key-case_why { gap: 0.5rem; }
.st-key-case_tab button { padding: 0 0.6rem; font-size: 0.85rem; }
[data-testid="stSidebar"] { min-width: 11.5rem !important; max-width: 11.5rem !important; }
[data-testid="stMainBlockContainer"] { padding: 0.5rem 1.75rem 3rem; }
[data-testid="stHeader"] { background: transparent; height: 2rem; min-height: 2rem; }
[data-testid="stLayoutWrapper"]:has(> .st-key-case_estimate) { position: sticky; bottom: 0.5rem; z-index: 3; }
.st-key-case_estimate { background: light-dark(#FFFFFF, #14181D); }
.st-key-page_head { gap: 0.25rem 1rem; }
@media (max-width: 1000px) { [class*="st-key-wide_"] { display: none; } }
@media (min-width: 1001px) { [class*="st-key-narrow_"] { display: none; } }
@media (max-width: 640px) { [data-testid="stMainBlockContainer"] { padding: 2.5rem 0.75rem 3rem; } }
@media (max-width: 640px) { [data-testid="stHeader"] { background: light-dark(#FFFFFF, #14181D); } }
@media (max-width: 640px) { [data-testid="stTable"] :is(td, th) { min-width: 5.5rem; } }
@media (max-width: 640px) { kbd[aria-label^="Shortcut"] { display: none; } }
@media (max-width: 640px) { [data-testid="stButtonGroup"] button { padding: 0 0.6rem; } }
</style>"""


@contextmanager
def begin_page(title: str, *, role: Role = "viewer", presents: bool = False) -> Iterator[User]:
    """Set up a page for those who have the role, and report what fails in it; give who sees it.

    A page imports within this block what it alone needs: its title stands there while that loads.
    """
    st.set_page_config(page_title=f"{title} - SonoKi", layout="wide")
    st.html(STYLE)
    try:
        with WARMING.hold(), report_errors():
            user = require_role(role)
            note_session()
            begin_run()
            show_navigation()
            with st.container(key="page_head", horizontal=True, vertical_alignment="center"):
                st.title(title, anchor=False, width="content")
                WARMING.wait()
                show_model_banner()
                if presents:
                    ask_presenting()
            show_kept_error()
            yield user
    finally:
        kept = (st.session_state[key] for key in st.session_state)
        mind_browser(
            asks=any(getattr(state, "is_unsaved", False) for state in kept), shows_top=get_case().answer is not None
        )
        prepare_intake()  # last, since the decoders take the cores while they start


def show_model_banner() -> None:
    """Say which bundle answers, what it calls high, that it is simulated, and that this is research."""
    try:
        bundle = get_bundle()
    except ModelError as error:
        st.markdown(f":orange-badge[Research use only] No model is loaded. {plain(error)}")
        return
    st.markdown(
        f":orange-badge[Research use only]{mark_training(bundle)} Bundle **{plain(bundle.name)}** · high Ki-67: "
        f"{bundle.cutoff.words}"
    )


def mark_training(bundle: Bundle) -> str:
    """Give the marks of a bundle whose figures hold for nobody: trained on simulated, or on too few patients."""
    simulated = " :orange-badge[SIMULATED training data]" if bundle.is_simulated else ""
    return simulated + (" :orange-badge[Too few patients: FOR TRYING OUT ONLY]" if bundle.is_few else "")
