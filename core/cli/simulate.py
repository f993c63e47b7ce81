"""A simulated cohort, and how often an interval holds the truth in such cohorts."""

from pathlib import Path
from typing import Annotated, Any

import typer

from core.cli.console import (
    MODELS,
    SEED,
    AsJson,
    Out,
    Seed,
    app,
    outside_models,
    print_result,
    progress_bar,
    refuse_folder,
    say,
    writing,
)
from core.spreadsheet import render_csv


@app.command()
def simulate(  # noqa: PLR0913, PLR0917 - options of a command
    out: Out,
    n: Annotated[int, typer.Option(help="Number of patients.", min=4)] = 660,
    seed: Seed = SEED,
    dicom: Annotated[bool, typer.Option(help="Write ultrasound DICOM beside the PNG frames.")] = False,
    processes: Annotated[int, typer.Option(help="Processes; the bytes don't depend on it.", min=1)] = 1,
    compare: Annotated[Path | None, typer.Option(help="BUS-BRA's folder: say how alike the frames are.")] = None,
    study: Annotated[
        int, typer.Option(help="Instead: this many cohorts of consecutive seeds, each trained on and evaluated.", min=0)
    ] = 0,
    backbone: Annotated[Path, typer.Option(help="Folder of the backbone, for --study.")] = MODELS / "backbone",
    as_json: AsJson = False,
) -> None:
    """Simulate a cohort: table, frames, boxes, masks. No patient is real."""
    from core.simulation import write_cohort  # noqa: PLC0415

    if study:
        print_result(_study(out, backbone, study, seed, processes), as_json, _summarise_study)
        return
    with progress_bar("frames") as progress:
        table = write_cohort(out, n, seed, dicom=dicom, processes=processes, progress=progress)
    say(f"{n} simulated patients: {table}")
    if compare is not None:
        print_result(_compare_realism(table, compare), as_json, _summarise_realism)


def _study(out: Path, backbone: Path, n_cohorts: int, seed: int, processes: int) -> dict[str, object]:
    from core.training.study.cohorts import run_study  # noqa: PLC0415
    from core.training.study.figures import summarise_figures  # noqa: PLC0415

    with progress_bar("cohorts") as progress:
        rows = run_study(out, backbone, n_cohorts=n_cohorts, seed=seed, processes=processes, watch=progress)
    summary = summarise_figures(rows)
    (out / "study.csv").write_bytes(render_csv(summary, float_format="%.4g"))
    say(f"Study: {out / 'study.csv'}")
    plain = summary.astype(object).where(summary.notna(), None)
    return {"cohorts": n_cohorts, "first_seed": seed, "figures": plain.to_dict("records")}


def _summarise_study(data: dict[str, Any]) -> str:
    lines = [
        f"{data['cohorts']} cohorts from seed {data['first_seed']}: mean (standard deviation; least to most), goal"
    ]
    for row in data["figures"]:
        if row["mean"] is None:
            lines.append(f"{row['figure']:<50} not estimable")
            continue
        spread = "" if row["sd"] is None else f"{row['sd']:.3f}; "
        goal = f"  goal {row['goal']}: {row['reached']}" if row["goal"] else ""
        lines.append(f"{row['figure']:<50} {row['mean']:.3f} ({spread}{row['low']:.3f} to {row['high']:.3f}){goal}")
    return "\n".join(lines)


def _compare_realism(table: Path, busbra: Path) -> dict[str, object]:
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
    out: Annotated[Path | None, typer.Option(help="CSV to write.", callback=outside_models)] = None,
    as_json: AsJson = False,
) -> None:
    """Measure by simulation how often the 95 % interval holds the true probability."""
    from core.training.study.coverage import SIZES, measure_coverage  # noqa: PLC0415

    refuse_folder("--out", out)
    with progress_bar("cohorts") as progress:
        table = measure_coverage(n or SIZES, n_cohorts=cohorts, n_refits=refits, watch=progress)
    if out is not None:
        with writing("--out"):
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


@app.command()
def alternatives(
    cohorts: Annotated[int, typer.Option(help="Simulated cohorts.", min=2)] = 100,
    out: Annotated[Path | None, typer.Option(help="CSV to write.", callback=outside_models)] = None,
    as_json: AsJson = False,
) -> None:
    """Compare other ways to fit image score and fusion on the external centre of simulated cohorts."""
    from core.training.study.alternatives import draw_known_sample, measure_alternatives  # noqa: PLC0415
    from core.training.study.known_truth import Network  # noqa: PLC0415

    refuse_folder("--out", out)
    network = Network()
    with progress_bar("cohorts") as progress:
        table = measure_alternatives(lambda seed: draw_known_sample(network, seed), cohorts, progress)
    if out is not None:
        with writing("--out"):
            out.write_bytes(render_csv(table, float_format="%.4g"))
        say(f"Alternatives: {out}")
    print_result({"alternatives": table.to_dict("records")}, as_json, _summarise_alternatives)


def _summarise_alternatives(data: dict[str, Any]) -> str:
    lines = [
        f"{row['alternative']:<40} log loss {row['log_loss']:.4f} (lost {row['lost']:+.4f}, "
        f"standard error {row['lost_se']:.4f}), slope {row['slope']:.2f}, "
        f"mean minus share {row['mean_minus_share']:+.3f}, AUC {row['auc']:.3f}"
        for row in data["alternatives"]
    ]
    return "\n".join(lines)
