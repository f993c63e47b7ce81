"""A paper from a bundle's evidence."""

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from core.cli.console import AsJson, app, outside_models, print_result, progress_bar, say
from core.errors import UsageError, WorkError, name_cause

SHEETS = ("a4", "letter")


@app.command()
def report(  # noqa: PLR0913, PLR0917 - options of a command
    bundle: Annotated[Path, typer.Argument(help="Folder of the bundle.")],
    paper: Annotated[
        Path, typer.Option("--paper", help="Folder for figures, tables, text and checklists.", callback=outside_models)
    ],
    second: Annotated[
        Path | None, typer.Argument(help="Another bundle, or another cohort as a prediction table, to set beside it.")
    ] = None,
    width: Annotated[float, typer.Option(help="Width of a figure in mm: one column of the journal.")] = 85.0,
    wide: Annotated[float, typer.Option(help="Width in mm of a figure that needs two columns.")] = 175.0,
    sheet: Annotated[str, typer.Option(help="Paper of the PDF: a4 or letter.")] = "a4",
    simulated: Annotated[bool, typer.Option(help="The second table's patients are simulated: it is said.")] = False,
    reporting: Annotated[
        Path | None, typer.Option(help="Form that `checklists` writes, filled in by the study's people.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the paper that lies in --paper.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the figures, tables, text and checklists of a paper."""
    from core.paper.files import Print, check_folder, make_files, put_files  # noqa: PLC0415
    from core.paper.paper import write_paper  # noqa: PLC0415
    from core.paper.study import read_other, read_study  # noqa: PLC0415
    from core.training.bundle.reporting import read_answers  # noqa: PLC0415

    if sheet not in SHEETS:
        raise UsageError(f"--sheet is a4 or letter, not '{sheet[:20]}'.")
    form = Print(width, wide, "a4" if sheet == "a4" else "letter")
    check_folder(paper, replace=replace)
    study = read_study(bundle)
    if reporting is not None:
        study = dataclasses.replace(study, answers={**study.answers, **read_answers(reporting)})
    written = write_paper(study, read_other(second, study, simulated=simulated) if second else None)
    with progress_bar("figure") as watch:
        files = make_files(written, form, watch=watch)
    put_files(files, paper)
    missing = {name: sum(bool(item.missing) for item in items) for name, items in written.checklists.items()}
    found = {
        "paper": str(paper),
        "simulated": written.is_simulated,
        "figures": len(written.figures),
        "tables": len(written.tables),
        "files": len(files),
        "missing": missing,
    }
    print_result(found, as_json, _summarise)


@app.command()
def checklists(out: Annotated[Path, typer.Argument(help="JSON file to write.", callback=outside_models)]) -> None:
    """Write the form of TRIPOD+AI, STARD-AI and CLAIM, for what only the study's people know."""
    from core.training.bundle.reporting import write_form  # noqa: PLC0415

    if out.exists():
        raise UsageError(f"{out.name} is there already: answers in it are not overwritten.")
    try:
        out.write_text(write_form(), encoding="utf-8")
    except OSError as error:
        raise WorkError(f"{out.name} can't be written ({name_cause(error)}).") from None
    say(f"{out.name}: what stays empty in it is called missing. `train` and `report` take it by --reporting.")


def _summarise(data: dict[str, Any]) -> str:
    from core.figures.wording import word_count  # noqa: PLC0415

    missing = "; ".join(f"{word_count(count, 'item')} of {name}" for name, count in data["missing"].items())
    kind = "simulated patients; " if data["simulated"] else ""
    return (
        f"Paper: {data['paper']}\n{kind}{data['figures']} figures, {data['tables']} tables. For the study's people to "
        f"fill in: {missing}."
    )
