"""What a session knows of its case, and what each event makes of it; Streamlit has no part in it.

A new image is a new case: clinical values never go from one case to the next unless the user says so.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from core.imaging import Frame, Roi
from core.inference.prediction import ImageReading, Prediction
from core.ui.image_source import Source

MOST_READINGS = 8
Area = tuple[tuple[float, float], int, int]


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

    def show(self, guess: Roi, *, frame_index: int, lesion: int) -> "Box":
        """Give the box on another frame or lesion: on the guess where it was not touched, or a lesion was chosen.

        Parameters
        ----------
        guess : Roi
            The proposed box there.
        frame_index, lesion : int
            What is shown now.

        Returns
        -------
        Box
            The same one where nothing changed.
        """
        before, now = (self.frame_index, self.lesion), (frame_index, lesion)
        shown = replace(self, frame_index=frame_index, lesion=lesion)
        follows = before != now and (self.frame_index == frame_index or self.roi == self.start)
        return replace(shown, roi=guess, start=guess) if follows else shown


@dataclass(frozen=True, eq=False)
class Answer:
    """An estimate with what it was made from.

    Parameters
    ----------
    key : hashable
        What the network saw: pixels and box.
    frame : Frame
        B-mode area, caliper marks painted over where that was chosen.
    roi : Roi
        Lesion box.
    clinical : mapping of str to value
        Checked values.
    prediction : Prediction
        The estimate.
    """

    key: Hashable
    frame: Frame
    roi: Roi
    clinical: Mapping[str, str | float]
    prediction: Prediction


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
    source : Source or None
        The image as it came.
    item : int or None
        File of an archive that is looked at.
    is_read : bool
        Whether the image could be decoded.
    values : mapping of str to value
        Clinical values as entered, without those that are not known.
    earlier : mapping of str to value
        Values of the image before, until the user says whether they hold for this one too.
    confirmed : frozenset of str
        Questions about contradictions that the user has answered by "this is right".
    box : Box or None
        Lesion box.
    readings : mapping of hashable to ImageReading
        What the network read from this case, by pixels and box; the last `MOST_READINGS`.
    answer : Answer or None
        The last estimate of this case.
    """

    number: int = 0
    file_number: int = 0
    form_number: int = 0
    source: Source | None = None
    item: int | None = None
    is_read: bool = False
    values: Mapping[str, object] = field(default_factory=dict)
    earlier: Mapping[str, object] = field(default_factory=dict)
    confirmed: frozenset[str] = frozenset()
    box: Box | None = None
    readings: Mapping[Hashable, ImageReading] = field(default_factory=dict)
    answer: Answer | None = None


class Event(Protocol):
    """Something that happens to a case."""

    def apply(self, state: CaseState) -> CaseState:
        """Give the case after it."""


def advance(state: CaseState, event: Event) -> CaseState:
    """Give the state after an event; the one before stays as it is."""
    return event.apply(state)


@dataclass(frozen=True, eq=False)
class ImageGiven:
    """An upload, an image from the archive or a simulated patient came; the last brings its values, and takes none."""

    source: Source

    def apply(self, state: CaseState) -> CaseState:
        """Begin a case with it."""
        if self.source.is_simulated:
            return replace(_blank(state), source=self.source, values=dict(self.source.clinical))
        return replace(_turn_over(state), source=self.source)


@dataclass(frozen=True)
class ItemChosen:
    """Another file of an archive was chosen; it may be another patient's."""

    item: int

    def apply(self, state: CaseState) -> CaseState:
        """Begin a case with it; the archive stays open."""
        if self.item == (state.item or 0):
            return state
        return replace(_turn_over(state), source=state.source, file_number=state.file_number, item=self.item)


@dataclass(frozen=True)
class ImageRemoved:
    """The image was taken away."""

    def apply(self, state: CaseState) -> CaseState:
        """Begin a case without an image."""
        return _turn_over(state)


@dataclass(frozen=True)
class CaseEnded:
    """Everything is to be forgotten."""

    def apply(self, state: CaseState) -> CaseState:
        """Begin an empty case."""
        return _blank(state)


@dataclass(frozen=True)
class ImageRead:
    """The image was decoded."""

    def apply(self, state: CaseState) -> CaseState:
        """Note it: from now on values belong to this image."""
        return replace(state, is_read=True)


@dataclass(frozen=True, eq=False)
class ValuesEntered:
    """The form was filled in; values that are not known are left out."""

    values: Mapping[str, object]

    def apply(self, state: CaseState) -> CaseState:
        """Take them."""
        return replace(state, values=dict(self.values))


@dataclass(frozen=True)
class ValueTaken:
    """A value was taken over into the form."""

    name: str
    value: object

    def apply(self, state: CaseState) -> CaseState:
        """Set it."""
        return _fill(state, {**state.values, self.name: self.value})


@dataclass(frozen=True)
class EarlierKept:
    """The values of the image before hold for this one too."""

    def apply(self, state: CaseState) -> CaseState:
        """Set them, apart from what was entered anew."""
        return replace(_fill(state, {**state.earlier, **state.values}), earlier={})


@dataclass(frozen=True)
class EarlierDropped:
    """The values of the image before are another patient's."""

    def apply(self, state: CaseState) -> CaseState:
        """Forget them."""
        return replace(state, earlier={})


@dataclass(frozen=True)
class Confirmed:
    """A value that was questioned is right."""

    question: str

    def apply(self, state: CaseState) -> CaseState:
        """Note it."""
        return replace(state, confirmed=state.confirmed | {self.question})


@dataclass(frozen=True)
class BoxSet:
    """A box was started, moved or accepted."""

    box: Box

    def apply(self, state: CaseState) -> CaseState:
        """Take it; what was read and answered stays for the box before."""
        return replace(state, box=self.box)


@dataclass(frozen=True, eq=False)
class LesionRead:
    """The network has read a lesion."""

    key: Hashable
    reading: ImageReading

    def apply(self, state: CaseState) -> CaseState:
        """Keep it beside the last ones, so that going back needs no network."""
        others = [(key, kept) for key, kept in state.readings.items() if key != self.key]
        return replace(state, readings=dict([*others, (self.key, self.reading)][-MOST_READINGS:]))


@dataclass(frozen=True, eq=False)
class Answered:
    """An estimate was made."""

    answer: Answer

    def apply(self, state: CaseState) -> CaseState:
        """Keep it as the last one of this case."""
        return replace(state, answer=self.answer)


def _turn_over(state: CaseState) -> CaseState:
    """Give the case after an image: the values before become a question; those before any image stay."""
    if not state.is_read:
        return replace(_blank(state), values=state.values, earlier=state.earlier)
    is_made_up = state.source is not None and state.source.is_simulated
    return _blank(state) if is_made_up else replace(_blank(state), earlier=state.values)


def _fill(state: CaseState, values: Mapping[str, object]) -> CaseState:
    return replace(state, values=values, form_number=state.form_number + 1)


def _blank(state: CaseState) -> CaseState:
    return CaseState(state.number + 1, state.file_number + 1, state.form_number + 1)
