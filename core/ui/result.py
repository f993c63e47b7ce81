"""An estimate in words."""

import streamlit as st

from core.imaging import Frame
from core.inference import Prediction
from core.inference.explain import format_percent, label_term
from core.ui.page import describe_cutoff
from models.bundle import Bundle

NOT_SEEN = (
    "colour Doppler, elastography and moving images",
    "the axilla, other lesions and the other breast, unless entered in the form",
    "earlier examinations, mammography and MRI",
    "the core biopsy: type, grade, receptors",
)


def show_headline(prediction: Prediction, bundle: Bundle) -> None:
    """Write the probability with its interval, and what it means.

    Parameters
    ----------
    prediction : Prediction
        The estimate.
    bundle : Bundle
        The bundle that gave it.
    """
    low, high = map(format_percent, prediction.interval)
    st.markdown(f"### {format_percent(prediction.probability)} probability of a high Ki-67")
    st.markdown(
        f"95 % interval **{low} to {high}**: had the model been trained on other patients of the same kind, "
        "it would mostly have answered within it."
    )
    st.markdown(_describe_call(prediction))
    st.caption(f"High means a Ki-67 of {describe_cutoff(bundle)} of the tumour cells in the surgical specimen.")


def show_applicability(prediction: Prediction) -> bool:
    """Show what speaks against the estimate.

    Parameters
    ----------
    prediction : Prediction
        The estimate.

    Returns
    -------
    bool
        False if the model refuses the image: then nothing of the estimate is to be shown.
    """
    reasons = " ".join(prediction.applicability.reasons)
    if prediction.applicability.status == "refused":
        st.error(f"**No estimate.** {reasons}")
        return False
    if prediction.applicability.status == "caution":
        st.warning(f"**Caution.** {reasons}")
    elif reasons:
        st.caption(reasons)
    return True


def show_limits(prediction: Prediction, frame: Frame) -> None:
    """Say what was not known, and what the model did not see.

    Parameters
    ----------
    prediction : Prediction
        The estimate.
    frame : Frame
        B-mode area.
    """
    st.subheader("What is missing", anchor=False)
    if prediction.imputed:
        names = "; ".join(label_term(name) for name in prediction.imputed)
        count = len(prediction.imputed)
        st.markdown(f"**Not known, the training patients' average was taken ({count}):** {names}.")
    else:
        st.markdown("**Not known:** nothing, every clinical value was given.")
    x0, _, x1, _ = prediction.reading.area
    side = f"{x1 - x0:.0f} pixels" if frame.mm_per_px is None else f"{(x1 - x0) * frame.mm_per_px:.0f} mm"
    loop = "" if frame.frame_count < 2 else f" of one frame out of {frame.frame_count}"
    st.markdown(f"**Seen:** a square of {side} around the box{loop}, in grey.")
    st.markdown("**Not seen:** " + "; ".join(NOT_SEEN) + ".")


def show_secondary(prediction: Prediction, bundle: Bundle) -> None:
    """Show the other heads' probabilities, each with what it was trained on.

    Parameters
    ----------
    prediction : Prediction
        The estimate.
    bundle : Bundle
        The bundle that gave it.
    """
    st.subheader("Also read from this image", anchor=False)
    data = "simulated patients" if bundle.is_simulated else "the bundle's training patients"
    if prediction.node_metastasis is not None:
        st.markdown(
            f"**Node metastasis: {format_percent(prediction.node_metastasis)}** (image and clinical values; trained on "
            f"{data}). It does not replace the sentinel node biopsy."
        )
    st.markdown(
        f"**Malignant lesion: {format_percent(prediction.malignancy)}** (image alone; the one part trained on real "
        "labels, benign or malignant, of the backbone's data). The Ki-67 estimate presumes a cancer."
    )


def _describe_call(prediction: Prediction) -> str:
    low, high = map(format_percent, prediction.no_call)
    if prediction.is_no_call:
        return (
            f"**No call.** The estimate lies in the zone of no call ({low} to {high}), "
            "where high and low can't be told apart reliably."
        )
    side = "at or above" if prediction.group == "high" else "below"
    return (
        f"**Called {prediction.group}**: {side} the threshold of {format_percent(prediction.threshold)}, "
        "outside the zone of no call."
    )
