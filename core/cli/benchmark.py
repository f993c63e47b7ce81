"""How long the parts take."""

from pathlib import Path
from typing import Annotated, Any

import typer

from core.cli.console import DEMO_BUNDLE, AsJson, app, print_result


@app.command()
def benchmark(
    bundle: Annotated[Path, typer.Option(help="Folder of the bundle.")] = DEMO_BUNDLE,
    rounds: Annotated[int, typer.Option(help="Runs of each part.", min=1)] = 15,
    as_json: AsJson = False,
) -> None:
    """Time prediction and evaluation on this machine: medians, interleaved in one run."""
    from core.benchmark import run_benchmark  # noqa: PLC0415

    timings = {timing.name: timing.milliseconds for timing in run_benchmark(bundle, rounds=rounds)}
    print_result({"milliseconds": timings, "rounds": rounds}, as_json, _summarise_benchmark)


def _summarise_benchmark(data: dict[str, Any]) -> str:
    rows = (f"| {name} | {value:.1f} |" for name, value in data["milliseconds"].items())
    return "\n".join([f"| what | ms, median of {data['rounds']} |", "| --- | --- |", *rows])
