"""A prediction table, judged."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.console import (
    AsJson,
    app,
    outside_models,
    print_result,
    progress_bar,
    say,
    summarise_evaluation,
    take_cutoff,
    writing,
)
from core.cli.table_options import keep_refused, say_reading, say_refused, with_table_options
from core.errors import UsageError
from models.cutoff import DEFAULT_CUTOFF

if TYPE_CHECKING:
    from core.cohort import Choices
    from core.cohort.frozen_rule import FrozenRule

TITLE = "the cohort"


@app.command()
@with_table_options
def evaluate(  # noqa: PLR0913, PLR0917 - options of a command
    predictions: Annotated[Path, typer.Argument(help="CSV, Excel, ODS or Parquet, one row per patient.")],
    by: Annotated[str | None, typer.Option(help="Column of subgroups, for example centre.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the report (HTML) and the figures (JSON).", callback=outside_models)
    ] = None,
    simulated: Annotated[bool, typer.Option(help="The patients are simulated: the report says so.")] = False,
    cutoff: Annotated[
        float | None, typer.Option(help="Ki-67 cut-off in per cent; the bundle's or 20 by default.", min=0, max=100)
    ] = None,
    rule: Annotated[str | None, typer.Option(help="High is '>=' or '>' the cut-off.")] = None,
    threshold: Annotated[float | None, typer.Option(help="Probability from which Ki-67 is called high.")] = None,
    bundle: Annotated[Path | None, typer.Option(help="Bundle whose threshold and cut-off were fixed before.")] = None,
    as_json: AsJson = False,
    *,
    choices: "Choices",
    refused: Path | None,
) -> None:
    """Evaluate a prediction table by split."""
    from core.cohort import read_predictions  # noqa: PLC0415
    from core.evaluation.cohort.provenance import list_input, list_origin, render_input  # noqa: PLC0415
    from core.evaluation.cohort.results import describe_threshold, settle_threshold  # noqa: PLC0415
    from core.figures.cohort.evaluate import check_evaluable, evaluate_splits, list_splits  # noqa: PLC0415
    from core.figures.cohort.report import render_report  # noqa: PLC0415

    choices = replace(choices, kept=(by,) if by else ())
    frozen = _find_frozen(predictions, bundle, threshold)
    base = frozen.cutoff if frozen else DEFAULT_CUTOFF
    cut = take_cutoff(base.value if cutoff is None else cutoff, rule or base.rule)
    with keep_refused(refused):
        read = read_predictions(predictions, choices, cutoff=cut)
    say_refused(read.refused, refused)
    say_reading(read.reading)
    value, chosen_on = (
        (frozen.threshold, frozen.describe_origin(cut)) if frozen else (threshold, "a value given beforehand")
    )
    settled = settle_threshold(read.table, value, chosen_on)
    check_evaluable(read.table, by)
    parts = list(list_splits(read.table, settled, TITLE))
    results = evaluate_splits(parts, by)
    record = render_input(read)
    results = {split: {**part, "input": record} for split, part in results.items()}
    for name, words in list_input(read).items():
        say(f"{name}: {words}")
    say(describe_threshold(settled))
    if out is not None:
        with progress_bar("section") as watch:
            origin = list_origin(read)
            report = render_report(
                read, settled, title=TITLE, simulated=simulated, origin=origin, watch=watch, parts=parts
            )
        _write(out, report, results)
    print_result(results, as_json, summarise_evaluation)


def _find_frozen(predictions: Path, bundle: Path | None, threshold: float | None) -> "FrozenRule | None":
    """Give what the named bundle fixed beforehand, or what `score` left beside the table."""
    from core.cohort.frozen_rule import FrozenRule  # noqa: PLC0415
    from core.inference.trust import load_bundle  # noqa: PLC0415

    if threshold is not None:
        if bundle is not None:
            raise UsageError("Give --threshold or --bundle, not both.")
        if not 0 < threshold < 1:
            raise UsageError(f"--threshold is a probability between 0 and 1, not {threshold:g}.")
        return None
    return FrozenRule.of(load_bundle(bundle)) if bundle else FrozenRule.find(predictions)


def _write(out: Path, report: bytes, results: dict[str, object]) -> None:
    with writing("--out", "folder"):
        out.mkdir(parents=True, exist_ok=True)
        (out / "report.html").write_bytes(report)
        (out / "evaluation.json").write_text(json.dumps(results, allow_nan=False) + "\n", encoding="utf-8")
    say(f"Report: {out / 'report.html'}")
