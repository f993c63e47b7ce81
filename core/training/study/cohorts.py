"""Cohorts of consecutive seeds, each simulated, trained on and evaluated; a stopped study goes on where it was."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from core.simulation import write_cohort
from core.training.bundle.train import train_bundle
from core.training.plan import TrainingPlan
from core.training.study.figures import read_figures
from models.bundle import WEIGHTS
from models.sealed import hash_file

CORE = Path(__file__).parents[2]
PATIENTS = 660
N_REFITS = 50
Watch = Callable[[int, int], None]


def run_study(
    out: Path, backbone: Path, *, n_cohorts: int, seed: int, processes: int = 1, watch: Watch | None = None
) -> list[dict[str, float | None]]:
    """Simulate cohorts of consecutive seeds, train a bundle on each and compute the figures of the paper."""
    out.mkdir(parents=True, exist_ok=True)
    key = _make_key(backbone)
    rows = []
    for i in range(n_cohorts):
        rows.append(_run_cohort(out, backbone, seed + i, key, processes))
        if watch is not None:
            watch(i + 1, n_cohorts)
    return rows


def _make_key(backbone: Path) -> str:
    """Give a hash of what a finished cohort depends on beside its seed: the backbone and the program."""
    code = sorted(path for room in ("simulation", "training") for path in (CORE / room).rglob("*.py"))
    facts = hash_file(backbone / WEIGHTS).encode() + b"".join(path.read_bytes() for path in code)
    return hashlib.sha256(facts).hexdigest()


def _run_cohort(out: Path, backbone: Path, seed: int, key: str, processes: int) -> dict[str, float | None]:
    record, folder = out / f"{seed}.json", out / f"{seed}-{key[:8]}"
    if record.exists():
        kept = json.loads(record.read_text(encoding="utf-8"))
        if kept["key"] == key:
            return dict(kept["figures"])
    table = folder / "cohort.csv"
    if not table.exists():
        write_cohort(folder, PATIENTS, seed, processes=processes)
    plan = replace(TrainingPlan("study", f"Simulated cohort, seed {seed}.", simulated=True), n_refits=N_REFITS)
    train_bundle(table, backbone, folder / "bundle", plan, progress=lambda _step, _done, _total: None, replace=True)
    figures = read_figures(folder / "bundle")
    shutil.copy(folder / "bundle" / "evidence" / "predictions.csv", out / f"{seed}.csv")
    partial = record.with_suffix(".partial")
    partial.write_text(json.dumps({"key": key, "figures": figures}, indent=1) + "\n", encoding="utf-8")
    partial.replace(record)
    shutil.rmtree(folder)
    return figures
