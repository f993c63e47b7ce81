"""What a session knows of the page Boxes, in one place."""

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from core.cohort.boxes import BoxManifest
from core.cohort.scoring.scratch import ScratchFolder
from core.imaging import Frame, Roi
from core.inference.lesion_finder import BoxSource
from core.ui.session import keep

STATE = "boxes_state"
KEPT_FRAMES = 6


@dataclass(frozen=True)
class Proposed:
    """An image that was read, with the box that is proposed for it."""

    frame: Frame
    box: Roi
    source: BoxSource


class Recent:
    """The images looked at last; a few are kept, so that going back is quick."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, Proposed] = OrderedDict()

    def get(self, place: int) -> Proposed | None:
        """Give an image that is still kept."""
        return self._kept.get(place)

    def add(self, place: int, proposed: Proposed) -> None:
        """Keep an image."""
        self._kept[place] = proposed
        while len(self._kept) > KEPT_FRAMES:
            self._kept.popitem(last=False)


@dataclass(frozen=True)
class BoxesState:
    """Where the page stands."""

    manifest: BoxManifest | None = None  # what is open
    scratch: ScratchFolder | None = None  # where an uploaded package lies; it goes with the session
    place: int = 0  # image that is looked at, from 0
    uploads: int = 0  # how many packages were taken; each begins with an empty uploader
    is_saved: bool = True  # whether the boxes of a package were taken home since the last one was drawn
    recent: Recent = field(default_factory=Recent)  # images looked at last

    @property
    def is_unsaved(self) -> bool:
        """Whether a reload would lose boxes of an uploaded package."""
        return self.scratch is not None and not self.is_saved


def get_state() -> BoxesState:
    """Give where the page stands; at nothing at first."""
    state: BoxesState = st.session_state.setdefault(STATE, BoxesState())
    return state


def change_state(**changes: Any) -> None:
    """Keep the state with other values."""
    keep(STATE, replace(get_state(), **changes))


def note_taken() -> None:
    """Note that the boxes were taken home."""
    change_state(is_saved=True)
