"""What a session knows of its case: frozen records, without Streamlit."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from core.imaging import Roi
from core.inference.prediction import Case, ImageReading, Plane, Prediction
from core.ui.image_source import Source
from models.bundle import Bundle

MOST_VIEWS = 12
MOST_READINGS = 2 * MOST_VIEWS
Area = tuple[tuple[float, float], int, int]


class Event(Protocol):
    """Something that happens to a case."""

    def apply(self, state: "CaseState") -> "CaseState":
        """Give the case after it."""


@dataclass(frozen=True)
class Box:
    """The lesion box and what it started from."""

    roi: Roi  # as it stands, pixels of the frame
    start: Roi | None  # the box that was guessed; None where the source came with a box
    area: Area  # origin, width and height of the frame: another area starts another box
    # frame_index, lesion: frame of a loop and proposed lesion that it was last shown with
    frame_index: int = 0
    lesion: int = 0
    accepted: Roi | None = None  # the proposed box that the user has accepted

    @property
    def is_drawn(self) -> bool:
        """Whether it was moved from where it started."""
        return self.start is not None and self.roi != self.start

    def show(self, guess: Roi, *, frame_index: int, lesion: int) -> "Box":
        """Give the box on another frame or lesion: on the guess where it was not touched, or a lesion was chosen."""
        before, now = (self.frame_index, self.lesion), (frame_index, lesion)
        shown = replace(self, frame_index=frame_index, lesion=lesion)
        follows = before != now and (self.frame_index == frame_index or self.roi == self.start)
        return replace(shown, roi=guess, start=guess) if follows else shown


@dataclass(frozen=True, eq=False)
class LesionView:
    """One view of the lesion, as it came and as it is used."""

    number: int  # which of the case, from 1; it stays when others go
    source: Source  # the image as it came
    item: int | None = None  # file of an archive that is looked at
    plane: Plane | None = None  # "transverse", "longitudinal", "other", how the probe was held
    is_used: bool = True  # false where it was left out of the estimate
    box: Box | None = None  # lesion box


@dataclass(frozen=True, eq=False)
class Answer:
    """An estimate with what it was made from."""

    key: Hashable  # what the network saw: pixels and box of each view
    numbers: tuple[int, ...]  # which views of the case
    case: Case  # views, caliper marks painted over where that was chosen, and checked values
    prediction: Prediction  # the estimate
    bundle: Bundle  # what made it; another one may answer by now


@dataclass(frozen=True, eq=False)
class CaseState:
    """One case of a session."""

    number: int = 0  # which case of the session; widgets of a case carry it in their keys, so that none outlives it
    file_number: int = 0  # which image file of the session: an archive may hold several cases
    form_number: int = 0  # which state of the form; another one where values were set without typing
    views: tuple[LesionView, ...] = ()  # images of one lesion, at most `MOST_VIEWS`
    shown: int = 1  # number of the view that is looked at
    is_read: bool = False  # whether the image could be decoded
    pending: Event | None = None  # what would replace the case, while the user is asked whether it may be lost
    saved: Hashable = None  # the content that was exported or entered in the register last
    # clinical values as entered, without those that are not known
    values: Mapping[str, object] = field(default_factory=dict)
    side: str | None = None  # "left", "right", breast, as the user says it
    # questions about contradictions that the user has answered by "this is right"
    confirmed: frozenset[str] = frozenset()
    # what the network read from this case, by pixels and box; the last `MOST_READINGS`
    readings: Mapping[Hashable, ImageReading] = field(default_factory=dict)
    answer: Answer | None = None  # the last estimate of this case

    @property
    def content(self) -> Hashable:
        """What an export or an entry of the register keeps of the case."""
        views = tuple((v.source.sha256, v.item, v.plane, v.is_used, v.box and v.box.roi) for v in self.views)
        values = frozenset((name, str(value)) for name, value in self.values.items())
        return views, values, self.side, self.answer and self.answer.key

    @property
    def has_entries(self) -> bool:
        """Whether clinical values were entered, beside those of a simulated patient."""
        brought = self.source.clinical if self.source is not None and self.source.is_simulated else {}
        changed = {name: str(value) for name, value in self.values.items()} != {n: str(v) for n, v in brought.items()}
        return (changed and bool(self.values)) or self.side is not None

    @property
    def is_unsaved(self) -> bool:
        """Whether a reload would lose something: images or values that did not come with a simulated patient."""
        came = self.source is not None and not self.source.is_simulated
        return (came or self.has_entries) and self.content != self.saved

    @property
    def holds_work(self) -> bool:
        """Whether another case in its place would lose more than an image that can be given again."""
        drawn = any(view.box is not None and view.box.is_drawn for view in self.views)
        return self.is_unsaved and (self.has_entries or drawn or self.answer is not None)

    @property
    def view(self) -> LesionView | None:
        """The view that is looked at."""
        return next((view for view in self.views if view.number == self.shown), None)

    @property
    def source(self) -> Source | None:
        """Where the first image comes from: all others are the same patient's."""
        return self.views[0].source if self.views else None

    @property
    def sources(self) -> list[Source]:
        """Where all images come from, those of a case that would replace this one among them."""
        coming = self.pending.apply(self).views if self.pending is not None else ()
        return [view.source for view in (*self.views, *coming)]

    @property
    def box(self) -> Box | None:
        """The lesion box of the view that is looked at."""
        return None if self.view is None else self.view.box
