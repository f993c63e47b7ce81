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
    """The lesion box and what it started from.

    Parameters
    ----------
    roi : Roi
        As it stands, pixels of the frame.
    start : Roi or None
        The box that was guessed; None where the source came with a box.
    area : tuple
        Origin, width and height of the frame: another area starts another box.
    frame_index, lesion : int
        Frame of a loop and proposed lesion that it was last shown with.
    accepted : Roi or None
        The proposed box that the user has accepted.
    """

    roi: Roi
    start: Roi | None
    area: Area
    frame_index: int = 0
    lesion: int = 0
    accepted: Roi | None = None

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
    """One view of the lesion, as it came and as it is used.

    Parameters
    ----------
    number : int
        Which of the case, from 1; it stays when others go.
    source : Source
        The image as it came.
    item : int or None
        File of an archive that is looked at.
    plane : {"transverse", "longitudinal", "other"} or None
        How the probe was held.
    is_used : bool
        False where it was left out of the estimate.
    box : Box or None
        Lesion box.
    """

    number: int
    source: Source
    item: int | None = None
    plane: Plane | None = None
    is_used: bool = True
    box: Box | None = None


@dataclass(frozen=True, eq=False)
class Answer:
    """An estimate with what it was made from.

    Parameters
    ----------
    key : hashable
        What the network saw: pixels and box of each view.
    numbers : tuple of int
        Which views of the case.
    case : Case
        Views, caliper marks painted over where that was chosen, and checked values.
    prediction : Prediction
        The estimate.
    bundle : Bundle
        What made it; another one may answer by now.
    """

    key: Hashable
    numbers: tuple[int, ...]
    case: Case
    prediction: Prediction
    bundle: Bundle


@dataclass(frozen=True, eq=False)
class CaseState:
    """One case of a session.

    Parameters
    ----------
    number : int
        Which case of the session; widgets of a case carry it in their keys, so that none outlives it.
    file_number : int
        Which image file of the session: an archive may hold several cases.
    form_number : int
        Which state of the form; another one where values were set without typing.
    views : tuple of LesionView
        Images of one lesion, at most `MOST_VIEWS`.
    shown : int
        Number of the view that is looked at.
    is_read : bool
        Whether the image could be decoded.
    pending : Event or None
        What would replace the case, while the user is asked whether it may be lost.
    saved : hashable
        The content that was exported or entered in the register last.
    values : mapping of str to value
        Clinical values as entered, without those that are not known.
    side : {"left", "right"} or None
        Breast, as the user says it.
    confirmed : frozenset of str
        Questions about contradictions that the user has answered by "this is right".
    readings : mapping of hashable to ImageReading
        What the network read from this case, by pixels and box; the last `MOST_READINGS`.
    answer : Answer or None
        The last estimate of this case.
    """

    number: int = 0
    file_number: int = 0
    form_number: int = 0
    views: tuple[LesionView, ...] = ()
    shown: int = 1
    is_read: bool = False
    pending: Event | None = None
    saved: Hashable = None
    values: Mapping[str, object] = field(default_factory=dict)
    side: str | None = None
    confirmed: frozenset[str] = frozenset()
    readings: Mapping[Hashable, ImageReading] = field(default_factory=dict)
    answer: Answer | None = None

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
