"""What the commands that read a table share: what a person settles about a table's columns, and what was read."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import update_wrapper
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.console import outside_models, refuse_folder, say, writing
from core.errors import TableError, UsageError

if TYPE_CHECKING:
    from core.cohort import Choices, TableReading

Map = Annotated[
    list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN", help="Read a field from a column, as y=Label.")
]
Ignore = Annotated[list[str] | None, typer.Option("--ignore", metavar="COLUMN", help="Leave a column unread.")]
Unit = Annotated[
    list[str] | None,
    typer.Option("--unit", metavar="FIELD=UNIT", help="Unit of a field, as rfs=days, ki67=fraction, size@North=cm."),
]
Code = Annotated[
    list[str] | None,
    typer.Option("--code", metavar="FIELD=CODES", help="Meaning of a field's codes, as y=1:no,2:yes."),
]
Sheet = Annotated[
    str, typer.Option("--sheet", help="Sheet of a workbook; without it the one with the most known columns.")
]
Encoding = Annotated[str, typer.Option("--encoding", help="Encoding of a text table, as windows-1250 or shift_jis.")]
ExactIds = Annotated[
    bool,
    typer.Option("--exact-ids", help="Ids that differ only in case, blanks, dashes, width or zeros are two patients."),
]
RefusedFile = Annotated[
    Path | None,
    typer.Option("--refused", help="File for all refused rows with their reasons (CSV).", callback=outside_models),
]
SHOWN_REASONS, SHOWN_ROWS = 20, 10


def settle(
    columns: Sequence[str] | None,
    ignored: Sequence[str] | None,
    units: Sequence[str] | None,
    codes: Sequence[str] | None,
) -> "Choices":
    """Read what a person settled on the command line about columns."""
    from core.cohort import Choices  # noqa: PLC0415

    return Choices(
        dict(_read_column(option) for option in columns or ()),
        tuple(ignored or ()),
        dict(_read_unit(option) for option in units or ()),
        dict(_read_codes(option) for option in codes or ()),
    )


def with_table_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a table; what a person settles by them comes as `choices` and `refused`."""

    def run(
        *,
        columns: Map = None,
        ignore: Ignore = None,
        unit: Unit = None,
        code: Code = None,
        sheet: Sheet = "",
        encoding: Encoding = "",
        exact_ids: ExactIds = False,
        refused: RefusedFile = None,
        **given: object,
    ) -> None:
        refuse_folder("--refused", refused)
        choices = settle(columns, ignore, unit, code)
        choices = replace(choices, sheet=sheet.strip(), encoding=encoding.strip(), exact_ids=exact_ids)
        command(**given, choices=choices, refused=refused)

    own = [part for name, part in signature(command).parameters.items() if name not in ("choices", "refused")]
    added = [part for part in signature(run).parameters.values() if part.kind is Parameter.KEYWORD_ONLY]
    parts = [part.replace(kind=Parameter.KEYWORD_ONLY) for part in (*own, *added)]
    update_wrapper(run, command, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
    run.__annotations__ = {part.name: part.annotation for part in parts}
    run.__signature__ = Signature(parts)  # type: ignore[attr-defined]
    return run


def _split(option: str, name: str, form: str) -> tuple[str, str]:
    left, mark, right = option.partition("=")
    if not mark or not left.strip() or not right.strip():
        raise UsageError(f"{name} takes {form}, not '{option[:60]}'.")
    return left.strip(), right.strip()


def _read_column(option: str) -> tuple[str, str]:
    name, column = _split(option, "--map", "FIELD=COLUMN")
    return _name_field(name), column


def _name_field(name: str) -> str:
    from core.cohort.columns import find_field  # noqa: PLC0415

    try:
        return find_field(name)
    except TableError as error:
        raise UsageError(str(error)) from None


def _read_unit(option: str) -> tuple[str, str]:
    from core.clinical import UNITS  # noqa: PLC0415
    from core.cohort.casting import describe_field  # noqa: PLC0415

    name, unit = _split(option, "--unit", "FIELD=UNIT")
    name, mark, centre = name.partition("@")
    field = _name_field(name)
    known = describe_field(field).units
    if UNITS.get(unit.lower()) not in known:
        allowed = f"its units are {', '.join(known)}" if known else "it has no unit to choose"
        raise UsageError(f"--unit: {field} is not in '{unit[:20]}'; {allowed}.")
    return f"{field}{mark}{centre}", UNITS[unit.lower()]


def _read_codes(option: str) -> tuple[str, dict[str, str]]:
    name, text = _split(option, "--code", "FIELD=CODE:MEANING,CODE:MEANING")
    pairs = [pair.partition(":") for pair in text.split(",")]
    if not all(mark and code.strip() and meaning.strip() for code, mark, meaning in pairs):
        raise UsageError(f"--code takes FIELD=CODE:MEANING,CODE:MEANING, not '{option[:60]}'.")
    return _name_field(name), {code.strip(): meaning.strip() for code, _, meaning in pairs}


def say_refused(refused: Sequence[tuple[int, str]], path: Path | None = None) -> None:
    """Print refused rows: counts by reason, then at most ten rows of each.

    All of them go to a CSV file if one is named.
    """
    from core.cohort.record import group_reasons  # noqa: PLC0415

    groups = group_reasons(refused)
    if len(refused) > 1:
        say(f"{len(refused)} rows refused:")
    for reason, rows in groups[:SHOWN_REASONS] if len(groups) < len(refused) else ():
        say(f"  {len(rows)} x {reason}")
    shown = [row for _, rows in groups[:SHOWN_REASONS] for row in rows[:SHOWN_ROWS]]
    for number, reason in sorted(shown):
        say(f"  row {number}: {reason}")
    if len(shown) < len(refused):
        say(f"  and {len(refused) - len(shown)} more{'' if path else '; --refused FILE.csv lists all'}")
    if path is not None:
        write_refused(refused, path)


@contextmanager
def keep_refused(path: Path | None) -> Iterator[None]:
    """Write the refused rows to a file, if one is named, of a table that is refused as a whole too."""
    try:
        yield
    except TableError as error:
        if path is not None and error.rows:
            write_refused(error.rows, path)
        raise


def write_refused(refused: Sequence[tuple[int, str]], path: Path) -> None:
    """Write rows and reasons as CSV."""
    import pandas as pd  # noqa: PLC0415

    from core.spreadsheet import render_csv  # noqa: PLC0415

    with writing("--refused"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(render_csv(pd.DataFrame(refused, columns=["row", "reason"])))


def say_reading(reading: "TableReading") -> None:
    """Print what was concluded about a table, and what of it was not read."""
    for sentence in (*reading.notes, *reading.describe()):
        say(sentence)
