"""The lesion box of a view: where it starts, what is said about it, and its numbers."""

from dataclasses import replace

import streamlit as st

from core.imaging import Frame, Roi, default_roi
from core.imaging.findings.calipers import find_calipers, find_near_words, name_marks, remove_calipers
from core.ui.case.events import BoxSet
from core.ui.case.proposal import Proposal, find_at, show_proposal
from core.ui.case.session import change_case, get_case, name_set_widget, name_view_widget, renew_widget
from core.ui.case.state import Box, LesionView
from core.ui.errors import guard

EDGES = {"x0": "Left", "y0": "Top", "x1": "Right", "y1": "Bottom"}


def ask_box(view: LesionView, frame: Frame, proposal: Proposal) -> Roi:
    """Draw what is said about the box of the view that is looked at, and give it, pixels of the frame.

    It is moved in the viewer; the image of a simulated patient has a box of its own, others start on the chosen lesion.
    """
    box = start_box(view, frame, proposal)
    said, numbers = st.container(), st.expander("Lesion box in numbers, and what was found")
    with numbers:
        edges = _ask_edges(view.number, frame, box.roi)
    roi = Roi(**edges)
    _keep(roi)
    with said:
        if roi == proposal.box:
            _ask_acceptance(roi)
        elif roi == box.start:
            st.warning("This box is only a guess by brightness: check it, and draw it again if it misses the lesion.")
        if proposal.box not in {None, roi}:
            st.button("Use the proposed box", on_click=guard(set_box), args=(proposal.box,))
    with numbers:
        st.caption(_describe(frame, roi))
        show_proposal(proposal, frame, roi)
    return roi


def ask_cleaning(number: int, frame: Frame, roi: Roi) -> None:
    """Offer to paint over caliper marks and words of a view where there are any in or beside the box."""
    calipers, words = find_calipers(frame, roi), find_near_words(frame, roi)
    if calipers or words:
        st.toggle(
            f"Paint over {name_marks(calipers, words)}",
            key=name_view_widget(number, "clean"),
            persist_state="session",
        )


def clean_frame(number: int, frame: Frame, roi: Roi) -> Frame:
    """Give a view's frame, without caliper marks and words in or beside the box if that was chosen."""
    if not st.session_state.get(name_view_widget(number, "clean")):
        return frame
    return paint_over(frame, roi)


def paint_over(frame: Frame, roi: Roi) -> Frame:
    """Give a frame without caliper marks and words in or beside the box."""
    return remove_calipers(frame, find_calipers(frame, roi), find_near_words(frame, roi))


def set_box(roi: Roi) -> None:
    """Set the box, and the numbers with it."""
    _keep(roi.rounded())
    _renew_edges(get_case().shown)


def take_place(frame: Frame, number: int) -> None:
    """Take the lesion at the place that was clicked as the box, where the segmenter finds one there."""
    lesion = find_at(frame, number)
    if lesion is not None:
        set_box(lesion.box)


def start_box(view: LesionView, frame: Frame, proposal: Proposal) -> Box:
    """Set a view's box for a new area, another frame whose box was not touched, or another chosen lesion."""
    box, area = view.box, (frame.origin, frame.width, frame.height)
    known = frame.to_frame(Roi(*view.source.box)) if view.source.box else None
    guess = proposal.box or default_roi(frame).rounded()
    if box is None or box.area != area:
        start = None if known else guess
        shown = Box((known or guess).rounded(), start, area, frame.frame_index, proposal.chosen)
    else:
        shown = box.show(guess, frame_index=frame.frame_index, lesion=proposal.chosen)
    if box is None or shown.roi != box.roi:
        _renew_edges(view.number)
    if shown != box:
        change_case(BoxSet(shown, view.number))
    return shown


def _ask_acceptance(roi: Roi) -> None:
    """Ask to check the proposed box; the answer holds as long as the box does."""
    box = get_case().box
    if box is not None and box.accepted == roi:
        st.caption("You have accepted the proposed box.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(":orange[**Proposed box:**] check it, then accept it, or draw it again on the image.")
        st.button("Accept the proposed box", on_click=guard(_accept), args=(roi,))


def _accept(roi: Roi) -> None:
    box = get_case().box
    if box is not None:
        change_case(BoxSet(replace(box, accepted=roi), get_case().shown))


def _keep(roi: Roi) -> None:
    box = get_case().box
    if box is not None and box.roi != roi:
        change_case(BoxSet(replace(box, roi=roi), get_case().shown))


def _renew_edges(number: int) -> None:
    for name in EDGES:
        renew_widget(number, name)


def _ask_edges(number: int, frame: Frame, roi: Roi) -> dict[str, float]:
    columns = st.columns(4)
    edges = {}
    for column, (name, label) in zip(columns, EDGES.items(), strict=True):
        limit = frame.width if name.startswith("x") else frame.height
        edges[name] = float(
            column.number_input(
                f"{label} (px)",
                0,
                limit,
                int(getattr(roi, name)),
                step=1,
                key=name_set_widget(number, name),
                persist_state="session",
            )
        )
    return edges


def _describe(frame: Frame, roi: Roi) -> str:
    box = f"Box {roi.width:.0f} x {roi.height:.0f} pixels"
    if frame.mm_per_px is None:
        return f"{box}. The file has no scale, so sizes in millimetres are not known."
    return f"{box}, {roi.width * frame.mm_per_px:.1f} x {roi.height * frame.mm_per_px:.1f} mm."
