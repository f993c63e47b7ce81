"""What a session knows of its board, and what each event makes of it; Streamlit has no part in it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Protocol


@dataclass(frozen=True)
class BoardState:
    """The board of a session."""

    patient: str | None = None  # pseudonym of who is open; None is the list
    listed: tuple[str, ...] = ()  # pseudonyms of the list's rows, as it was drawn last
    # cohort's hash and pseudonym of each estimate that was shown before the reader was known
    seen: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    # author and pseudonym of each own estimate whose slider was moved
    moved: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    saved: tuple[str, str] = ("", "")  # pseudonym and sentence of the entry that was saved last
    forms: int = 0  # how many entries were saved: each begins an empty form


class Event(Protocol):
    """Something that happens to a board."""

    def apply(self, state: BoardState) -> BoardState:
        """Give the board after it."""


def advance(state: BoardState, event: Event) -> BoardState:
    """Give the state after an event; the one before stays as it is."""
    return event.apply(state)


@dataclass(frozen=True)
class Opened:
    """A patient was opened, or with None the list."""

    patient: str | None

    def apply(self, state: BoardState) -> BoardState:
        """Go there."""
        return replace(state, patient=self.patient)


@dataclass(frozen=True)
class ListDrawn:
    """The list was drawn."""

    patients: tuple[str, ...]

    def apply(self, state: BoardState) -> BoardState:
        """Note its rows, so that a click on one finds its patient."""
        return replace(state, listed=self.patients)


@dataclass(frozen=True)
class RowOpened:
    """A row of the list was clicked."""

    row: int

    def apply(self, state: BoardState) -> BoardState:
        """Open its patient, if there is one."""
        return replace(state, patient=state.listed[self.row]) if self.row < len(state.listed) else state


@dataclass(frozen=True)
class Seen:
    """Estimates were shown to a reader who has not said who they are."""

    cohort: str
    patients: tuple[str, ...]

    def apply(self, state: BoardState) -> BoardState:
        """Note them until the reader is known."""
        return replace(state, seen=state.seen | {(self.cohort, patient) for patient in self.patients})


@dataclass(frozen=True)
class SeenKept:
    """What was shown is kept under the reader's name."""

    cohort: str

    def apply(self, state: BoardState) -> BoardState:
        """Forget the cohort's part."""
        return replace(state, seen=frozenset(pair for pair in state.seen if pair[0] != self.cohort))


@dataclass(frozen=True)
class OwnMoved:
    """A reader moved the slider of the own estimate."""

    author: str
    patient: str

    def apply(self, state: BoardState) -> BoardState:
        """Note it: only now it is a reading."""
        return replace(state, moved=state.moved | {(self.author, self.patient)})


@dataclass(frozen=True)
class Saved:
    """An entry was saved."""

    patient: str
    sentence: str

    def apply(self, state: BoardState) -> BoardState:
        """Begin an empty form and say so."""
        return replace(state, saved=(self.patient, self.sentence), forms=state.forms + 1)


def list_unkept(state: BoardState, cohort: str, visible: Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
    """List, once each and in order, the patients whose estimate a reader has seen, now or before they were known.

    Those of whom that is kept in the register already are left out.
    """
    earlier = sorted(patient for sha256, patient in state.seen if sha256 == cohort)
    before = set(known)
    return tuple(patient for patient in dict.fromkeys([*visible, *earlier]) if patient not in before)
