"""An estimate in words."""

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.inference import Prediction, View
from core.inference.explain import format_percent, label_term
from core.inference.sentences import (
    MALIGNANCY_LIMIT,
    MALIGNANCY_SOURCE,
    NODES_LIMIT,
    NOT_SEEN,
    ONE_VIEW,
    describe_seen,
    describe_validation,
    describe_views,
    explain_call,
    explain_interval,
    name_call,
    name_training_data,
)
from core.plain_text import plain
from models.bundle import Bundle

GREY = "<style>.st-key-{key} {{ filter: grayscale(1) opacity(0.7); border: 2px dashed; padding: 1rem; }}</style>"
EARLIER = "case_earlier_answer"


def open_answer(note: str) -> DeltaGenerator:
    """Give the place of an estimate; one that is not of the present inputs is grey, framed, and says why."""
    if not note:
        return st.container()
    st.header("Earlier estimate", anchor=False)
    st.warning(note)
    st.html(GREY.format(key=EARLIER))
    return st.container(key=EARLIER)


def show_headline(prediction: Prediction, bundle: Bundle) -> None:
    """Write the probability with its interval, and what it means."""
    low, high = map(format_percent, prediction.interval)
    st.header(
        f"{format_percent(prediction.probability)} probability of a high Ki-67 ({bundle.cutoff.words})",
        anchor=False,
    )
    st.markdown(f"95 % interval **{low} to {high}**", help=explain_interval(len(prediction.views)))
    if caution := describe_validation(bundle.manifest.training_data.external_centres):
        st.caption(caution)


def show_call(prediction: Prediction) -> None:
    """Say what the estimate is called, and why."""
    st.info(f"**{name_call(prediction)}.** {explain_call(prediction)}")
    if len(prediction.views) > 1:
        st.caption(describe_views(prediction))


def show_applicability(prediction: Prediction) -> bool:
    """Show what speaks against the estimate.

    False if the model refuses the image, and nothing may be shown of the estimate.
    """
    reasons = plain(" ".join(prediction.applicability.reasons))
    if prediction.applicability.status == "refused":
        st.error(f"**No estimate.** {reasons}")
        return False
    if prediction.applicability.status == "caution":
        st.warning(f"**Caution.** {reasons}")
    return True


def show_limits(prediction: Prediction, views: Sequence[View]) -> None:
    """Say what was not known, and what the model did not see."""
    if prediction.imputed:
        names = "; ".join(label_term(name) for name in prediction.imputed)
        count = len(prediction.imputed)
        st.markdown(
            f"**Not known, so the interval is wider ({count}):** {names}. "
            "The estimate is the mean over what these values are expected to be, given those that are known."
        )
    else:
        st.markdown("**Not known:** nothing, every clinical value was given.")
    st.markdown(f"**Seen:** {describe_seen(prediction, views)}.")
    if len(views) == 1:
        st.markdown(f"**Interval from one view:** {ONE_VIEW}")
    st.markdown("**Not seen:** " + "; ".join(NOT_SEEN) + ".")
    if prediction.applicability.status == "ok" and prediction.applicability.reasons:
        st.markdown("**Noticed:** " + " ".join(prediction.applicability.reasons))


def show_secondary(prediction: Prediction, bundle: Bundle) -> None:
    """Show the other heads' probabilities, each with what it was trained on."""
    data = name_training_data(simulated=bundle.is_simulated)
    if prediction.node_metastasis is not None:
        st.markdown(
            f"**Node metastasis: {format_percent(prediction.node_metastasis)}** (image and clinical values; trained on "
            f"{data}). {NODES_LIMIT}"
        )
    st.markdown(
        f"**Malignant lesion: {format_percent(prediction.malignancy)}** ({MALIGNANCY_SOURCE}). {MALIGNANCY_LIMIT}"
    )
