"""What a paper is made from: a bundle with its evidence, or a prediction table; read and checked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from core.cohort import PredictionTable, read_predictions
from core.cohort.frozen_rule import FrozenRule
from core.errors import ModelError
from core.evaluation import ThresholdResult
from core.evaluation.cohort.results import settle_threshold
from core.figures.cohort.exhibit import Patients
from core.figures.evidence import FLOW, PREDICTIONS, name_cohort, read_evidence, read_internal
from core.inference.trust import load_bundle
from models.bundle import MANIFEST, Bundle

SIMULATED, FEW = "SIMULATED patients. ", "Model for TRYING OUT only. "
NOT_KEPT = "reason not kept by this bundle"


@dataclass(frozen=True, eq=False)
class Cohort:
    """Patients with predictions, and the threshold that was fixed before."""

    name: str  # what it is called beside another one
    title: str  # as sentences call it: "the simulated cohort"
    read: PredictionTable  # one row per patient
    threshold: ThresholdResult  # group high is prob >= threshold
    is_simulated: bool  # whether its patients are made up
    is_few: bool = False  # whether the model was trained on fewer patients than it needs

    @property
    def mark(self) -> str:
        """What is said with each figure."""
        return SIMULATED * self.is_simulated + FEW * self.is_few

    @property
    def table(self) -> pd.DataFrame:
        """One row per patient."""
        return self.read.table


@dataclass(frozen=True, eq=False)
class Study:
    """A bundle with its evidence."""

    bundle: Bundle  # the model
    # manifest, flow: what its manifest.json and evidence/flow.json say
    manifest: Mapping[str, Any]
    flow: Mapping[str, Any]
    internal: Mapping[str, Any] | None  # what the training patients say of it, where that was measured
    cohort: Cohort  # the patients of all its splits
    # what the study's people answered to the checklists, by guideline and number
    answers: Mapping[str, str] = field(default_factory=dict)

    @property
    def patients(self) -> Patients:
        """All patients, with the rows that they came from."""
        refused = int(self.flow["rows_refused"])
        reasons = tuple(self.flow.get("reasons", {}).items())
        if refused and not reasons:
            reasons = ((NOT_KEPT, refused),)
        further = int(self.flow["rows"]) - refused - int(self.flow["patients"])
        table, title, threshold = self.cohort.table, self.cohort.title, self.cohort.threshold
        return Patients(table, table, title, threshold, refused=refused, reasons=reasons, further=further)


def read_study(folder: Path) -> Study:
    """Read a bundle with the evidence that a paper is made from."""
    bundle = load_bundle(folder)
    flow = read_evidence(bundle, FLOW)
    if PREDICTIONS not in bundle.manifest.files:
        raise ModelError(f"The bundle has no {PREDICTIONS}: train it again to get its figures.")
    read = read_predictions(bundle.folder / PREDICTIONS, cutoff=bundle.cutoff)
    rule = bundle.manifest
    threshold = settle_threshold(read.table, rule.call_rule.threshold, rule.chosen_on)
    cohort = Cohort(bundle.name, name_cohort(bundle), read, threshold, bundle.is_simulated, bundle.is_few)
    _check_flow(flow, read)
    manifest = json.loads((bundle.folder / MANIFEST).read_text(encoding="utf-8"))
    return Study(bundle, manifest, flow, read_internal(bundle), cohort, manifest.get("reporting", {}))


def read_other(path: Path, study: Study, *, simulated: bool = False) -> Cohort:
    """Read what a study is set beside: the cohort of another bundle, or another cohort as a prediction table."""
    if path.is_dir():
        return read_study(path).cohort
    frozen = FrozenRule.find(path) or FrozenRule.of(study.bundle)
    read = read_predictions(path, cutoff=study.bundle.cutoff)
    threshold = settle_threshold(read.table, frozen.threshold, frozen.describe_origin(study.bundle.cutoff))
    return Cohort("second cohort", "the second cohort", read, threshold, simulated)


def _check_flow(flow: Mapping[str, Any], read: PredictionTable) -> None:
    """Refuse counts that do not add up: no figure may be drawn from them."""
    counted = read.table.groupby("split")["y"].agg(["size", "sum"]).astype(int)
    own = {name: (int(part["n"]), int(part["events"])) for name, part in flow["splits"].items()}
    same = own == {str(name): (int(n), int(events)) for name, n, events in counted.itertuples()}
    sums = sum(n for n, _ in own.values()) == flow["patients"] <= flow["rows"] - flow["rows_refused"]
    reasons = flow.get("reasons")
    told = reasons is None or sum(reasons.values()) == flow["rows_refused"]
    if not (same and sums and told):
        raise ModelError("The bundle's flow counts and its predictions do not add up: train it again.")
