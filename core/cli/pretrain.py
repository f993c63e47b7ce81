"""The backbone, on BUS-BRA and, where given, further clinics."""

from pathlib import Path
from typing import Annotated, Any

import typer

from core.cli.console import SEED, AsJson, Out, Seed, app, describe_auc, print_result, progress_bar
from core.errors import UsageError

ARCHITECTURE = "efficientnet-lite2"


@app.command()
def pretrain(  # noqa: PLR0913, PLR0917 - its options
    busbra: Annotated[Path, typer.Argument(help="BUS-BRA's folder.")],
    out: Out,
    clinics: Annotated[Path | None, typer.Option(help="Folder of further clinics, with an index.csv.")] = None,
    work: Annotated[Path, typer.Option(help="Folder of the checkpoints.")] = Path("runs/pretrain"),
    fold: Annotated[list[int] | None, typer.Option(help="Fold to hold out and measure on; may be repeated.")] = None,
    leave_out: Annotated[
        list[str] | None, typer.Option(help="Clinic to leave out and measure on; may be repeated.")
    ] = None,
    architecture: Annotated[str, typer.Option(help="The network.")] = ARCHITECTURE,
    init: Annotated[
        str, typer.Option(help="imagenet (for the EfficientNets from their package), or scratch.")
    ] = "imagenet",
    seed: Seed = SEED,
    as_json: AsJson = False,
) -> None:
    """Train the backbone; a stopped run goes on. With several GPUs: torchrun -m core pretrain ..."""
    if init not in {"scratch", "imagenet"}:
        raise UsageError(f"--init is scratch or imagenet, not '{init}'.")
    from core.training.backbone.build import BackbonePlan, Sources, build_backbone  # noqa: PLC0415
    from core.training.backbone.pretrain import Recipe  # noqa: PLC0415

    recipe = Recipe(seed=seed, architecture=architecture, imagenet=init == "imagenet")
    plan = BackbonePlan(tuple(fold or ()), tuple(leave_out or ()), recipe)
    with progress_bar("steps") as progress:
        summary = build_backbone(Sources(busbra, clinics), out, work, plan, progress=progress)
    print_result(summary, as_json, _summarise_backbone)


def _summarise_backbone(data: dict[str, Any]) -> str:
    lines = [
        f"{part['held_out']}, {part['clinic']}, {name}: n = {f['n']} lesions, {describe_auc({'discrimination': f})}"
        for part in data["figures"]
        for name, f in part["boxes"].items()
    ]
    return "\n".join([f"Backbone: {data['backbone']}", *lines])
