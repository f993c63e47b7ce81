"""The chain's entries: verified and exported."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.console import AsJson, app, outside_models, print_result, say, writing
from core.errors import UsageError, WorkError
from core.private_files import write_private_parts

if TYPE_CHECKING:
    from core.register.chain import ChainReport
    from core.register.models import Record

AT_ONCE = 10_000
Database = Annotated[str, typer.Option(help="The database's address; else that of the setting.")]


@app.command()
def audit(
    database: Database = "",
    out: Annotated[
        Path | None, typer.Option(help="File for all entries, .csv or .json.", callback=outside_models)
    ] = None,
    expect: Annotated[
        list[str] | None,
        typer.Option(help="NUMBER:HASH of an entry that must be there, as a meeting's document prints it."),
    ] = None,
    *,
    new_key: Annotated[bool, typer.Option("--new-key", help="Seal with a new key from now on.")] = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="Take the database as it is, after its backup was put back on purpose.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Verify the chain of all entries, and export them as they stand: the board's, the register's, bundles in use."""
    if out is not None and out.suffix not in {".csv", ".json"}:
        raise UsageError("--out takes a file that ends in .csv or .json.")
    from core.register.database import find_database  # noqa: PLC0415
    from core.register.store import Store  # noqa: PLC0415
    from core.register.witness import Anchor  # noqa: PLC0415

    expected = [Anchor.parse(text) for text in expect or ()]
    with closing(Store(database or find_database())) as store:
        if accept:
            store.accept()
        report = store.verify_chain(expected)
        if out is not None:
            with writing("--out"):
                write_private_parts(out, _render(store.read_as_found(), out.suffix))
            say(f"Entries: {out}")
        if new_key and report.holds:
            store.add_key()
            say(
                "Entries are sealed with a new key from now on. Keep the whole key file: its earlier keys still verify."
            )
        if store.may_change_entries():
            say("This address's role could change entries: let the app use another (python -m core prepare-database).")
    tell_chain(report, as_json, summarise_chain)


def tell_chain(
    report: "ChainReport", as_json: bool, summarise: Callable[[dict[str, object]], str], **more: int
) -> None:
    """Print what a verification found; one that does not hold fails."""
    print_result(vars(report) | {"holds": report.holds} | more, as_json, summarise)
    if not report.holds:
        raise WorkError(f"The chain is broken: {report.reason}.")


@app.command()
def prepare_database(
    role: Annotated[
        str, typer.Option(help="PostgreSQL role of the app; it may then read and append, nothing else.")
    ] = "",
    database: Database = "",
) -> None:
    """Set up or update the tumour board's database as its owner, and hold the app's role to appending."""
    from core.register.database import find_database  # noqa: PLC0415
    from core.register.store import Store  # noqa: PLC0415

    with closing(Store(database or find_database())) as store:
        if role:
            store.grant_app_role(role)
            say(f"The role {role} may read and append entries, and nothing else.")
    say("The board's database is set up.")


def _render(records: "Iterable[Record]", suffix: str) -> "Iterator[bytes]":
    """Write entries part by part."""
    rows = (record.to_dict() for record in records)
    if suffix == ".json":
        yield b"["
        for place, row in enumerate(rows):
            yield f"{',' if place else ''}\n{json.dumps(row, ensure_ascii=False, allow_nan=False)}".encode()
        yield b"\n]\n"
        return
    import pandas as pd  # noqa: PLC0415

    from core.register.models import ENTRIES  # noqa: PLC0415
    from core.spreadsheet import render_csv  # noqa: PLC0415

    names = [column.name for column in ENTRIES.columns]
    yield render_csv(pd.DataFrame(columns=names))
    while part := list(islice(rows, AT_ONCE)):
        yield render_csv(pd.DataFrame(part, columns=names, dtype=object)).partition(b"\n")[2]


def summarise_chain(data: dict[str, object]) -> str:
    """Say whether the chain holds."""
    state = "holds" if data["holds"] else f"is broken: {data['reason']}"
    return f"{data['entries']} entries; the chain {state}. Last hash {data['last_hash']}"
