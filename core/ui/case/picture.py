"""The case's picture in the viewer: frame, lesion box, proposed outlines, and the heat map once an estimate stands."""

import streamlit as st

from core.figures.case.frame import describe_frame
from core.figures.case.heatmap import describe_heatmap, trace_contours
from core.figures.case.heatmap_png import render_overlay
from core.figures.theme import LOWERS, RAISES
from core.imaging import Frame, Roi
from core.inference import Prediction
from core.inference.explain import spread_offset
from core.ui.case.box import set_box
from core.ui.case.proposal import Proposal
from core.ui.case.session import name_widget
from core.ui.errors import guard
from core.ui.viewer import HeatLayer, Picture, show_viewer

HEIGHT = "clamp(300px, calc(100vh - 190px), 1100px)"
SCALE = f"linear-gradient(90deg, {LOWERS}, transparent, {RAISES})"
OVERLAY_PX = 384
CONTOURS = "case_contours"


def show_picture(frame: Frame, roi: Roi, proposal: Proposal, prediction: Prediction | None, *, limit: float) -> None:
    """Show the picture; the box is moved, drawn and resized on it.

    Parameters
    ----------
    frame : Frame
        B-mode area.
    roi : Roi
        Lesion box.
    proposal : Proposal
        Lesions that were found.
    prediction : Prediction or None
        The present estimate of this frame and box.
    limit : float
        Log-odds at the ends of the heat map's scale.
    """
    alt = describe_frame(frame, roi)
    heat = None
    if prediction is None:
        st.caption("Draw a box around the lesion: drag on the image, or move the box and its handles.")
    else:
        alt += " " + describe_heatmap(prediction, limit)
        contours = bool(st.session_state.get(CONTOURS))
        heat = lay_heatmap(prediction, limit=limit, contours=contours)
    outlines = tuple(lesion.contour for lesion in proposal.lesions)
    show_viewer(
        Picture(frame, alt, roi, outlines, heat), key=name_widget("picture"), height=HEIGHT, on_box=guard(set_box)
    )
    if prediction is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.toggle("Lines of equal log-odds", key=CONTOURS, persist_state="session")
            st.caption("The colours show what influenced the model, not where the tumour is proliferating.")


def lay_heatmap(prediction: Prediction, *, limit: float, contours: bool = False) -> HeatLayer:
    """Colour an estimate's heat map for the viewer, and say in words what its scale means.

    Parameters
    ----------
    prediction : Prediction
        The estimate.
    limit : float
        Log-odds at the scale's ends.
    contours : bool
        Draw lines of equal log-odds too.

    Returns
    -------
    HeatLayer
        Over the square that the network saw.
    """
    values = spread_offset(prediction)
    strongest = values.flat[abs(values).argmax()]
    image = render_overlay(values, limit=limit, opacity=1.0, size=(OVERLAY_PX, OVERLAY_PX))
    legend = (
        f"lowers −{limit:.1f} · 0 · +{limit:.1f} raises, log-odds, same scale for every image\n"
        f"Strongest place {strongest:+.1f}; mean of the dotted square {values.mean():+.2f}"
    )
    lines = trace_contours(prediction, limit) if contours else []
    labelled = [(f"{level:+.1f}".replace("-", "−"), line) for level, line in lines]
    return HeatLayer(image, prediction.reading.area, SCALE, legend, lines=labelled)
