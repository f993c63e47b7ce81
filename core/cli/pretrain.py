"""The networks, on BUS-BRA and, where given, further clinics."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from core.cli.console import SEED, AsJson, Out, Seed, app, describe_auc, print_result, progress_bar
from core.errors import UsageError

ARCHITECTURE, EPOCHS = "efficientnet-lite2", 6


@app.command()
def pretrain(  # noqa: PLR0913, PLR0917 - its options
    busbra: Annotated[Path, typer.Argument(help="BUS-BRA's folder.")],
    out: Out,
    clinics: Annotated[
        list[Path] | None, typer.Option(help="Folder of further clinics, with an index.csv; may be repeated.")
    ] = None,
    work: Annotated[Path, typer.Option(help="Folder of the checkpoints.")] = Path("runs/pretrain"),
    fold: Annotated[list[int] | None, typer.Option(help="Fold to hold out and measure on; may be repeated.")] = None,
    leave_out: Annotated[
        list[str] | None, typer.Option(help="Clinic to leave out and measure on; may be repeated.")
    ] = None,
    architecture: Annotated[str, typer.Option(help="The backbone.")] = ARCHITECTURE,
    init: Annotated[
        str, typer.Option(help="imagenet (for the EfficientNets from their package), or scratch.")
    ] = "imagenet",
    epochs: Annotated[int, typer.Option(min=1, help="Passes of the backbone over the images.")] = EPOCHS,
    seed: Seed = SEED,
    as_json: AsJson = False,
) -> None:
    """Train backbone, gate and segmenter; a stopped run goes on. With several GPUs: torchrun -m core pretrain ..."""
    if init not in {"scratch", "imagenet"}:
        raise UsageError(f"--init is scratch or imagenet, not '{init}'.")
    from dataclasses import replace  # noqa: PLC0415

    from core.training.backbone.pretrain import Recipe  # noqa: PLC0415
    from core.training.pretrain import Plan, Sources, pretrain_networks  # noqa: PLC0415
    from core.training.segmenter.pretrain import SCHEDULE  # noqa: PLC0415

    recipe = Recipe(seed=seed, architecture=architecture, imagenet=init == "imagenet").lasting(epochs)
    plan = Plan(tuple(fold or ()), tuple(leave_out or ()), recipe, replace(SCHEDULE, seed=seed))
    with progress_bar("steps") as progress:
        summary = pretrain_networks(Sources(busbra, tuple(clinics or ())), out, work, plan, progress=progress)
    print_result(summary, as_json, lambda data: "\n".join(_summarise(data)))


def _summarise(data: dict[str, Any]) -> Iterator[str]:
    yield f"Backbone: {data['backbone']['folder']}"
    for part in data["backbone"]["figures"]:
        for name, f in part["boxes"].items():
            auc = describe_auc({"discrimination": f})
            yield f"{part['held_out']}, {part['clinic']}, {name}: n = {f['n']} lesions, {auc}"
    yield f"Segmenter: {data['segmenter']['folder']}"
    for name, part in data["segmenter"]["figures"].items():
        dice = part["all"]["dice"]
        low, high = dice["ci"]
        yield f"{name}: n = {part['all']['frames']} frames, Dice {dice['mean']:.3f} (95 % CI {low:.3f}-{high:.3f})"
