"""The board's entries: verified and exported."""

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli.console import AsJson, app, print_result, say
from core.errors import UsageError, WorkError

if TYPE_CHECKING:
    from core.register.models import Record


@app.command()
def audit(
    database: Annotated[str, typer.Option(help="The database's address; else that of the setting.")] = "",
    out: Annotated[Path | None, typer.Option(help="File for all entries, .csv or .json.")] = None,
    as_json: AsJson = False,
) -> None:
    """Verify the chain of the tumour board's entries, and export them."""
    if out is not None and out.suffix not in {".csv", ".json"}:
        raise UsageError("--out takes a file that ends in .csv or .json.")
    from core.register.store import Store, find_database  # noqa: PLC0415

    store = Store(database or find_database())
    report = store.verify_chain()
    if out is not None:
        out.write_text(_render(store.read(), out.suffix), encoding="utf-8")
        say(f"Entries: {out}")
    store.close()
    result = {"entries": report.entries, "holds": report.holds, "broken_at": report.broken_at, "reason": report.reason}
    print_result(result | {"last_hash": report.last_hash}, as_json, _summarise_audit)
    if not report.holds:
        raise WorkError(f"The chain is broken: {report.reason}.")


def _render(records: "list[Record]", suffix: str) -> str:
    rows = [record.to_dict() for record in records]
    if suffix == ".json":
        return json.dumps(rows, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    from core.register.models import ENTRIES  # noqa: PLC0415

    text = io.StringIO()
    writer = csv.DictWriter(text, [column.name for column in ENTRIES.columns], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _summarise_audit(data: dict[str, Any]) -> str:
    state = "holds" if data["holds"] else f"is broken: {data['reason']}"
    return f"{data['entries']} entries; the chain {state}. Last hash {data['last_hash']}"
