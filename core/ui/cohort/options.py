"""What the evaluation pages let a reader choose of an exhibit; every choice holds on all pages."""

import streamlit as st

from core.evaluation.cohort.results import label_model
from core.evaluation.cohort.split import list_models
from core.figures.cohort.decision_curve import KI67_RANGE, MEASURES
from core.plain_text import plain
from core.ui.cohort.result import Options
from core.ui.cohort.view import View, begin_line

NARROWEST = 0.05


def ask_update() -> Options:
    """Ask what of the model to update."""
    update = st.segmented_control(
        "What to update",
        ["intercept", "intercept + slope"],
        default="intercept",
        required=True,
        format_func=str.capitalize,
        key="cohort_update",
        persist_state="session",
        wrap=True,
    )
    return {"update": update}


def ask_benefit(view: View) -> Options:
    """Ask for the range of thresholds, what is drawn, the prevalence and the harm of a model."""
    with begin_line():
        measure = st.segmented_control(
            "Drawn",
            list(MEASURES),
            default="net_benefit",
            format_func=MEASURES.__getitem__,
            required=True,
            key="cohort_measure",
            label_visibility="collapsed",
            persist_state="session",
            width="content",
            wrap=True,
        )
        with st.popover("Range, prevalence, harm", width="content"):
            low, high = st.slider(
                "Range of threshold probabilities",
                0.01,
                0.99,
                KI67_RANGE,
                0.01,
                key="cohort_range",
                persist_state="session",
            )
            prevalence, harm = _ask_population()
    if high - low < NARROWEST - 1e-9:
        st.caption(f"The range must be at least {NARROWEST} wide to be drawn; widen it.")
        st.stop()
    if prevalence is not None or harm:
        observed = view.table["y"].mean()
        set_to = (
            [] if prevalence is None else [f"prevalence {100 * prevalence:.0f} % (observed {100 * observed:.0f} %)"]
        )
        set_to += [f"harm {harm:.3f}"] if harm else []
        st.markdown(f":orange-badge[Assumed] Net benefit is drawn for {' and '.join(set_to)}.")
    return {"limits": (low, high), "measure": measure, "prevalence": prevalence, "harm": harm}


def ask_other(view: View) -> Options:
    """Ask for the model to compare with."""
    others = list_models(view.table)
    other = st.segmented_control(
        "The model minus",
        others,
        default=others[0],
        format_func=lambda model: plain(label_model(model)),
        required=True,
        key="cohort_other",
        persist_state="session",
        wrap=True,
    )
    return {"other": other}


def _ask_population() -> tuple[float | None, float]:
    """Ask for the prevalence where the model is to be used, and for the harm of using it in units of net benefit."""
    per_cent = st.number_input(
        "Prevalence of high Ki-67 where the model is to be used (%)",
        min_value=1.0,
        max_value=99.0,
        value=None,
        step=1.0,
        placeholder="as in these patients",
        key="cohort_prevalence",
        persist_state="session",
    )
    harm = st.number_input(
        "Harm of using a model (net benefit that it costs)",
        min_value=0.0,
        max_value=0.5,
        value=0.0,
        step=0.005,
        format="%.3f",
        key="cohort_harm",
        persist_state="session",
    )
    return None if per_cent is None else per_cent / 100, float(harm)
