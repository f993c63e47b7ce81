"""The case's picture in the viewer: frame, lesion box, proposed outlines, and the heat map once an estimate stands."""

from functools import partial

import streamlit as st

from core.figures.case.frame import describe_frame
from core.figures.case.heatmap import describe_heatmap
from core.imaging import Roi
from core.inference import View, ViewEstimate
from core.ui.case.box import set_box
from core.ui.case.proposal import Proposal, ask_at, choose_lesion, say_found
from core.ui.case.session import get_case, name_view_widget
from core.ui.case.state import Answer
from core.ui.errors import guard
from core.ui.presenting import fit_height
from core.ui.viewer import Picture, show_viewer
from core.ui.viewer.heat import lay_heatmap

HEIGHT = "clamp(300px, calc(100vh - 12.5rem), 1100px)"
LOWER = "clamp(300px, calc(100vh - 20.5rem), 1000px)"
CONTOURS = "case_contours"


def find_estimate(answer: Answer | None, number: int) -> ViewEstimate | None:
    """Give what a view gives to an estimate; None where it has no part in it."""
    if answer is None or number not in answer.numbers:
        return None
    return answer.prediction.views[answer.numbers.index(number)]


def show_picture(
    view: View, proposal: Proposal, estimate: ViewEstimate | None, *, limit: float, number: int = 1
) -> None:
    """Show a view.

    The box is moved, drawn and resized on it, and the heat map, if there is one, ends at the limit (log-odds).
    """
    frame, roi = view.frame, view.roi
    alt = describe_frame(frame, roi)
    heat = None
    if estimate is None:
        st.caption("Draw a box around the lesion: drag on the image, or move the box and its handles.")
    else:
        alt += " " + describe_heatmap(estimate, limit)
        heat = lay_heatmap(estimate, limit=limit, contours=bool(st.session_state.get(CONTOURS)))
    outlines = tuple(lesion.contour for lesion in proposal.lesions)
    show_viewer(
        Picture(frame, alt, roi, outlines, heat),
        key=name_view_widget(number, "picture"),
        height=fit_height(HEIGHT if len(get_case().views) < 2 else LOWER),
        on_box=guard(partial(_take_box, proposal, number)),
        on_point=guard(partial(_take_point, proposal, number)),
        said=say_found(number),
    )


def show_heat_words() -> None:
    """Draw the switch of the lines, and say what the heat map is."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.toggle("Lines of equal log-odds", key=CONTOURS, persist_state="session")
        st.caption("The colours show what influenced the model, not where the tumour is proliferating.")


def _take_box(proposal: Proposal, number: int, roi: Roi) -> None:
    """Take a box; where it is a proposed lesion's, that one is chosen."""
    choose_lesion(proposal, number, lambda box: box.rounded() == roi)
    set_box(roi)


def _take_point(proposal: Proposal, number: int, x: float, y: float) -> None:
    """Take the proposed lesion at a point as the box; where there is none, look for one there."""
    lesion = choose_lesion(proposal, number, lambda box: box.x0 <= x <= box.x1 and box.y0 <= y <= box.y1)
    if lesion is not None:
        set_box(lesion.box)
    else:
        ask_at(number, x, y)
