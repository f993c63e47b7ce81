"""What a paper is made of: sections with figures and tables, without layout."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pandas as pd
import plotly.graph_objects as go


@dataclass(frozen=True, eq=False)
class Figure:
    """A figure with its words and data."""

    name: str  # names its files
    figure: go.Figure = field(repr=False)  # what is drawn
    note: str  # line within the figure: which patients, simulated or not
    caption: str  # what it shows; its alternative text too
    data: pd.DataFrame = field(repr=False)  # what it was drawn from
    is_wide: bool = False  # whether it needs the width of two columns


@dataclass(frozen=True, eq=False)
class Table:
    """A table with its name and caption."""

    name: str
    caption: str
    table: pd.DataFrame = field(repr=False)


@dataclass(frozen=True, eq=False)
class Section:
    """A section; checklists refer to its id."""

    id: str
    title: str
    paragraphs: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    level: int = 2


@dataclass(frozen=True)
class Item:
    """An item of a reporting guideline."""

    # number, asks: its number, and what it asks for
    number: str
    asks: str
    section: str  # id of the section that answers it; empty where none does
    answer: str  # what the study's people wrote into the bundle for it
    missing: str  # what they must still fill in; empty where nothing is missing


@dataclass(frozen=True, eq=False)
class Paper:
    """All of a paper in its order."""

    title: str  # its title
    use: str  # what the model may be used for
    is_simulated: bool  # whether any of its patients are made up
    is_few: bool  # whether a model in it was trained on fewer patients than it needs
    sections: tuple[Section, ...]  # in the order in which they are read
    checklists: dict[str, tuple[Item, ...]]  # by name of the guideline
    origin: str  # bundle, hash and version, on each page

    @property
    def marks(self) -> list[str]:
        """What stands on each page."""
        return [
            *["SIMULATED PATIENTS"] * self.is_simulated,
            *["MODEL FOR TRYING OUT ONLY"] * self.is_few,
            "RESEARCH USE ONLY",
        ]

    @property
    def figures(self) -> list[tuple[str, Figure]]:
        """Every figure with the name of its files, numbered in the order in which they are read."""
        figures = [figure for section in self.sections for figure in section.figures]
        return [(f"figure_{number:02d}_{figure.name}", figure) for number, figure in enumerate(figures, start=1)]

    @property
    def tables(self) -> list[tuple[str, Table]]:
        """Every table likewise."""
        tables = [table for section in self.sections for table in section.tables]
        return [(f"table_{number:02d}_{table.name}", table) for number, table in enumerate(tables, start=1)]

    def count(self) -> "Counter":
        """Start counting figures and tables from the first one."""
        return Counter(iter(range(1, len(self.figures) + 1)), iter(range(1, len(self.tables) + 1)))


@dataclass(frozen=True)
class Counter:
    """Numbers of figures and tables as they are met."""

    figures: Iterator[int]
    tables: Iterator[int]

    def head(self, shown: Figure | Table) -> str:
        """Give a caption with its number."""
        if isinstance(shown, Figure):
            return f"Figure {next(self.figures)}. {shown.caption}"
        return f"Table {next(self.tables)}. {shown.caption}"
