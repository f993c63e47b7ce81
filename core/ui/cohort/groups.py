"""Which groups survival is drawn by, and the horizon of its decision curve."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.plain_text import plain
from core.ui.cohort.threshold import describe_threshold
from core.ui.cohort.view import View, compute_once

PREDICTED, TERTILES, OWN = "Predicted high and low", "Tertiles of the probability", "A cut-off of your own"


def ask_groups(
    view: View, threshold: Any, find_tertiles: Callable[..., tuple[float, float]], tertiles_on: str
) -> tuple[float, ...]:
    """Ask for the groups that survival is drawn by.

    Parameters
    ----------
    view : View
        The patients.
    threshold : ThresholdResult
        The frozen threshold, with a value.
    find_tertiles : callable
        `core.evaluation.cohort.results.find_tertiles`.
    tertiles_on : str
        The patients that tertiles are found on.

    Returns
    -------
    tuple of float
        One cut between low and high, or two between tertiles.
    """
    kind = st.segmented_control(
        "Groups",
        [PREDICTED, TERTILES, OWN],
        default=PREDICTED,
        required=True,
        key="cohort_groups",
        persist_state="session",
        wrap=True,
    )
    if kind == TERTILES:
        cuts = compute_once(view.cohort, find_tertiles)
        st.caption(f"Tertiles are cut at {cuts[0]:.3f} and {cuts[1]:.3f}, found on {plain(tertiles_on)}.")
        return cuts
    if kind == PREDICTED:
        st.caption(plain(describe_threshold(threshold)))
        return (float(threshold.threshold),)
    cut = st.number_input(
        "Cut-off of the probability",
        min_value=0.001,
        max_value=0.999,
        value=0.5,
        step=0.01,
        format="%.3f",
        key="cohort_own_cut",
        persist_state="session",
    )
    st.markdown(
        f":orange-badge[Given] Groups are cut at {cut:.3f}. A cut-off confirms something only if it was fixed before "
        "the outcomes were seen; else it is exploratory."
    )
    return (float(cut),)


def ask_horizon(followed: list[int], usual: int) -> float:
    """Ask for the months within which recurrence counts, of those that patients are followed beyond."""
    return float(
        st.segmented_control(
            "Recurrence within",
            followed,
            default=usual,
            format_func=lambda months: f"{months} months",
            required=True,
            key=f"cohort_horizon_{len(followed)}",
            persist_state="session",
            wrap=True,
        )
    )
