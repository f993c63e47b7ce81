"""From a bundle and the register to an updated bundle beside it; the old one is never touched."""

import itertools
import json
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
from scipy.special import expit

from core.clinical import M1_PREDICTORS
from core.errors import InputError, UsageError, WorkError
from core.evaluation.calibration.closed_test import ClosedTestResult, Method, compute_closed_test
from core.evaluation.calibration.optimism import OptimismResult
from core.evaluation.cohort.split import choose_cohort_threshold
from core.figures.cohort.evaluate import evaluate_cohort
from core.inference.trust import load_bundle
from core.register.store import Store
from core.spreadsheet import render_csv
from core.training.bundle.evidence import choose_no_call, count_flow, measure_threshold_interval, pick_metrics
from core.training.bundle.folder import open_training_folder
from core.training.update.card import METHOD_WORDS, write_card
from core.training.update.heads import N_OPTIMISM, Draws, count_needed, list_coefs, measure_optimism, update_head
from core.training.update.patients import Kind, Patients, estimate, read_patients
from models.bundle import HEADS, MANIFEST, Bundle, write_bundle
from models.fusion import FusionHead

SEED = 20260507
LIBRARIES = ("numpy", "scipy", "pandas")
MAIN = "m1"
Progress = Callable[[int, int], object]
FEW = (
    "An update needs {needed} patients of the rarer class ({each} for each of the {coefs} coefficients), with an "
    "estimate of this bundle made before their outcome was entered; the register has {events} with a high and {others} "
    "with a low Ki-67 ({kind} patients)."
)
REVERSED = (
    "The estimates run against what pathology found (slope {slope:.2f}): no update mends that. Check which image, "
    "laboratory and cut-off the register's patients come with."
)


@dataclass(frozen=True)
class UpdatePlan:
    """What the person who updates decides."""

    # author, note: who updates, and why: the change note of the new bundle
    author: str
    note: str
    name: str  # name of the new bundle
    kind: Kind | None = None  # "real", "simulated", which patients, where the register has both
    seed: int = SEED  # seed of the draws

    def __post_init__(self) -> None:
        if not self.author.strip() or not self.note.strip():
            raise UsageError("An update needs its author and a change note: why the bundle is updated.")


@dataclass(frozen=True, eq=False)
class Judged:
    """A bundle with its patients and what the closed testing procedure says of them."""

    bundle: Bundle  # as it is
    patients: Patients  # prospective estimates with an outcome
    result: ClosedTestResult  # how far it has to be updated

    @property
    def method(self) -> Method:
        """How far."""
        return self.result.method or "keep"

    def summarise(self) -> dict[str, object]:
        """Give it as JSON types."""
        tests = self.result.table.astype(object).where(self.result.table.notna(), None)
        return {
            "parent": {"name": self.bundle.name, "sha256": self.bundle.sha256},
            "method": self.method,
            "patients": {"n": self.result.n, "events": self.result.events, "kind": self.patients.kind},
            "register": {"number": self.patients.anchor.number, "hash": self.patients.anchor.hash},
            "tests": tests.to_dict("index"),
        }


