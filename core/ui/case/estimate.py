"""The estimate of a case: one pass of the network at the button, then an answer to every change of the form."""

import hashlib
from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.imaging import Frame, Roi
from core.inference import Case, ImageReading, Prediction
from core.ui.resources import get_worker
from core.ui.session import name_owner
from core.ui.waiting import forget_turn, is_waiting, take_turn

READING = "case_reading"
WORDS = "Reading the lesion; the first time, the model is loaded"


def ask_reading(frame: Frame, roi: Roi) -> ImageReading | None:
    """Draw the button, and give what the network read from this frame and box.

    Parameters
    ----------
    frame : Frame
        B-mode area.
    roi : Roi
        Lesion box.

    Returns
    -------
    ImageReading or None
        None as long as the button was not pressed for this frame and box.
    """
    key, owner = _identify(frame, roi), name_owner()
    if st.button("Estimate", type="primary", width="stretch") or is_waiting(READING, key):
        reading = take_turn(READING, key, lambda: get_worker().begin_reading(frame, roi, owner=owner), WORDS)
        st.session_state[READING] = (key, reading)
    else:
        forget_turn(READING)
    kept = st.session_state.get(READING)
    if kept is None:
        return None
    if kept[0] != key:
        st.caption("The image or its box has changed: press **Estimate** again.")
        return None
    return kept[1]


def predict(frame: Frame, roi: Roi, clinical: Mapping[str, Any], reading: ImageReading) -> Prediction:
    """Estimate from what the network has read and the clinical values.

    Parameters
    ----------
    frame : Frame
        B-mode area.
    roi : Roi
        Lesion box.
    clinical : mapping of str to value
        Checked values.
    reading : ImageReading
        Of this frame and box.

    Returns
    -------
    Prediction
        The explained estimate.
    """
    return get_worker().predict(Case(frame, roi, clinical), reading)


def _identify(frame: Frame, roi: Roi) -> tuple[object, ...]:
    """Tell apart what the network would see; files of one archive share the archive's hash, so the pixels count."""
    return (hashlib.sha256(frame.pixels.tobytes()).hexdigest(), frame.width, roi)
