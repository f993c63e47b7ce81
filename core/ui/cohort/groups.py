"""Which groups survival is drawn by, and the horizon of its decision curve."""

import streamlit as st

from core.evaluation import ThresholdResult
from core.evaluation.cohort.net_benefit import list_horizons
from core.evaluation.cohort.results import describe_threshold, find_tertiles, name_development
from core.plain_text import plain
from core.ui.cohort.result import Options
from core.ui.cohort.view import View, begin_line, compute_once

PREDICTED, TERTILES, OWN = "Predicted high and low", "Tertiles of the probability", "A cut-off of your own"


def ask_groups(view: View, threshold: ThresholdResult) -> Options:
    """Ask for the groups that survival is drawn by: one cut between low and high, or two between tertiles."""
    with begin_line():
        return {"cuts": _ask_cuts(view, threshold)}


def _ask_cuts(view: View, threshold: ThresholdResult) -> tuple[float, ...]:
    kind = st.segmented_control(
        "Groups",
        [PREDICTED, TERTILES, OWN],
        default=PREDICTED,
        required=True,
        key="cohort_groups",
        label_visibility="collapsed",
        persist_state="session",
        width="content",
        wrap=True,
    )
    if kind == TERTILES:
        cuts, on = compute_once(view.cohort, find_tertiles), compute_once(view.cohort, name_development)
        st.caption(f"Tertiles are cut at {cuts[0]:.3f} and {cuts[1]:.3f}, found on {plain(on)}.")
        return cuts
    if kind == PREDICTED:
        st.caption(plain(describe_threshold(threshold)))
        return (float(threshold.threshold or 0),)
    cut = st.number_input(
        "Cut-off of the probability",
        min_value=0.001,
        max_value=0.999,
        value=0.5,
        step=0.01,
        format="%.3f",
        key="cohort_own_cut",
        persist_state="session",
        width=200,
    )
    st.markdown(
        f":orange-badge[Given] Groups are cut at {cut:.3f}. A cut-off confirms something only if it was fixed before "
        "the outcomes were seen; else it is exploratory."
    )
    return (float(cut),)


def ask_horizon(view: View) -> Options:
    """Ask for the months within which recurrence counts, of those that patients are followed beyond."""
    followed, usual = list_horizons(view.table)
    horizon = st.segmented_control(
        "Recurrence within",
        followed,
        default=usual,
        format_func=lambda months: f"{months} months",
        required=True,
        key=f"cohort_horizon_{len(followed)}",
        persist_state="session",
        wrap=True,
    )
    return {"horizon": float(horizon)}
