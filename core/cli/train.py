"""A bundle, on a manifest."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli.console import (
    MODELS,
    SEED,
    AsJson,
    BundleOut,
    CutoffRule,
    CutoffValue,
    Seed,
    app,
    print_result,
    progress_bars,
    say,
    summarise_evaluation,
    take_cutoff,
)
from core.cli.table_options import keep_refused, say_refused, with_table_options

if TYPE_CHECKING:
    from core.cohort import Choices


@app.command()
@with_table_options
def train(  # noqa: PLR0913, PLR0917 - options of a command
    manifest: Annotated[Path, typer.Argument(help="CSV, Excel, ODS or Parquet, one row per image.")],
    out: BundleOut,
    backbone: Annotated[Path, typer.Option(help="Folder of the backbone.")] = MODELS / "backbone",
    name: Annotated[str, typer.Option(help="Name of the bundle; the folder's by default.")] = "",
    description: Annotated[str, typer.Option(help="The training data in a sentence.")] = "Own data.",
    simulated: Annotated[bool, typer.Option(help="The patients are simulated.")] = False,
    cutoff: CutoffValue = 20.0,
    rule: CutoffRule = ">=",
    external: Annotated[list[str] | None, typer.Option(help="Centre held out, if the manifest has no split.")] = None,
    few: Annotated[bool, typer.Option("--few", help="Train on fewer than 100, for trying out only.")] = False,
    keep: Annotated[list[int] | None, typer.Option(help="Row whose image is taken although it was refused.")] = None,
    reporting: Annotated[
        Path | None, typer.Option(help="Form that `checklists` writes, filled in by the study's people.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only check the manifest: seconds, no network.")] = False,
    seed: Seed = SEED,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the bundle that lies in --out.")] = False,
    as_json: AsJson = False,
    *,
    choices: "Choices",
    refused: Path | None,
) -> None:
    """Train a Ki-67 bundle on a manifest."""
    from core.training.bundle.reporting import read_answers  # noqa: PLC0415
    from core.training.check import check_manifest  # noqa: PLC0415
    from core.training.plan import TrainingPlan  # noqa: PLC0415

    plan = TrainingPlan(
        name=name or out.resolve().name,
        description=description,
        simulated=simulated,
        cutoff=take_cutoff(cutoff, rule),
        external=tuple(external or ()),
        seed=seed,
        choices=choices,
        kept=frozenset(keep or ()),
        few=few,
        reporting=read_answers(reporting) if reporting else {},
    )
    if check:
        with keep_refused(refused):
            found = check_manifest(manifest, plan)
        say_refused(found["refused"], refused)
        print_result(found, as_json, lambda found: "\n".join(found["sentences"]))
        return
    from core.training.bundle.train import train_bundle  # noqa: PLC0415

    with keep_refused(refused), progress_bars() as progress:
        summary = train_bundle(manifest, backbone, out, plan, progress=progress, replace=replace)
    say_refused(summary["refused"], refused)
    for number, sentence in summary["cautions"]:
        say(f"row {number}, caution: {sentence}")
    for note in summary["notes"]:
        say(note)
    print_result(summary, as_json, _summarise_training)


def _summarise_training(data: dict[str, Any]) -> str:
    return f"Bundle: {data['bundle']}\n" + summarise_evaluation(data["metrics"])
