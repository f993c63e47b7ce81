"""Several hospitals, one bundle: what a site exports, and all sites put together."""

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
    outside_models,
    print_result,
    progress_bar,
    take_cutoff,
    writing,
)
from core.cli.table_options import keep_refused, say_refused, with_table_options

if TYPE_CHECKING:
    from core.cohort import Choices

Backbone = Annotated[Path, typer.Option(help="Folder of the backbone that all sites share.")]


@app.command("summarise-site")
@with_table_options
def summarise_site(  # noqa: PLR0913, PLR0917 - options of a command
    manifest: Annotated[Path, typer.Argument(help="CSV, Excel, ODS or Parquet, one row per image.")],
    site: Annotated[str, typer.Option(help="Name of the site, as the bundle will show it.")],
    out: Annotated[Path, typer.Option("--out", help="JSON file to send to who combines.", callback=outside_models)],
    backbone: Backbone = MODELS / "backbone",
    description: Annotated[str, typer.Option(help="The patients in a sentence.")] = "Own patients.",
    simulated: Annotated[bool, typer.Option("--simulated", help="The patients are simulated.")] = False,
    bundle: Annotated[
        Path | None, typer.Option(help="Second round: the bundle that `federate` made of the first.")
    ] = None,
    cutoff: CutoffValue = 20.0,
    rule: CutoffRule = ">=",
    seed: Seed = SEED,
    as_json: AsJson = False,
    *,
    choices: "Choices",
    refused: Path | None,
) -> None:
    """Export a site's sums and its fusion: no patient, no image, no count below ten."""
    from core.training.federation.site import SitePlan, summarise_site  # noqa: PLC0415
    from core.training.federation.site_file import write_site  # noqa: PLC0415

    plan = SitePlan(site, description, simulated, take_cutoff(cutoff, rule), bundle, seed, choices)
    with keep_refused(refused), progress_bar("images") as progress:
        summary, rows = summarise_site(manifest, backbone, plan, progress=progress)
    say_refused(rows, refused)
    with writing("--out"):
        sealed = write_site(summary, out)
    told = {"site": site, "n": summary.n, "events": summary.events, "out": str(out), "sha256": sealed}
    print_result(told, as_json, lambda d: "{site}: {n} patients, {events} with a high Ki-67: {out}".format(**d))


@app.command()
def federate(
    files: Annotated[list[Path], typer.Argument(help="The sites' files, as `summarise-site` writes them.")],
    out: BundleOut,
    backbone: Backbone = MODELS / "backbone",
    name: Annotated[str, typer.Option(help="Name of the bundle; the folder's by default.")] = "",
    seed: Seed = SEED,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the bundle that lies in --out.")] = False,
    as_json: AsJson = False,
) -> None:
    """Combine what several sites exported into one bundle."""
    from core.training.federation.combine import FederationPlan, federate  # noqa: PLC0415

    told = federate(files, backbone, out, FederationPlan(name or out.resolve().name, seed, replace))
    print_result(told, as_json, _summarise)


def _summarise(data: dict[str, Any]) -> str:
    sites = ", ".join(f"{site['site']} ({site['n']})" for site in data["sites"])
    lines = [f"Bundle: {data['bundle']}, sha256 {data['sha256']}; sites: {sites}"]
    line = "{term}: {estimate:+.3f}, tau {tau:.3f}, I squared {i2:.0%}"
    return "\n".join([*lines, *(line.format(**row) for row in data["coefficients"])])
