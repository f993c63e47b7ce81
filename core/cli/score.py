"""A cohort's images, scored."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli.console import (
    DEMO_BUNDLE,
    AsJson,
    app,
    outside_models,
    print_result,
    progress_bar,
    refuse_folder,
    say,
    writing,
)
from core.cli.table_options import keep_refused, say_reading, say_refused, with_table_options

if TYPE_CHECKING:
    from core.cohort import Choices
    from core.cohort.scoring.score import Scorer


@app.command()
@with_table_options
def score(
    manifest: Annotated[
        Path, typer.Argument(help="CSV, Excel, ODS or Parquet, one row per image: patient_id, image, ...")
    ],
    out: Annotated[Path, typer.Option("--out", help="Prediction table to write (CSV).", callback=outside_models)],
    bundle: Annotated[Path, typer.Option(help="Folder of the bundle.")] = DEMO_BUNDLE,
    engine: Annotated[str | None, typer.Option(help="auto, cuda, openvino or torch.")] = None,
    ray: Annotated[str | None, typer.Option(help="Address of a Ray cluster (host:port or auto) that scores.")] = None,
    as_json: AsJson = False,
    *,
    choices: "Choices",
    refused: Path | None,
) -> None:
    """Score the images of a manifest into a table that `evaluate` reads; a stopped run goes on."""
    from core.cohort.frozen_rule import FrozenRule  # noqa: PLC0415
    from core.cohort.scoring.score import describe_boxes, score_manifest  # noqa: PLC0415
    from core.spreadsheet import render_csv  # noqa: PLC0415

    refuse_folder("--out", out)
    scorer = _choose_scorer(bundle, engine, ray)
    journal = out.with_name(out.name + ".part")
    started = time.perf_counter()
    with keep_refused(refused), progress_bar("images") as progress:
        scored = score_manifest(manifest, scorer, journal, progress=progress, choices=choices)
    with writing("--out"):
        out.write_bytes(render_csv(scored.table))
        journal.unlink()
        rule = FrozenRule.of(scorer.bundle).write(out)
    say(f"Threshold of the bundle, for `evaluate`: {rule}")
    say_refused(scored.refused, refused)
    say_reading(scored.reading)
    say(describe_boxes(scored.boxes))
    for number, sentence in scored.cautions:
        say(f"row {number}, caution: {sentence}")
    print_result(
        {
            "predictions": str(out),
            "patients": len(scored.table),
            "images": scored.images,
            "boxes": dict(scored.boxes),
            "refused": [list(row) for row in scored.refused],
            "cautions": [list(row) for row in scored.cautions],
            "seconds": time.perf_counter() - started,
            "simulated_training": scorer.bundle.is_simulated,
        },
        as_json,
        _summarise_scoring,
    )


def _choose_scorer(bundle: Path, engine: str | None, ray: str | None) -> "Scorer":
    """Take the cluster where there is one, else this machine."""
    from core.cohort.scoring.cluster import RayScorer  # noqa: PLC0415
    from core.cohort.scoring.local import LocalScorer  # noqa: PLC0415
    from core.inference.predictor import Predictor  # noqa: PLC0415

    return RayScorer(ray, bundle, engine=engine) if ray else LocalScorer(Predictor.load(bundle, engine=engine))


def _summarise_scoring(data: dict[str, Any]) -> str:
    simulated = " The model was trained on simulated patients." if data["simulated_training"] else ""
    return (
        f"{data['predictions']}: {data['patients']} patients, {data['images']} images, "
        f"rows refused: {len(data['refused'])}, {data['seconds']:.0f} s. Research use only.{simulated}"
    )
