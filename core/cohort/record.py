"""What was read of a table, and what a person said about it: frozen records that pages and reports show."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SHOWN, SHOWN_REASONS = 20, 3


@dataclass(frozen=True)
class Choices:
    """What a person settled about a table's columns.

    Parameters
    ----------
    columns : mapping of str to str
        Field to the column of the file that it is read from.
    ignored : tuple of str
        Columns of the file that are not read.
    units : mapping of str to str
        Field, or field@centre, to the unit that the file uses.
    codes : mapping of str to mapping of str to str
        Field to its codes and what they mean: yes, no, unknown, competing, or a level.
    kept : tuple of str
        Further columns of the file that are kept as text, for subgroups.
    sheet, encoding : str
        Sheet of a workbook, and encoding of a text; "" to find them.
    exact_ids : bool
        Whether pseudonyms that differ only in case, blanks, dashes, width or zeros are different patients.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    kept: tuple[str, ...] = ()
    sheet: str = ""
    encoding: str = ""
    exact_ids: bool = False


@dataclass(frozen=True)
class ColumnReading:
    """How one column of a file was understood.

    Parameters
    ----------
    column : str
        Its name in the file.
    name, label : str
        The field that it was taken for, and what a reader sees.
    coding : str
        Codes and their meaning, as "1 = yes, 0 = no"; "" where there are none.
    unit : str
        Unit in the file, by centre where centres differ; "" where there is none.
    known, missing : int
        Cells with a value that was understood, and cells that are empty or say that it isn't known.
    left_out : tuple of (str, int)
        Why cells were not understood, and how many.
    problem : str
        Why the column was left out as a whole; "" if it was read.
    """

    column: str
    name: str
    label: str
    coding: str = ""
    unit: str = ""
    known: int = 0
    missing: int = 0
    left_out: tuple[tuple[str, int], ...] = ()
    problem: str = ""

    @property
    def not_understood(self) -> int:
        """Number of cells that were left out."""
        return sum(count for _, count in self.left_out)


@dataclass(frozen=True)
class TableReading:
    """What became of a file: its rows and its columns.

    Parameters
    ----------
    sha256 : str
        Hash of the file.
    rows : int
        Rows below the header that are not empty; those used and those refused.
    columns : tuple of ColumnReading
        Columns that were taken for a field.
    unread : tuple of (str, str)
        The others, each with the field that may have been meant, or "".
    refused : tuple of (int, str)
        Row number in the file (the header is row 1) and reason.
    notes : tuple of str
        What the file lacks and what was done about it.
    """

    sha256: str
    rows: int
    columns: tuple[ColumnReading, ...]
    unread: tuple[tuple[str, str], ...]
    refused: tuple[tuple[int, str], ...]
    notes: tuple[str, ...]

    def describe(self) -> list[str]:
        """Give a sentence for every column that was not plainly read."""
        lines = [f"{c.column}: not read. {c.problem}" for c in self.columns if c.problem]
        for column in self.columns:
            for reason, count in _join_reasons(column.left_out) if not column.problem else ():
                lines.append(f"{column.column}: {reason} in {count} {'row' if count == 1 else 'rows'}, left out.")
        if self.unread:
            named = [
                f"{column[:40]} (did you mean {guess}?)" if guess else column[:40] for column, guess in self.unread
            ]
            more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
            lines.append(f"Not read: {', '.join(named[:SHOWN])}{more}.")
        return lines


def _join_reasons(reasons: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Give each reason with its number of cells; many that differ only in the value count as one."""
    if len(reasons) <= SHOWN_REASONS:
        return list(reasons)
    counts: dict[str, int] = {}
    for reason, count in reasons:
        plain = simplify_reason(reason)
        counts[plain] = counts.get(plain, 0) + count
    return list(counts.items())


def group_reasons(refused: Sequence[tuple[int, str]]) -> list[tuple[str, list[tuple[int, str]]]]:
    """Group refused rows by reason, the most frequent first; a value or a row that a reason names does not part it."""
    groups: dict[str, list[tuple[int, str]]] = {}
    for number, reason in refused:
        groups.setdefault(simplify_reason(reason), []).append((number, reason))
    return sorted(groups.items(), key=lambda item: -len(item[1]))


def count_reasons(refused: Sequence[tuple[int, str]]) -> tuple[tuple[str, int], ...]:
    """Count the refused rows of each reason, the most frequent first."""
    return tuple((reason, len(rows)) for reason, rows in group_reasons(refused))


def drop_option(sentence: str) -> str:
    """Leave out what a sentence says at its end of an option of the command line."""
    return re.sub(r"(?<=[.;])[^.;]*[:,] --\w.*$", "", sentence)


def simplify_reason(reason: str) -> str:
    """Write a reason without the value or the row that it names."""
    return re.sub(r"\b(is|row|and) -?\d+(\.\d+)?(e[+-]?\d+)?", r"\1 …", re.sub(r"'[^']*'", "'…'", reason))
