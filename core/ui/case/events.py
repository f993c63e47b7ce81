"""What each event makes of a case: pure transitions, without Streamlit.

A new image is a new case: clinical values never go from one case to the next unless the user says so.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from core.inference.prediction import ImageReading, Plane
from core.ui.case.state import MOST_READINGS, MOST_VIEWS, Answer, Box, CaseState, LesionView
from core.ui.image_source import Source


class Event(Protocol):
    """Something that happens to a case."""

    def apply(self, state: CaseState) -> CaseState:
        """Give the case after it."""


def advance(state: CaseState, event: Event) -> CaseState:
    """Give the state after an event; the one before stays as it is."""
    return event.apply(state)


@dataclass(frozen=True, eq=False)
class ImagesGiven:
    """Uploads, images from the archive or a simulated patient came; the last brings its values, and takes none."""

    sources: tuple[Source, ...]

    def apply(self, state: CaseState) -> CaseState:
        """Begin a case with them as views of one lesion."""
        views = tuple(LesionView(i, source) for i, source in enumerate(self.sources[:MOST_VIEWS], start=1))
        if self.sources[0].is_simulated:
            return replace(_blank(state), views=views, values=dict(self.sources[0].clinical))
        return replace(_turn_over(state), views=views)


@dataclass(frozen=True, eq=False)
class ViewsAdded:
    """More views of the same lesion came."""

    sources: tuple[Source, ...]

    def apply(self, state: CaseState) -> CaseState:
        """Put them behind the others, as many as there is room for, and look at the first of them."""
        room = self.sources[: MOST_VIEWS - len(state.views)]
        first = max((view.number for view in state.views), default=0) + 1
        added = tuple(LesionView(first + i, source) for i, source in enumerate(room))
        shown = first if added else state.shown
        return replace(state, views=(*state.views, *added), shown=shown, file_number=state.file_number + 1)


@dataclass(frozen=True)
class ItemsTaken:
    """All files of an archive are views of one lesion."""

    count: int

    def apply(self, state: CaseState) -> CaseState:
        """Make a view of each, as many as there is room for."""
        if state.source is None:
            return state
        items = range(min(self.count, MOST_VIEWS))
        return replace(state, views=tuple(LesionView(i + 1, state.source, i) for i in items), shown=1)


@dataclass(frozen=True)
class ViewShown:
    """Another view is to be looked at."""

    number: int

    def apply(self, state: CaseState) -> CaseState:
        """Look at it."""
        return replace(state, shown=self.number)


@dataclass(frozen=True)
class PlaneSet:
    """The plane of the view that is looked at was named."""

    plane: Plane | None

    def apply(self, state: CaseState) -> CaseState:
        """Note it."""
        return _change_view(state, plane=self.plane)


@dataclass(frozen=True)
class ViewTurned:
    """The view that is looked at was left out, or taken in again."""

    def apply(self, state: CaseState) -> CaseState:
        """Turn it; the last one that is used stays."""
        view = state.view
        if view is None or (view.is_used and sum(other.is_used for other in state.views) == 1):
            return state
        return _change_view(state, is_used=not view.is_used)


@dataclass(frozen=True)
class ViewRemoved:
    """The view that is looked at was taken away."""

    def apply(self, state: CaseState) -> CaseState:
        """Keep the others; without one, begin a case without an image."""
        left = tuple(view for view in state.views if view.number != state.shown)
        if not left:
            return _turn_over(state)
        used = left if any(view.is_used for view in left) else (replace(left[0], is_used=True), *left[1:])
        return replace(state, views=used, shown=used[0].number)


@dataclass(frozen=True)
class SideSaid:
    """The breast was named in the form."""

    side: str | None

    def apply(self, state: CaseState) -> CaseState:
        """Note it."""
        return replace(state, side=self.side)


@dataclass(frozen=True)
class ItemChosen:
    """Another file of an archive was chosen; it may be another patient's."""

    item: int

    def apply(self, state: CaseState) -> CaseState:
        """Begin a case with it; the archive stays open."""
        if state.view is None or self.item == (state.view.item or 0):
            return state
        view = LesionView(1, state.view.source, self.item)
        return replace(_turn_over(state), views=(view,), file_number=state.file_number)


@dataclass(frozen=True)
class ImagesRemoved:
    """All images were taken away."""

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
class EndAsked:
    """Everything is to be forgotten; where something would be lost, the user is asked first."""

    def apply(self, state: CaseState) -> CaseState:
        """Ask, or begin an empty case."""
        return replace(state, is_ending=True) if state.is_unsaved else _blank(state)


@dataclass(frozen=True)
class EndRefused:
    """The case is to stay."""

    def apply(self, state: CaseState) -> CaseState:
        """Ask no longer."""
        return replace(state, is_ending=False)


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
    """A view's box was started, moved or accepted."""

    box: Box
    number: int = 1

    def apply(self, state: CaseState) -> CaseState:
        """Take it for the view; what was read and answered stays for the box before."""
        views = tuple(replace(view, box=self.box) if view.number == self.number else view for view in state.views)
        return replace(state, views=views)


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
        return replace(_blank(state), values=state.values, earlier=state.earlier, side=state.side)
    is_made_up = state.source is not None and state.source.is_simulated
    return _blank(state) if is_made_up else replace(_blank(state), earlier=state.values)


def _change_view(state: CaseState, **changes: Any) -> CaseState:
    """Change the view that is looked at."""
    changed = (replace(view, **changes) if view.number == state.shown else view for view in state.views)
    return replace(state, views=tuple(changed))


def _fill(state: CaseState, values: Mapping[str, object]) -> CaseState:
    return replace(state, values=values, form_number=state.form_number + 1)


def _blank(state: CaseState) -> CaseState:
    return CaseState(state.number + 1, state.file_number + 1, state.form_number + 1)
