"""`python -m tests.load`: real sessions over the websocket against a running app on the loopback, as one table."""

import asyncio
import signal
import statistics
import sys
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from core.benchmark.pages import draw_images
from tests.load.clinic import ACTIONS, Tally, visit
from tests.load.hostile import attack
from tests.load.server import Served, serve

HEADING = (
    "| sessions | minutes | actions | errors | queue seen | "
    + " | ".join(f"{name}, p50 / p95 s" for name in ACTIONS)
    + " | all, p50 / p95 s | kB a moved value | server, MB | decoders, MB |\n|"
    + " ---: |" * (len(ACTIONS) + 9)
)


def main(
    sessions: Annotated[str, typer.Option(help="Numbers of sessions, one run each.")] = "1,10,25,50",
    seconds: Annotated[float, typer.Option(help="Length of each run.", min=1, max=3600)] = 60,
    every: Annotated[float, typer.Option(help="Seconds between a session's actions.", min=0.1)] = 8,
    patience: Annotated[float, typer.Option(help="After so many seconds an action is a time-out.", min=1)] = 60,
    hostile: Annotated[
        bool, typer.Option(help="After each run, one beside a hostile session and one without.")
    ] = False,
) -> None:
    """Load the app and print what the visitors met."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the app ends too
    images = draw_images(64)
    typer.echo(HEADING)
    with TemporaryDirectory() as folder, serve(Path(folder)) as served:
        asyncio.run(visit(served.address, 1, every=2, seconds=12, patience=patience, images=images))
        for count in map(int, sessions.split(",")):
            plan = partial(visit, served.address, count, every=every, seconds=seconds, patience=patience, images=images)
            quiet = _run(plan(), str(count), seconds, served)
            if hostile:
                beside = _run(_visit_beside(plan(), served.address, patience), f"{count} + hostile", seconds, served)
                quiet.add(_run(plan(), str(count), seconds, served))
                ratio = beside.quantile(95) / quiet.quantile(95)
                typer.echo(f"p95 of the {count} beside the hostile session: {ratio:.2f} x", err=True)


def _run(plan: Coroutine[Any, Any, Tally], name: str, seconds: float, served: Served) -> Tally:
    before = served.resident_mb()[0]
    tally = asyncio.run(plan)
    typer.echo(_write_row(name, seconds, tally, served, before))
    for error in sorted(set(tally.errors))[:10]:
        typer.echo(f"  {tally.errors.count(error)} x {error}", err=True)
    return tally


async def _visit_beside(plan: Coroutine[Any, Any, Tally], address: str, patience: float) -> Tally:
    async with attack(address, patience) as done:
        tally = await plan
    typer.echo(f"The hostile session was answered {dict(done)}.", err=True)
    return tally


def _write_row(count: str, seconds: float, tally: Tally, served: Served, before: float) -> str:
    own, decoders = served.resident_mb()
    waits = [_describe(tally, name) for name in (*ACTIONS, None)]
    cells = [count, f"{seconds / 60:g}", tally.n, len(tally.errors), tally.queued, *waits]
    sizes = tally.sizes[ACTIONS[-1]]
    cells.append(f"{statistics.median(sizes) / 1000:.0f}" if sizes else "none")
    return "| " + " | ".join(map(str, [*cells, f"{before:.0f} to {own:.0f}", f"{decoders:.0f}"])) + " |"


def _describe(tally: Tally, name: str | None) -> str:
    if not (tally.seconds[name] if name else tally.n):
        return "none"
    return f"{tally.quantile(50, name):.2f} / {tally.quantile(95, name):.2f}"


if __name__ == "__main__":
    typer.run(main)
