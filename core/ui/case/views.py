"""The views of a case: each with its frame, box and verdict; one is looked at, the strip shows them all."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import streamlit as st
from PIL import Image, ImageOps

from core.errors import AppError
from core.imaging import Frame, Roi
from core.imaging.findings.quality import assess_quality
from core.inference import View
from core.inference.explain import format_percent
from core.inference.sentences import name_repeats
from core.plain_text import plain
from core.ui.case.box import clean_frame, start_box
from core.ui.case.events import PlaneSet, ViewShown, ViewsRemoved, ViewTurned
from core.ui.case.frames import find_refusal, recall_frame
from core.ui.case.image_input import ask_more_views
from core.ui.case.proposal import find_proposal
from core.ui.case.session import change_case, get_case, name_view_widget
from core.ui.case.state import Answer, LesionView
from core.ui.errors import guard

THUMBNAIL = (132, 84)
NO_PLANE = "plane not stated"
PLANES = ("transverse", "longitudinal", "other")
STYLE = """<style>
.st-key-case_strip { overflow-x: auto; gap: 0.5rem; }
.st-key-case_strip > div { flex: 0 0 auto; }
.st-key-case_strip [data-testid="stVerticalBlock"] { gap: 0.25rem; }
.st-key-case_strip button { min-height: 1.9rem; padding: 0 0.4rem; font-size: 0.8rem; }
</style>"""


@dataclass(frozen=True)
class PreparedView:
    """A view as the network would get it."""

    number: int  # which of the case
    frame: Frame | None  # B-mode area; None where it can't be read
    view: View | None  # frame, caliper marks painted over where that was chosen, and box; None where it can't be used
    fault: str = ""  # why it can't be used; empty where it can


def prepare_view(view: LesionView) -> PreparedView:
    """Read a view that is not looked at, and start its box on the proposed lesion where it has none yet."""
    frame = None
    try:
        frame = recall_frame(view)
        fault = find_refusal(frame)
        if fault:
            return PreparedView(view.number, frame, None, fault)
        roi = start_box(view, frame, find_proposal(frame, view.number)).roi
        return make_view(view, frame, roi)
    except AppError as error:
        return PreparedView(view.number, frame, None, str(error))


def make_view(view: LesionView, frame: Frame, roi: Roi) -> PreparedView:
    """Put a view's frame, box and plane together."""
    return PreparedView(view.number, frame, View(clean_frame(view.number, frame, roi), roi, view.plane))


def prepare_others(shown: PreparedView | None) -> list[PreparedView]:
    """Prepare all views of the case in their order, beside the one that is looked at; None where that can't be used."""
    state = get_case()
    prepared = []
    others = [view for view in state.views if view.number != state.shown]
    bar = st.progress(0.0, "Reading the views") if any(view.box is None for view in others) else None
    for done, view in enumerate(state.views, start=1):
        if view.number == state.shown:
            prepared.append(shown or PreparedView(view.number, None, None, "It can't be used as it stands."))
        else:
            prepared.append(prepare_view(view))
        if bar is not None:
            bar.progress(done / len(state.views), f"View {done} of {len(state.views)}")
    if bar is not None:
        bar.empty()
    return prepared


def list_used(prepared: list[PreparedView]) -> dict[int, View] | None:
    """Give the views that an estimate is made from; None where one that is used can't be."""
    wanted = {view.number for view in get_case().views if view.is_used}
    used = {one.number: one.view for one in prepared if one.number in wanted}
    if not used or any(view is None for view in used.values()):
        return None
    return {number: view for number, view in used.items() if view is not None}


def offer_removal(prepared: list[PreparedView]) -> None:
    """Offer to remove at once all views that the estimate waits for in vain, where others can be used."""
    wanted = {view.number for view in get_case().views if view.is_used}
    bad = tuple(one.number for one in prepared if one.view is None and one.number in wanted)
    if not bad or not any(one.view for one in prepared):
        return
    named = f"View {bad[0]}" if len(bad) == 1 else f"Views {', '.join(map(str, bad[:-1]))} and {bad[-1]}"
    st.markdown(f"{named} can't be used; the reasons stand below the image.")
    label = "Remove it and go on" if len(bad) == 1 else f"Remove these {len(bad)} and go on"
    st.button(label, on_click=guard(change_case), args=(ViewsRemoved(bad),), width="stretch")


