"""The threshold of a cohort: frozen, or moved by a slider and then marked exploratory."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import streamlit as st

from core.plain_text import plain
from core.ui.cohort.view import View, compute_once
from core.ui.errors import guard

Cut = TypeVar("Cut", bound=Any)


def find_threshold(view: View, settle: Callable[..., Cut]) -> Cut:
    """Find the frozen threshold of a view's cohort, whatever its filters.

    Parameters
    ----------
    view : View
        The patients.
    settle : callable
        `core.evaluation.cohort.results.settle_threshold`.

    Returns
    -------
    ThresholdResult
        The one that came with the model, else one chosen on the cohort.
    """
    value, chosen_on = view.cohort.threshold or (None, "")
    return compute_once(view.cohort, settle, value=value, chosen_on=chosen_on)


def ask_threshold(view: View, frozen: Cut) -> Cut:
    """Draw the threshold's slider, shared by the pages that show it.

    Parameters
    ----------
    view : View
        The patients.
    frozen : ThresholdResult
        The threshold fixed beforehand.

    Returns
    -------
    ThresholdResult
        The frozen one as long as the slider was not moved; else the moved one, marked exploratory.
    """
    if frozen.threshold is None:
        st.caption(f"There is no threshold: {plain(frozen.reason)}")
        return frozen
    start = min(max(round(frozen.threshold, 3), 0.001), 0.999)
    kept = f"cohort_threshold_{view.cohort.sha256[:12]}_{start}"
    slider = f"{kept}_slider"
    st.session_state[slider] = st.session_state.get(kept, start)
    value = st.slider(
        "Threshold", 0.001, 0.999, step=0.001, format="%.3f", key=slider, on_change=guard(_keep), args=(kept, slider)
    )
    if abs(value - start) < 5e-4:
        st.caption(plain(describe_threshold(frozen)))
        return frozen
    moved = replace(frozen, threshold=value, rule="given", chosen_on="these data", exploratory=True)
    words, button = st.columns([3, 1], vertical_alignment="center")
    words.markdown(
        f":orange-badge[Exploratory] The threshold was moved to {value:.3f}; {describe_threshold(frozen).lower()} "
        "Figures at a moved threshold are no validation."
    )
    button.button("Back to the frozen threshold", on_click=guard(_reset), args=(kept,))
    return moved


def describe_threshold(threshold: Any) -> str:
    """Say where a threshold comes from.

    Parameters
    ----------
    threshold : ThresholdResult
        A threshold with a value.

    Returns
    -------
    str
        One or two sentences.
    """
    if threshold.exploratory:
        return (
            f"The threshold {threshold.threshold:.3f} was chosen on these data, for there are no development patients: "
            "it is exploratory, and what it reaches is optimistic."
        )
    return f"The frozen threshold is {threshold.threshold:.3f}, chosen on {threshold.chosen_on}."


def _keep(kept: str, slider: str) -> None:
    """Keep the value beside the widget's own: another page's slider starts from it."""
    st.session_state[kept] = st.session_state[slider]


def _reset(kept: str) -> None:
    st.session_state.pop(kept, None)
