"""A bundle updated on the register's patients, into a folder of its own."""

from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from core.cli.audit import Database
from core.cli.console import AsJson, app, beside_models, print_result
from core.errors import UsageError


@app.command()
def update(  # noqa: PLR0913 - options of a command
    bundle: Annotated[Path, typer.Argument(help="Folder of the bundle as it is; it is not changed.")],
    out: Annotated[Path | None, typer.Option("--out", help="New folder to write to.", callback=beside_models)] = None,
    author: Annotated[str, typer.Option(help="Initials of who updates.")] = "",
    note: Annotated[str, typer.Option(help="Change note: why the bundle is updated.")] = "",
    name: Annotated[str, typer.Option(help="Name of the new bundle; the folder's by default.")] = "",
    patients: Annotated[
        Literal["real", "simulated"] | None,
        typer.Option(help="Which patients, where the register has both kinds."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only say how far it would be updated; write nothing.")
    ] = False,
    *,
    database: Database = "",
    as_json: AsJson = False,
) -> None:
    """Update a bundle on the register's prospective estimates, as far as the closed testing procedure asks for."""
    from core.inference.trust import load_bundle  # noqa: PLC0415
    from core.register.database import find_database  # noqa: PLC0415
    from core.register.store import Store  # noqa: PLC0415
    from core.training.update.update import UpdatePlan, judge_bundle, update_bundle  # noqa: PLC0415

    if out is None and not check:
        raise UsageError("Give --out, a new folder for the bundle, or --check to write nothing.")
    with closing(Store(database or find_database())) as store:
        if out is None or check:
            told = judge_bundle(store, load_bundle(bundle), kind=patients).summarise() | {"bundle": None}
        else:
            told = update_bundle(store, bundle, out, UpdatePlan(author, note, name or out.resolve().name, patients))
    print_result(told, as_json, _summarise)


def _summarise(data: dict[str, Any]) -> str:
    from core.training.update.card import METHOD_WORDS  # noqa: PLC0415

    counts = "{n} {kind} patients, {events} with a high Ki-67".format(**data["patients"])
    tests = "; ".join(
        f"against {name}: chi-squared {row['chisq']:.2f}, p = {row['p']:.3g}"
        for name, row in data["tests"].items()
        if row["p"] is not None
    )
    end = f"Written: {data['bundle']}, sha256 {data['sha256']}" if data["bundle"] else "Nothing was written."
    return f"{counts}. {METHOD_WORDS[data['method']].capitalize()} ({tests}). {end}"