def judge_bundle(store: Store, bundle: Bundle, *, kind: Kind | None = None) -> Judged:
    """Test how far a bundle has to be updated for the register's patients, of one kind where it has both.

    An InputError if there are too few patients, the refit has no finite fit, or the estimates run against the outcomes.
    """
    patients, head = read_patients(store, bundle, kind=kind), bundle.fusion_heads[MAIN]
    events, others, needed = patients.events, len(patients.y) - patients.events, count_needed(head)
    if min(events, others) < needed:
        coefs = 2 + len(head.terms)
        told = {"events": events, "others": others, "needed": needed, "coefs": coefs, "each": needed // coefs}
        raise InputError(FEW.format(**told, kind=patients.kind))
    result = compute_closed_test(patients.y, patients.inputs, list_coefs(head))
    if result.method is None or result.update is None:
        raise InputError(f"No update: {result.reason}")
    if result.update.slope is not None and result.update.slope <= 0:
        raise InputError(REVERSED.format(slope=result.update.slope))
    return Judged(bundle, patients, result)


def update_bundle(
    store: Store, folder: Path, out: Path, plan: UpdatePlan, *, progress: Progress | None = None
) -> dict[str, object]:
    """Update a bundle, which stays as it is, on the register's patients; a new folder that holds a bundle is refused.

    `Judged.summarise`, and "bundle" (None where it is kept and nothing was written), "sha256", "optimism", "threshold".
    `progress` is told draws of patients done and in all; what it raises ends the update, and nothing is written.
    """
    judged = judge_bundle(store, load_bundle(folder), kind=plan.kind)
    if judged.method == "keep":
        return judged.summarise() | {"bundle": None}
    draws = _count_draws(judged, plan.seed, progress)
    with open_training_folder(out, replace=None) as place:
        told = _write(judged, plan, draws, place.new, out)
    return told | {"bundle": str(out), "sha256": load_bundle(out).sha256}


def _count_draws(judged: Judged, seed: int, progress: Progress | None) -> Draws:
    """Count the draws of an update for who watches it: a refit each of the fusion, then those of the optimism."""
    if progress is None:
        return Draws(seed)
    done, total = itertools.count(1), len(judged.bundle.fusion_heads[MAIN].bootstrap) + N_OPTIMISM + 1
    return Draws(seed, lambda: progress(min(next(done), total), total))


def _write(judged: Judged, plan: UpdatePlan, draws: Draws, new: Path, out: Path) -> dict[str, object]:
    bundle, patients, update = judged.bundle, judged.patients, judged.result.update
    if update is None:
        raise WorkError("There is no update to write.")
    before = bundle.fusion_heads[MAIN]
    head = update_head(before, update, judged.method, patients.inputs, patients.y, draws=draws)
    predictions = _predict(patients, before, head)
    threshold = choose_cohort_threshold(predictions)
    if threshold.threshold is None:
        raise WorkError(f"No threshold can be chosen: {threshold.reason}")
    optimism = measure_optimism(before, patients.inputs, patients.y, draws=draws)
    told = judged.summarise() | {
        "author": plan.author.strip(),
        "note": plan.note.strip(),
        "optimism": _tell_optimism(optimism),
    }
    flow = count_flow(predictions.set_index("patient_id"), _outcome(predictions), len(predictions), 0)
    metrics = pick_metrics(evaluate_cohort(predictions, threshold=threshold))
    evidence = new / "evidence"
    evidence.mkdir()
    (evidence / "predictions.csv").write_bytes(render_csv(_add_inputs(predictions, patients.table)))
    for name, content in (("flow", flow), ("metrics", metrics), ("update", told)):
        (evidence / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    manifest = _describe(judged, plan, out) | {
        "threshold": {
            "value": threshold.threshold,
            "interval": measure_threshold_interval(predictions, plan.seed),
            "rule": threshold.rule,
            "chosen_on": "the register's patients that the update was fitted on",
        },
        "no_call": choose_no_call(predictions, threshold.threshold),
        "update": {name: told[name] for name in ("method", "author", "note", "register", "patients")},
    }
    heads = json.loads((bundle.folder / HEADS).read_text(encoding="utf-8"))
    heads["fusion"][MAIN] = head.to_json()
    write_bundle(new, manifest, heads, bundle.refits, write_card(manifest, told, metrics, before, head))
    return told | {"threshold": threshold.threshold}


def _predict(patients: Patients, before: FusionHead, after: FusionHead) -> pd.DataFrame:
    """Lay out the patients as evidence: numbered, so that no pseudonym leaves the register with the bundle."""
    table = patients.table
    return pd.DataFrame(
        {
            "patient_id": [f"U-{i:05d}" for i in range(1, len(table) + 1)],
            "split": "train",
            "centre": table["centre"].replace("", "not known"),
            "y": table["y"],
            "ki67_pct": table["ki67_pct"],
            "prob": expit(estimate(after, table)),
            "prob_before": expit(estimate(before, table)),
        }
    )


def _add_inputs(predictions: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Add what was known before biopsy: later patients of the new bundle are compared with these (monitoring)."""
    values = {name: table[name].to_numpy() for name in M1_PREDICTORS if name != "aln_suspicious"}
    return predictions.assign(aln_us=table["aln_suspicious"].map({"suspicious": 1, "negative": 0}).to_numpy(), **values)


def _outcome(predictions: pd.DataFrame) -> "pd.Series[int]":
    return predictions.set_index("patient_id")["y"]


def _tell_optimism(result: OptimismResult) -> dict[str, object]:
    table = result.table.astype(object).where(result.table.notna(), None)
    figures = {str(name): dict(row) for name, row in table.iterrows()}
    return {"n": result.n, "n_refits": result.n_used, **figures}


def _describe(judged: Judged, plan: UpdatePlan, out: Path) -> dict[str, object]:
    """Give the manifest of the new bundle: the old one's, with its parent, name, patients and libraries."""
    bundle, patients = judged.bundle, judged.patients
    kept: dict[str, Any] = json.loads((bundle.folder / MANIFEST).read_text(encoding="utf-8"))
    for name in ("schema_version", "files", "penalties", "unpenalised", "reporting"):
        kept.pop(name, None)
    backbone = os.path.relpath(bundle.weights_path.parent.resolve(), out.resolve())
    data = dict(kept["training_data"])
    words = f"{METHOD_WORDS[judged.method]} on {judged.result.n} {patients.kind} patients of a register."
    return kept | {
        "name": plan.name,
        "parents": [{"name": bundle.name, "sha256": bundle.sha256}],
        "backbone": kept["backbone"] | {"path": backbone},
        "training_data": data
        | {
            "description": f"{data['description']} Updated from the bundle {bundle.name}: {words}",
            "simulated": bool(data["simulated"]) or patients.kind == "simulated",
            "sha256": patients.anchor.hash,
            "n_patients": judged.result.n,
            "centres": sorted(set(patients.table["centre"].replace("", "not known"))),
            "external_centre": [],
        },
        "seeds": {"training": plan.seed},
        "n_refits": len(bundle.fusion_heads[MAIN].bootstrap),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES},
    }
