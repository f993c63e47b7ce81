"""Another prevalence and the harm of a model, for the decision curve."""

import streamlit as st

from core.ui.cohort.view import View


def ask_population(view: View) -> tuple[float | None, float]:
    """Ask for the prevalence where the model is to be used, and for the harm of using it.

    Parameters
    ----------
    view : View
        The patients.

    Returns
    -------
    prevalence : float or None
        None takes that of the patients.
    harm : float
        In units of net benefit.
    """
    with st.expander("Another prevalence, or a harm of the model"):
        left, right = st.columns(2)
        per_cent = left.number_input(
            "Prevalence of high Ki-67 where the model is to be used (%)",
            min_value=1.0,
            max_value=99.0,
            value=None,
            step=1.0,
            placeholder="as in these patients",
            key="cohort_prevalence",
            persist_state="session",
        )
        harm = right.number_input(
            "Harm of using a model (net benefit that it costs)",
            min_value=0.0,
            max_value=0.5,
            value=0.0,
            step=0.005,
            format="%.3f",
            key="cohort_harm",
            persist_state="session",
        )
    prevalence = None if per_cent is None else per_cent / 100
    if prevalence is not None or harm:
        observed = view.table["y"].mean()
        set_to = [] if prevalence is None else [f"prevalence {prevalence:.0%} (observed {observed:.0%})"]
        set_to += [f"harm {harm:.3f}"] if harm else []
        st.markdown(f":orange-badge[Assumed] Net benefit is drawn for {' and '.join(set_to)}.")
    return prevalence, float(harm)