def show_strip(prepared: list[PreparedView], answer: Answer | None) -> None:
    """Draw the strip of views, each with its own estimate, and what can be done with the one that is looked at.

    Parameters
    ----------
    prepared : list of PreparedView
        All views.
    answer : Answer or None
        The present estimate.
    """
    state, view = get_case(), get_case().view
    if view is None:
        return
    estimates = {} if answer is None else dict(zip(answer.numbers, answer.prediction.views, strict=True))
    if len(prepared) > 1:
        alone = {number: format_percent(estimate.probability) for number, estimate in estimates.items()}
        st.html(STYLE)
        with st.container(key="case_strip", horizontal=True):
            for one, given in zip(prepared, state.views, strict=True):
                _show_card(one, given, alone, is_shown=one.number == state.shown)
    with st.container(horizontal=True, vertical_alignment="center"):
        if len(prepared) > 1:
            _ask_plane(view, "collapsed")
            label = "Leave this view out" if view.is_used else "Use this view"
            is_last = view.is_used and sum(other.is_used for other in state.views) == 1
            st.button(label, on_click=guard(change_case), args=(ViewTurned(),), disabled=is_last)
            st.button("Remove it", on_click=guard(change_case), args=(ViewsRemoved((view.number,)),), type="tertiary")
        if state.source is not None and not state.source.is_simulated:
            with st.popover("Add views" if len(prepared) > 1 else "Plane, more views"):
                if len(prepared) == 1:
                    _ask_plane(view, "visible")
                ask_more_views()
    for one, given in zip(prepared, state.views, strict=True):
        if one.fault and given.is_used and one.number != state.shown:
            st.error(f"View {one.number} can't be used: {plain(one.fault)} Leave it out to go on without it.")
    used = {view.number for view in state.views if view.is_used}
    for sentence in name_repeats({one.number: one.view for one in prepared if one.view and one.number in used}):
        st.warning(sentence)


def judge_view(view: View) -> str:
    """Give the quality verdict of a view in a few words."""
    found = {finding.status for finding in assess_quality(view.frame, view.roi)}
    return next((words for status, words in VERDICTS.items() if status in found), "fit")


VERDICTS: Mapping[str, str] = {"refused": "refused", "caution": "caution", "note": "note"}


def _show_card(one: PreparedView, given: LesionView, alone: Mapping[int, str], *, is_shown: bool) -> None:
    verdict = "not usable" if one.view is None else judge_view(one.view)
    words = [given.plane or "", alone.get(one.number, ""), verdict if given.is_used else "left out"]
    with st.container(width=THUMBNAIL[0]):
        if one.frame is not None:
            st.image(_draw_thumbnail(one.frame, given), alt=f"View {one.number}", width="stretch")
        st.button(
            f"{one.number}: {' · '.join(word for word in words if word)}",
            key=f"case_card_{one.number}",
            type="primary" if is_shown else "secondary",
            on_click=guard(change_case),
            args=(ViewShown(one.number),),
            width="stretch",
        )


def _draw_thumbnail(frame: Frame, given: LesionView) -> Image.Image:
    """Cut a small picture of a frame, as near around the middle of the lesion box as its edges allow."""
    wide, high = THUMBNAIL
    scale = max(wide / frame.width, high / frame.height)
    roi = given.box.roi if given.box is not None else Roi(0, 0, frame.width, frame.height)
    middles = ((roi.x0 + roi.x1) / 2, (roi.y0 + roi.y1) / 2)
    rooms = (frame.width - wide / scale, frame.height - high / scale)
    starts = (middles[0] - wide / scale / 2, middles[1] - high / scale / 2)
    across, down = (
        min(1.0, max(0.0, start / room)) if room > 0 else 0.5 for start, room in zip(starts, rooms, strict=True)
    )
    return ImageOps.fit(Image.fromarray(frame.pixels), THUMBNAIL, centering=(across, down))


def _ask_plane(view: LesionView, label: Literal["visible", "collapsed"]) -> None:
    key = name_view_widget(view.number, "plane")
    st.session_state.setdefault(key, view.plane or NO_PLANE)
    st.selectbox(
        "Plane of this view",
        (NO_PLANE, *PLANES),
        key=key,
        on_change=guard(_set_plane),
        args=(key,),
        label_visibility=label,
        help="Tells views apart here and in documents; the estimate does not use it.",
        width=170 if label == "collapsed" else "stretch",
        persist_state="session",
    )


def _set_plane(key: str) -> None:
    chosen = st.session_state[key]
    change_case(PlaneSet(None if chosen == NO_PLANE else chosen))
