"""The lesion proposal: the outline that the segmenter draws, its measures, and what the user takes over from it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from core.errors import ModelError, WorkError
from core.imaging import Frame, Roi
from core.inference.explain import format_percent
from core.inference.lesion import Lesion
from core.ui.case.events import ValueTaken
from core.ui.case.session import change_case, get_case, name_set_widget, name_view_widget, set_widget
from core.ui.errors import guard
from core.ui.resources import get_worker
from core.ui.session import name_owner
from core.ui.waiting import take_turn

FOUND, SIZE = "case_lesions", "size_mm"
ORIENTATION = {"parallel": "parallel to the skin", "not_parallel": "not parallel to the skin"}
WORDS = "Looking for the lesion; the first time, the model is loaded"
AT, LESION, SAID = "at", "lesion", "said"
TAKEN = "The box is that of the lesion outlined here: check it."
NOTHING_HERE = "No lesion was found here: drag a box around it, or click its opposite corner."
NOTHING = "No lesion was found in this image. The box below is only a guess: draw it around the lesion yourself."


@dataclass(frozen=True)
class Proposal:
    """The lesions found in a frame, and the one that the user looks at."""

    lesions: tuple[Lesion, ...] = ()  # best first
    chosen: int = 0  # position of the lesion whose box and measures are shown
    reason: str = ""  # why nothing could be looked for; empty where the segmenter answered

    @property
    def lesion(self) -> Lesion | None:
        """The chosen lesion; None where none was found."""
        return self.lesions[self.chosen] if self.lesions else None

    @property
    def box(self) -> Roi | None:
        """Its box in whole pixels, at the contour's outer edge."""
        return None if self.lesion is None else self.lesion.box.rounded()


def find_proposal(frame: Frame, number: int) -> Proposal:
    """Look for lesions once a frame of a view; where there are several, the one that was chosen last."""
    key = _identify(frame)
    found: dict[int, tuple[object, tuple[Lesion, ...]]] = st.session_state.setdefault(FOUND, {})
    known = found.get(number)
    if known is None or known[0] != key:
        owner = name_owner()
        try:
            turn = take_turn(f"{FOUND}_{number}", key, lambda: get_worker().begin_finding(frame, owner=owner), WORDS)
        except (ModelError, WorkError) as error:
            return Proposal(reason=f"The search for a lesion failed. {error}")
        known = found[number] = (key, turn)
        set_widget(number, LESION, 0)
    return Proposal(known[1], int(st.session_state.get(name_set_widget(number, LESION)) or 0))


def get_lesions(frame: Frame, number: int) -> tuple[Lesion, ...]:
    """Get the lesions that were found in a view's frame."""
    key, lesions = st.session_state.get(FOUND, {}).get(number, (None, ()))
    return lesions if key == _identify(frame) else ()


def _identify(frame: Frame) -> tuple[str, int]:
    return hashlib.sha256(frame.pixels.tobytes()).hexdigest(), frame.width


def ask_lesion(proposal: Proposal, number: int) -> None:
    """Ask which lesion it is where several were found in a view."""
    if len(proposal.lesions) > 1:
        st.segmented_control(
            "Several lesions were found. Which one is it?",
            range(len(proposal.lesions)),
            format_func=lambda i: f"Outline {i + 1}",
            required=True,
            key=name_set_widget(number, LESION),
            persist_state="session",
        )


def choose_lesion(proposal: Proposal, number: int, fits: Callable[[Roi], bool]) -> Lesion | None:
    """Choose the first lesion whose box fits."""
    for i, lesion in enumerate(proposal.lesions):
        if fits(lesion.box):
            set_widget(number, LESION, i)
            st.session_state[name_view_widget(number, SAID)] = TAKEN
            return lesion
    return None


def ask_at(number: int, x: float, y: float) -> None:
    """Let the segmenter look at a place of a view when the page is drawn next."""
    st.session_state[name_view_widget(number, AT)] = (x, y)


def find_at(frame: Frame, number: int) -> Lesion | None:
    """Look for a lesion at the place that was asked for; it is proposed beside the others, and chosen."""
    at = st.session_state.pop(name_view_widget(number, AT), None)
    if at is None:
        return None
    key, owner = (_identify(frame), at), name_owner()
    found = take_turn(f"{FOUND}_at", key, lambda: get_worker().begin_finding(frame, at, owner=owner), WORDS)
    st.session_state[name_view_widget(number, SAID)] = TAKEN if found else NOTHING_HERE
    if not found:
        return None
    lesions = (*get_lesions(frame, number), *found)
    st.session_state[FOUND][number] = (key[0], lesions)
    set_widget(number, LESION, len(lesions) - 1)
    return found[0]


def say_found(number: int) -> str:
    """Say once what became of the place that was clicked."""
    return str(st.session_state.pop(name_view_widget(number, SAID), ""))


def show_proposal(proposal: Proposal, frame: Frame, roi: Roi) -> None:
    """Say what was found, and offer a size for the form where the scale is known; it is taken over by a click alone.

    Where the box is not the proposed one, its longer side is the size that is offered.
    """
    lesion = proposal.lesion
    if lesion is None:
        st.info(proposal.reason or NOTHING)
    else:
        st.markdown("**Proposed outline** (the curved line). " + " ".join(describe_lesion(lesion)))
    if frame.mm_per_px is None:
        return
    if lesion is not None and roi == proposal.box:
        size_px, what = lesion.diameters_px.longest, "the longest diameter of the outline"
    else:
        size_px, what = max(roi.width, roi.height), "the longer side of the box"
    _offer_size(round(size_px * frame.mm_per_px, 1), what)


def describe_lesion(lesion: Lesion) -> tuple[str, ...]:
    """Give the measures of an outline in sentences, in millimetres where the scale is known."""
    measures = (*lesion.diameters_px, lesion.transverse_px, lesion.antero_posterior_px)
    if lesion.mm_per_px is None:
        longest, across, wide, deep = (f"{value:.0f}" for value in measures)
        unit, area = "pixels", f"{lesion.area_px:.0f} square pixels"
    else:
        longest, across, wide, deep = (f"{value * lesion.mm_per_px:.1f}" for value in measures)
        unit, area = "mm", f"{lesion.area_mm2:.0f} mm²"
    return (
        f"Longest diameter {longest} {unit}, perpendicular to it {across} {unit};",
        f"{wide} {unit} along the skin and {deep} {unit} deep, so {ORIENTATION[lesion.orientation]}; area {area}.",
        f"Segmentation confidence {format_percent(lesion.confidence)}.",
    )


def _offer_size(size_mm: float, what: str) -> None:
    if get_case().values.get(SIZE) == size_mm:
        st.caption(f"{size_mm} mm, {what}, is in the form.")
        return
    st.button(
        f"Use {size_mm} mm as the size",
        on_click=guard(change_case),
        args=(ValueTaken(SIZE, size_mm),),
        help=f"Writes {what} into the form as the largest diameter on ultrasound.",
    )
