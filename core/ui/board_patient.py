"""One patient of the board: the image's reading, and what is known beside the estimate."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.clinical import BY_NAME, is_missing, parse_inputs
from core.imaging import Frame, Roi, read_frame
from core.inference import Prediction
from core.inference.explain import format_value
from core.ui.board import read_simulated
from core.ui.estimate import predict
from core.ui.resources import get_worker, simulate_source

READINGS = "board_readings"
BESIDE = ("aln_suspicious", "er_pct", "pr_pct", "her2", "ki67_cnb_pct", "pn", "rfs_months", "rfs_event")
MOST = 4


def read_patient(patient: str, *, simulated: bool) -> tuple[Frame, Roi, dict[str, Any], Prediction] | None:
    """Draw and read a simulated patient's frame; a session keeps the last few.

    Parameters
    ----------
    patient : str
        Pseudonym.
    simulated : bool
        Whether the cohort is the simulated one.

    Returns
    -------
    tuple of (Frame, Roi, mapping, Prediction) or None
        Frame, lesion box, clinical values, estimate; None where there is no image.
    """
    if not simulated or patient not in read_simulated().index:
        return None
    kept = st.session_state.setdefault(READINGS, {})
    if patient not in kept:
        with st.spinner("Reading the patient's image"):
            source = simulate_source(patient)
            frame = read_frame(source.file.read())
            roi = frame.to_frame(Roi(*source.box)) if source.box else None
            if roi is None:
                return None
            clinical = parse_inputs(source.clinical)
            reading = get_worker().read_image(frame, roi)
            prediction = predict(frame, roi, clinical, reading)
        while len(kept) >= MOST:
            kept.pop(next(iter(kept)))
        kept[patient] = (frame, roi, clinical, prediction)
    return kept[patient]


def show_beside(row: Mapping[str, Any], group: str, cutoff: float, *, no_call: bool) -> None:
    """Write nodes, receptors, the core's Ki-67 and follow-up beside the estimate; nothing of it was fed in.

    Parameters
    ----------
    row : mapping of str to value
        What is known of the patient.
    group : {"high", "low"}
        The model's call.
    cutoff : float
        Ki-67 in per cent from which it is high.
    no_call : bool
        Whether the estimate makes no call, or there is none.
    """
    known = [name for name in BESIDE if name in row and not is_missing(row[name])]
    st.markdown(" · ".join(f"{BY_NAME[name].label}: **{format_value(name, row[name])}**" for name in known) or "-")
    core = float(row["ki67_cnb_pct"]) if "ki67_cnb_pct" in known else None
    if core is None:
        st.caption("The core biopsy's Ki-67 is not known.")
    elif no_call:
        st.caption(f"Core Ki-67 {core:g} %; the estimate makes no call. The core was not fed in.")
    else:
        same = (core >= cutoff) == (group == "high")
        st.caption(f"Core Ki-67 and estimate **{'agree' if same else 'differ'}**. The core was not fed in.")
