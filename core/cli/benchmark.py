"""How long the parts take."""

from pathlib import Path
from typing import Annotated, Any

import typer

from core.cli.console import DEMO_BUNDLE, AsJson, app, print_result

HEADING = (
    "| what | n | median, ms | p95, ms | x fastest bare forward | kB sent |\n| --- | ---: | ---: | ---: | ---: | ---: |"
)


@app.command()
def benchmark(
    bundle: Annotated[Path, typer.Option(help="Folder of the bundle.")] = DEMO_BUNDLE,
    rounds: Annotated[int, typer.Option(help="Runs of each part.", min=1)] = 15,
    starts: Annotated[int, typer.Option(help="Starts of the app.", min=1)] = 3,
    database: Annotated[
        str, typer.Option(help="Empty PostgreSQL database for the register's lists, of its owner; else SQLite.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Time prediction, evaluation and start-up on this machine: medians, interleaved in one run."""
    from core.benchmark import run_benchmark  # noqa: PLC0415

    found = run_benchmark(bundle, rounds=rounds, starts=starts, database=database)
    parts = [
        {
            "name": timing.name,
            "n": timing.rounds,
            "milliseconds": timing.milliseconds,
            "p95_milliseconds": timing.p95_milliseconds,
            "ratio": timing.milliseconds / found.fastest
            if timing.milliseconds and timing.name in found.compared
            else None,
            "kilobytes": timing.kilobytes,
        }
        for timing in found.timings
    ]
    data = {
        "parts": parts,
        "memory_mb": found.memory,
        "decoding_memory_mb": found.decoding_memory,
        "machine": found.machine,
        "versions": found.versions,
    }
    print_result(data, as_json, _summarise_benchmark)


def _summarise_benchmark(data: dict[str, Any]) -> str:
    machine = data["machine"]
    units = ", ".join(machine["vector_units"]) or "no vector units named"
    return "\n".join(
        [
            HEADING,
            *map(_write_row, data["parts"]),
            "",
            f"{machine['processor']}, {machine['cores']} cores ({units}), {machine['gpus']} GPUs; "
            + ", ".join(f"{name} {version}" for name, version in data["versions"].items())
            + ".",
            "Resident memory of a process after one estimate: "
            + (f"{data['memory_mb']:.0f} MB." if data["memory_mb"] else "not told by this system."),
            *(f"Peak memory of a decoder for {name}: {mb:.0f} MB." for name, mb in data["decoding_memory_mb"].items()),
        ]
    )


def _write_row(part: dict[str, object]) -> str:
    if part["milliseconds"] is None:
        return f"| {part['name']} | 0 | not installed | | | |"
    ratio = f"{part['ratio']:.2f}" if part["ratio"] else ""
    sent = "" if part["kilobytes"] is None else f"{part['kilobytes']:.0f}"
    late = "" if part["p95_milliseconds"] is None else f"{part['p95_milliseconds']:.1f}"
    cells = (part["name"], part["n"], f"{part['milliseconds']:.1f}", late, ratio, sent)
    return "| " + "".join(f"{cell} | " if cell else "| " for cell in cells).rstrip()
