"""A simulated cohort, and how often an interval holds the truth in such cohorts."""

from pathlib import Path
from typing import Annotated, Any

import typer

from core.cli.console import SEED, AsJson, Out, Seed, app, print_result, progress_bar, say
from core.spreadsheet import render_csv


@app.command()
def simulate(
    out: Out,
    n: Annotated[int, typer.Option(help="Number of patients.", min=4)] = 660,
    seed: Seed = SEED,
    dicom: Annotated[bool, typer.Option(help="Write ultrasound DICOM beside the PNG frames.")] = False,
    processes: Annotated[int, typer.Option(help="Processes; the bytes don't depend on it.", min=1)] = 1,
    compare: Annotated[Path | None, typer.Option(help="BUS-BRA's folder: say how alike the frames are.")] = None,
    as_json: AsJson = False,
) -> None:
    """Simulate a cohort: table, frames, boxes, masks. No patient is real."""
    from core.simulation import write_cohort  # noqa: PLC0415

    with progress_bar("frames") as progress:
        table = write_cohort(out, n, seed, dicom=dicom, processes=processes, progress=progress)
    say(f"{n} simulated patients: {table}")
    if compare is not None:
        print_result(_compare_realism(table, compare), as_json, _summarise_realism)


def _compare_realism(table: Path, busbra: Path) -> dict[str, Any]:
    from core.simulation.compare import compare_realism, read_busbra_lesions, read_simulated_lesions  # noqa: PLC0415

    result = compare_realism(read_simulated_lesions(table), read_busbra_lesions(busbra))
    return {
        "n_simulated": result.n_simulated,
        "n_real": result.n_real,
        "distances": result.table.reset_index().to_dict("records"),
    }


def _summarise_realism(data: dict[str, Any]) -> str:
    rows = ("  ".join(f"{name} {value}" for name, value in row.items()) for row in data["distances"])
    return "\n".join([f"{data['n_simulated']} simulated against {data['n_real']} real images", *rows])


@app.command()
def coverage(
    n: Annotated[list[int] | None, typer.Option(help="Training patients; 150, 264 and 660 by default.")] = None,
    cohorts: Annotated[int, typer.Option(help="Simulated cohorts of each size.", min=1)] = 20,
    refits: Annotated[int, typer.Option(help="Refits of each.", min=50)] = 200,
    out: Annotated[Path | None, typer.Option(help="CSV to write.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure by simulation how often the 95 % interval holds the true probability."""
    from core.training.bundle.coverage import SIZES, measure_coverage  # noqa: PLC0415

    with progress_bar("cohorts") as progress:
        table = measure_coverage(n or SIZES, n_cohorts=cohorts, n_refits=refits, watch=progress)
    if out is not None:
        out.write_bytes(render_csv(table, float_format="%.4g"))
        say(f"Coverage: {out}")
    print_result(
        {"coverage": table.to_dict("records"), "cohorts": cohorts, "refits": refits}, as_json, _summarise_coverage
    )


def _summarise_coverage(data: dict[str, Any]) -> str:
    lines = [
        f"{row['n_train']:>4} training patients, {row['place']}, {row['missing']} values missing: "
        f"{row['coverage']:.3f} (n = {row['n']}, mean width {row['width']:.2f})"
        for row in data["coverage"]
    ]
    return "\n".join(lines)
