"""What each event makes of a case: pure transitions, without Streamlit.

A new image is a new case: clinical values never go from one case to the next unless the user says so.
What would lose work is asked about first: `ReplaceAsked` holds it until `ReplaceAgreed` or `ReplaceRefused`.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.inference.prediction import ImageReading, Plane
from core.ui.case.state import MOST_READINGS, MOST_VIEWS, Answer, Box, CaseState, Event, LesionView
from core.ui.image_source import Source


def advance(state: CaseState, event: Event) -> CaseState:
    """Give the state after an event; the one before stays as it is."""
    return event.apply(state)


@dataclass(frozen=True, eq=False)
class ImagesGiven:
    """Uploads, images from the archive or a simulated patient came; the last brings its values, and takes none."""

    sources: tuple[Source, ...]

    def apply(self, state: CaseState) -> CaseState:
        """Begin a case with them as views of one lesion."""
        views = tuple(LesionView(i, one, one.item) for i, one in enumerate(self.sources[:MOST_VIEWS], start=1))
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
        added = tuple(LesionView(first + i, source, source.item) for i, source in enumerate(room))
        shown = first if added else state.shown
        return replace(state, views=(*state.views, *added), shown=shown, file_number=state.file_number + 1)


@dataclass(frozen=True)
class ItemsTaken:
    """All files of an archive are views of one lesion."""

    count: int

    def apply(self, state: CaseState) -> CaseState:
        """Keep the one that is looked at, and make a view of each other, as many as there is room for."""
        view = state.view
        if view is None:
            return state
        first = replace(view, item=view.item or 0)
        others = [i for i in range(self.count) if i != first.item][: MOST_VIEWS - 1]
        added = (LesionView(first.number + n, first.source, i) for n, i in enumerate(others, start=1))
        return replace(state, views=(first, *added))


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
class ViewsRemoved:
    """Views were taken away."""

    numbers: tuple[int, ...]

    def apply(self, state: CaseState) -> CaseState:
        """Keep the others; without one, begin a case without an image."""
        left = tuple(view for view in state.views if view.number not in self.numbers)
        if not left:
            return _turn_over(state)
        used = left if any(view.is_used for view in left) else (replace(left[0], is_used=True), *left[1:])
        return replace(state, views=used, shown=used[0].number if state.shown in self.numbers else state.shown)


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


@dataclass(frozen=True, eq=False)
class ReplaceAsked:
    """Another case is to take the place of this one; where work would be lost, the user is asked first."""

    event: Event

    def apply(self, state: CaseState) -> CaseState:
        """Ask, or let it happen where it costs nothing; values before the first image that can be read go with it."""
        after = self.event.apply(state)
        is_kept = after.number == state.number or (not state.is_read and after.values == state.values)
        if is_kept or not state.holds_work:
            return replace(after, pending=None)
        return replace(state, pending=self.event, file_number=state.file_number + 1)


@dataclass(frozen=True)
class ReplaceAgreed:
    """The case may be lost; its values hold for the next one where it is the same patient's."""

    is_same_patient: bool = False

    def apply(self, state: CaseState) -> CaseState:
        """Let happen what was held."""
        if state.pending is None:
            return state
        after = state.pending.apply(replace(state, pending=None))
        return replace(after, values=state.values, side=state.side) if self.is_same_patient else after


@dataclass(frozen=True)
class ReplaceRefused:
    """The case is to stay."""

    def apply(self, state: CaseState) -> CaseState:
        """Ask no longer."""
        return replace(state, pending=None)


@dataclass(frozen=True)
class Saved:
    """The case was exported, sent or entered in the register."""

    def apply(self, state: CaseState) -> CaseState:
        """Note what is kept elsewhere now."""
        return replace(state, saved=state.content)


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
        values = {**state.values, self.name: self.value}
        return replace(state, values=values, form_number=state.form_number + 1)


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
    """Give the case after an image: its values go with it; those before any image that could be read stay."""
    return _blank(state) if state.is_read else replace(_blank(state), values=state.values, side=state.side)


def _change_view(state: CaseState, **changes: Any) -> CaseState:
    """Change the view that is looked at."""
    changed = (replace(view, **changes) if view.number == state.shown else view for view in state.views)
    return replace(state, views=tuple(changed))


def _blank(state: CaseState) -> CaseState:
    return CaseState(state.number + 1, state.file_number + 1, state.form_number + 1)
