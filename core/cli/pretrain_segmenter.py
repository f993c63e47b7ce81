"""The lesion segmenter, on BUS-BRA."""

from pathlib import Path
from typing import Annotated, Any

import typer

from core.cli.console import DEMO_BUNDLE, SEED, AsJson, Out, Seed, app, print_result, progress_bar


@app.command()
def pretrain_segmenter(
    busbra: Annotated[Path, typer.Argument(help="BUS-BRA's folder.")],
    out: Out,
    work: Annotated[Path, typer.Option(help="Folder of the checkpoints.")] = Path("runs/segmenter"),
    fold: Annotated[list[int] | None, typer.Option(help="Fold to hold out and measure on; may be repeated.")] = None,
    bundle: Annotated[Path, typer.Option(help="Bundle that reads the drawn and the proposed boxes.")] = DEMO_BUNDLE,
    cohort: Annotated[Path | None, typer.Option(help="cohort.csv of 'simulate', to read with both boxes too.")] = None,
    seed: Seed = SEED,
    as_json: AsJson = False,
) -> None:
    """Train the lesion segmenter on BUS-BRA's masks and measure it; a stopped run goes on."""
    from core.training.segmenter.build import SegmenterPlan, build_segmenter  # noqa: PLC0415
    from core.training.segmenter.pretrain import SegmenterRecipe  # noqa: PLC0415

    plan = SegmenterPlan(tuple(fold or ()), SegmenterRecipe(seed=seed), bundle, cohort)
    with progress_bar("steps") as progress:
        summary = build_segmenter(busbra, out, work, plan, progress=progress)
    print_result(summary, as_json, _summarise_segmenter)


def _summarise_segmenter(data: dict[str, Any]) -> str:
    lines = [f"Segmenter: {data['segmenter']}"]
    if data["held_out"] is not None:
        figures = data["held_out"]
        low, high = figures["all"]["dice"]["ci"]
        lines.append(
            f"Dice {figures['all']['dice']['mean']:.3f} (95 % CI {low:.3f}-{high:.3f}), n = {figures['patients']} "
            f"patients of the held-out folds {', '.join(map(str, figures['folds']))}; figures in CARD.md"
        )
    return "\n".join(lines)
