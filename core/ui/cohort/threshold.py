"""The threshold of a cohort: frozen, or moved by a slider and then marked exploratory."""

from dataclasses import replace

import streamlit as st

from core.evaluation import ThresholdResult
from core.evaluation.cohort.results import describe_threshold, settle_threshold
from core.plain_text import plain
from core.ui.cohort.view import View, begin_line, compute_once
from core.ui.errors import guard


def find_threshold(view: View) -> ThresholdResult:
    """Find the frozen threshold of the cohort, whatever the filters: the model's, else one chosen on the cohort."""
    value, chosen_on = view.cohort.threshold or (None, "")
    return compute_once(view.cohort, settle_threshold, value=value, chosen_on=chosen_on)


def ask_threshold(view: View) -> ThresholdResult:
    """Draw the threshold's slider, shared by the pages that show it; one that was moved is marked exploratory."""
    frozen = find_threshold(view)
    if frozen.threshold is None:
        st.caption(plain(describe_threshold(frozen)))
        return frozen
    start = min(max(round(frozen.threshold, 3), 0.001), 0.999)
    kept = f"cohort_threshold_{view.cohort.sha256[:12]}_{start}"
    slider = f"{kept}_slider"
    st.session_state[slider] = st.session_state.get(kept, start)
    with begin_line():
        with st.popover("Threshold", width="content"):
            value = st.slider(
                "Threshold",
                0.001,
                0.999,
                step=0.001,
                format="%.3f",
                key=slider,
                on_change=guard(_keep),
                args=(kept, slider),
            )
            is_frozen = abs(value - start) < 5e-4
            st.button("Back to the frozen threshold", on_click=guard(_reset), args=(kept,), disabled=is_frozen)
        if is_frozen:
            st.caption(plain(describe_threshold(frozen)))
            return frozen
        st.markdown(
            f":orange-badge[Exploratory] The threshold was moved to {value:.3f}. {describe_threshold(frozen)} "
            "Figures at a moved threshold are no validation."
        )
    return replace(frozen, threshold=value, rule="given", chosen_on="these data", exploratory=True)


def _keep(kept: str, slider: str) -> None:
    """Keep the value beside the widget's own: another page's slider starts from it."""
    st.session_state[kept] = st.session_state[slider]


def _reset(kept: str) -> None:
    st.session_state.pop(kept, None)
