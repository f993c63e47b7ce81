"""What is watched of a model in use: drift, calibration, alarms; and what the alarms are worth."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli.audit import Database
from core.cli.console import DEMO_BUNDLE, AsJson, app, print_result, progress_bar
from core.errors import InputError, UsageError

if TYPE_CHECKING:
    from core.monitoring.monitor import Monitoring
    from core.monitoring.reference import Reference
    from models.bundle import Bundle

RUNS = 200


@app.command()
def monitor(
    bundle: Annotated[Path, typer.Option(help="Folder of the bundle whose estimates are watched.")] = DEMO_BUNDLE,
    by: Annotated[str, typer.Option(help="Windows: 'patients' (50 each) or 'month'.")] = "patients",
    centre: Annotated[str | None, typer.Option(help="One centre; all by default.")] = None,
    *,
    prove: Annotated[
        bool, typer.Option("--prove", help="Measure false alarms and delays by simulation; reads no register.")
    ] = False,
    runs: Annotated[int, typer.Option(help="Simulated centres for each question of --prove.", min=1)] = RUNS,
    database: Database = "",
    as_json: AsJson = False,
) -> None:
    """Watch the register's estimates: volumes, drift, calibration, alarms."""
    from core.inference.trust import load_bundle  # noqa: PLC0415
    from core.monitoring.reference import read_reference  # noqa: PLC0415

    if by not in {"patients", "month"}:
        raise UsageError(f"--by is 'patients' or 'month', not '{by[:20]}'.")
    model = load_bundle(bundle)
    reference = read_reference(model)
    if prove:
        print_result(_prove(model, reference, runs), as_json, _summarise_proof)
        return
    found = _watch(reference, by, centre, database)
    print_result(_record(found), as_json, _summarise)


def _watch(reference: "Reference", by: Any, centre: str | None, database: str) -> "Monitoring":
    import pandas as pd  # noqa: PLC0415

    from core.monitoring.monitor import Scope, monitor  # noqa: PLC0415
    from core.monitoring.reading import RegisterReading  # noqa: PLC0415
    from core.register.database import find_database  # noqa: PLC0415
    from core.register.store import Store  # noqa: PLC0415

    with closing(Store(database or find_database())) as store, progress_bar("entry") as watch:
        estimates = RegisterReading(store).read(watch)
    scope = Scope(reference.bundle_sha256, centre, by)
    found = monitor(estimates, scope, reference, today=pd.Timestamp.now("UTC").tz_localize(None))
    if found is None:
        raise InputError("The register holds no such estimate; add some by `python -m core register add`.")
    return found


def _record(found: "Monitoring") -> dict[str, object]:
    from core.evaluation.cohort.records import render_plain  # noqa: PLC0415
    from core.monitoring.exhibits import list_exhibits  # noqa: PLC0415

    names = ("patients", "estimates", "with_outcome", "late", "undated", "withheld", "made_up", "is_simulated")
    record: dict[str, object] = {"bundle": {"name": found.bundle, "sha256": found.scope.bundle_sha256}}
    record |= {"centre": found.scope.centre, "by": found.scope.by, **{name: getattr(found, name) for name in names}}
    reasons: dict[str, str] = {}
    for exhibit in list_exhibits(found, "the register"):
        record |= exhibit.record()
        reasons |= {exhibit.name: exhibit.lack()} if exhibit.lack() else {}
    return dict(render_plain(record | {"reasons": reasons}))


def _summarise(data: dict[str, Any]) -> str:
    counts = "{patients:,} patients, {estimates:,} estimates, {with_outcome:,} with an outcome".format(**data)
    simulated = " (simulated)" if data["is_simulated"] else ""
    alarms = [f"{alarm['found']} {alarm['action']}" for alarm in data["alarms"]]
    blind = [f"Not judged: {'; '.join(data['not_judged'])}."] if data["not_judged"] else []
    return "\n".join([f"{data['bundle']['name']}{simulated}: {counts}", *(alarms or ["No alarm."]), *blind])


def _prove(model: "Bundle", reference: "Reference", runs: int) -> dict[str, object]:
    from core.evaluation.cohort.records import render_plain  # noqa: PLC0415
    from core.monitoring.proof import prove, read_population  # noqa: PLC0415

    if reference.evidence is None or reference.evidence["ki67_pct"].isna().any():
        raise InputError("This bundle's evidence does not hold every patient's Ki-67 in per cent to draw from.")
    population = read_population(reference.evidence, reference.cutoff.is_high, model.fusion_heads["m1"].image_coef)
    with progress_bar("run") as watch:
        false, delays = prove(population, runs=runs, watch=watch)
    return dict(render_plain({"bundle": model.name, "in_control": false, "changes": delays}))


def _summarise_proof(data: dict[str, Any]) -> str:
    lines = ["| in control, 1,000 patients | runs with an alarm | 95 % interval |", "| --- | --- | --- |"]
    for row in data["in_control"]:
        share, low, high = (f"{100 * row[name]:.1f}" for name in ("share", "low", "high"))
        lines.append(f"| {row['by']} | {row['alarms']} of {row['runs']} ({share} %) | {low} to {high} % |")
    lines += ["", "| change | found by | runs | median | 90 % |", "| --- | --- | --- | --- | --- |"]
    for row in data["changes"]:
        median, most = (_write_count(row[name]) for name in ("median", "p90"))
        lines.append(f"| {row['change']} | {row['by']} | {row['found']} of {row['runs']} | {median} | {most} |")
    return "\n".join(lines)


def _write_count(patients: float | None) -> str:
    return "over 1,000" if patients is None else f"{patients:.0f}"
