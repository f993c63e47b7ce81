"""The backbone, on BUS-BRA."""

from pathlib import Path
from typing import Annotated, Any

import typer

from core.cli.console import SEED, AsJson, Out, Seed, app, describe_auc, print_result, progress_bar
from core.errors import UsageError


@app.command()
def pretrain(
    busbra: Annotated[Path, typer.Argument(help="BUS-BRA's folder.")],
    out: Out,
    work: Annotated[Path, typer.Option(help="Folder of the checkpoints.")] = Path("runs/pretrain"),
    fold: Annotated[list[int] | None, typer.Option(help="Fold to hold out and measure on; may be repeated.")] = None,
    init: Annotated[str, typer.Option(help="scratch, or imagenet (fetched by torchvision).")] = "scratch",
    seed: Seed = SEED,
    as_json: AsJson = False,
) -> None:
    """Train the backbone on BUS-BRA; a stopped run goes on. With several GPUs: torchrun -m core pretrain ..."""
    if init not in {"scratch", "imagenet"}:
        raise UsageError(f"--init is scratch or imagenet, not '{init}'.")
    from core.training.backbone.build import BackbonePlan, build_backbone  # noqa: PLC0415
    from core.training.backbone.pretrain import Recipe  # noqa: PLC0415

    plan = BackbonePlan(tuple(fold or ()), Recipe(seed=seed, imagenet=init == "imagenet"))
    with progress_bar("steps") as progress:
        summary = build_backbone(busbra, out, work, plan, progress=progress)
    print_result(summary, as_json, _summarise_backbone)


def _summarise_backbone(data: dict[str, Any]) -> str:
    lines = [
        f"fold {fold['fold']}, {name}: n = {f['n']} patients, {describe_auc({'discrimination': f})}"
        for fold in data["figures"]
        for name, f in fold["patients"].items()
    ]
    return "\n".join([f"Backbone: {data['backbone']}", *lines])
