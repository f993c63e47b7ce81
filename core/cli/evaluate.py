"""A prediction table, judged."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli.console import AsJson, app, print_result, say, summarise_evaluation
from core.cli.table_options import Code, Ignore, Map, RefusedFile, Unit, say_reading, say_refused, settle

if TYPE_CHECKING:
    from core.cohort import PredictionTable


@app.command()
def evaluate(  # noqa: PLR0913, PLR0917 - options of a command
    predictions: Annotated[Path, typer.Argument(help="CSV, Excel, ODS or Parquet, one row a patient.")],
    by: Annotated[str | None, typer.Option(help="Column of subgroups, for example centre.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the report (HTML) and the figures (JSON).")] = None,
    simulated: Annotated[bool, typer.Option(help="The patients are simulated: the report says so.")] = False,
    columns: Map = None,
    ignore: Ignore = None,
    unit: Unit = None,
    code: Code = None,
    refused: RefusedFile = None,
    as_json: AsJson = False,
) -> None:
    """Evaluate a prediction table by split."""
    from core.cohort import read_predictions  # noqa: PLC0415
    from core.evaluation import evaluate_cohort  # noqa: PLC0415

    read = read_predictions(predictions, settle(columns, ignore, unit, code, [by] if by else []))
    say_refused(read.refused, refused)
    say_reading(read.reading)
    results = evaluate_cohort(read.table, by=by)
    if out is not None:
        _write_report(out, read, results, simulated=simulated)
    print_result(results, as_json, summarise_evaluation)


def _write_report(out: Path, read: "PredictionTable", results: dict[str, Any], *, simulated: bool) -> None:
    from core import __version__  # noqa: PLC0415
    from core.evaluation.cohort.results import settle_threshold  # noqa: PLC0415
    from core.figures.cohort.report import render_report  # noqa: PLC0415

    report = render_report(
        read,
        settle_threshold(read.table),
        title="the cohort",
        simulated=simulated,
        origin={"SonoKi": __version__},
    )
    out.mkdir(parents=True, exist_ok=True)
    (out / "report.html").write_bytes(report)
    (out / "evaluation.json").write_text(json.dumps(results, allow_nan=False) + "\n", encoding="utf-8")
    say(f"Report: {out / 'report.html'}")
