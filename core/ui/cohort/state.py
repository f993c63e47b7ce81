"""What a session knows of its own cohort, and what each event makes of it; Streamlit has no part in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from core.cohort import Choices, PredictionTable, TableReading

if TYPE_CHECKING:
    from core.cohort.scoring.job import ScoringJob


@dataclass(frozen=True)
class Refusal:
    """Why the last table was refused."""

    sentence: str  # what came and what to do
    rows: tuple[tuple[int, str], ...] = ()  # row number and reason of each row that was refused
    column: str = ""  # column of the file that it is about; "" where it is about none


@dataclass(frozen=True, eq=False)
class CohortState:
    """The cohort that a session brought."""

    uploads: int = 0  # how many files were taken: each begins with an empty uploader
    content: bytes | None = None  # the last file, so that its columns can be read otherwise
    choices: Choices = field(default_factory=Choices)  # what was settled about its columns
    read: PredictionTable | None = None  # the last table that could be read; it stays when a later one is refused
    # what became of its rows and columns; also of a manifest to train on, which gives no predictions
    reading: TableReading | None = None
    sha256: str = ""  # hash of the file and of what was settled
    package: "ScoringJob | None" = None  # what it was scored from, if it was
    refusal: Refusal | None = None  # why the last file was refused


class Event(Protocol):
    """Something that happens to the cohort."""

    def apply(self, state: CohortState) -> CohortState:
        """Give the cohort after it."""


def advance(state: CohortState, event: Event) -> CohortState:
    """Give the state after an event; the one before stays as it is."""
    return event.apply(state)


@dataclass(frozen=True, eq=False)
class FileGiven:
    """A file was uploaded; what was settled about the one before is forgotten."""

    content: bytes

    def apply(self, state: CohortState) -> CohortState:
        """Take it."""
        return replace(state, uploads=state.uploads + 1, content=self.content, choices=Choices(), refusal=None)


@dataclass(frozen=True)
class FileForgotten:
    """The file is to be forgotten; what was read of it stays."""

    def apply(self, state: CohortState) -> CohortState:
        """Forget it."""
        return replace(state, content=None, refusal=None)


@dataclass(frozen=True, eq=False)
class TableRead:
    """A table was read, from a file or from a package that was scored."""

    read: PredictionTable
    sha256: str
    package: "ScoringJob | None" = None

    def apply(self, state: CohortState) -> CohortState:
        """Keep it in place of the one before; a package leaves no file behind."""
        kept = replace(state, read=self.read, reading=self.read.reading, sha256=self.sha256)
        kept = replace(kept, package=self.package, refusal=None)
        return kept if self.package is None else replace(kept, content=None, choices=Choices())


@dataclass(frozen=True)
class ManifestRead:
    """A manifest to train on was read."""

    reading: TableReading

    def apply(self, state: CohortState) -> CohortState:
        """Keep what was read of it."""
        return replace(state, reading=self.reading, refusal=None)


@dataclass(frozen=True)
class TableRefused:
    """A file could not be read."""

    refusal: Refusal

    def apply(self, state: CohortState) -> CohortState:
        """Say why; the table before stays."""
        return replace(state, refusal=self.refusal)


@dataclass(frozen=True)
class ChoicesForgotten:
    """Nothing is settled any more."""

    def apply(self, state: CohortState) -> CohortState:
        """Read the file as it says."""
        return replace(state, choices=Choices())


@dataclass(frozen=True)
class FileSettled:
    """A person said which sheet and encoding to read, or whether alike pseudonyms are different patients."""

    sheet: str
    encoding: str
    exact_ids: bool

    def apply(self, state: CohortState) -> CohortState:
        """Take it; another sheet has other columns."""
        before = state.choices if self.sheet == state.choices.sheet else Choices()
        settled = replace(before, sheet=self.sheet, encoding=self.encoding, exact_ids=self.exact_ids)
        return replace(state, choices=settled)


@dataclass(frozen=True)
class ColumnSettled:
    """A person said what a column of the file is."""

    column: str  # of the file
    name: str | None  # field; None leaves the column unread
    unit: str = ""  # its unit; "" as the file says
    centre: str = ""  # centre that the unit holds for; "" for all
    codes: Mapping[str, str] = field(default_factory=dict)  # codes and their meaning; empty as the file says

    def apply(self, state: CohortState) -> CohortState:
        """Take it in place of what was settled before about the column or the field."""
        old, name = state.choices, self.name
        columns = {own: column for own, column in old.columns.items() if column != self.column and own != name}
        ignored = tuple(column for column in old.ignored if column != self.column)
        if name is None:
            return replace(state, choices=replace(old, columns=columns, ignored=(*ignored, self.column)))
        key = f"{name}@{self.centre}" if self.centre else name
        units = {own: unit for own, unit in old.units.items() if own != key}
        codes = {own: coding for own, coding in old.codes.items() if own != name}
        settled = replace(
            old,
            columns=columns | {name: self.column},
            ignored=ignored,
            units=units | ({key: self.unit} if self.unit else {}),
            codes=codes | ({name: dict(self.codes)} if self.codes else {}),
        )
        return replace(state, choices=settled)
