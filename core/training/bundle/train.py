"""From a manifest to a bundle: features, image scores out of fold, fusion, threshold, evidence, card."""

import json
import os
import platform
import shutil
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.clinical import M1_PREDICTORS, M2_PREDICTORS
from core.cohort.manifest import Manifest, read_manifest
from core.cohort.record import Choices
from core.cohort.splits import SplitRule
from core.errors import TableError, WorkError
from core.evaluation import evaluate_cohort
from core.evaluation.cohort.split import choose_cohort_threshold
from core.imaging.findings.appearance_rules import AppearanceRules
from core.inference.engines.interface import Engine, InputRule
from core.inference.engines.torch import TorchEngine
from core.spreadsheet import render_csv
from core.training.appearance import extend_looks
from core.training.backbone.folder import make_reference, read_backbone_card
from core.training.bundle.card import write_card
from core.training.bundle.evidence import choose_no_call, count_flow, make_predictions, predict_all
from core.training.bundle.heads import Floats, fit_fusion, fit_image_score
from core.training.bundle.terms import make_terms
from core.training.features import N_VIEWS, Progress, extract_features, extract_views
from models.bundle import WEIGHTS, hash_file, write_bundle
from models.cutoff import DEFAULT_CUTOFF, Cutoff
from models.fusion import FusionHead, Term

SEED = 20260507
CACHE = ".features"
MIN_TRAIN = 30
LIBRARIES = ("torch", "torchvision", "scikit-learn", "numpy", "pandas", "pydicom")


@dataclass(frozen=True)
class TrainingPlan:
    """What the person who trains decides.

    Parameters
    ----------
    name : str
        Name of the bundle.
    description : str
        The training data in a sentence.
    simulated : bool
        Whether the patients are simulated.
    cutoff : Cutoff
        Ki-67 that counts as high.
    external : tuple of str
        Centres held out, where the manifest has no split.
    seed : int
        Seed of split, folds and bootstrap.
    choices : Choices
        What was settled about the manifest's columns.
    """

    name: str
    description: str
    simulated: bool
    cutoff: Cutoff = DEFAULT_CUTOFF
    external: tuple[str, ...] = ()
    seed: int = SEED
    choices: Choices = field(default_factory=Choices)


@dataclass(frozen=True)
class _Data:
    """Patients with a readable image, their labels and their pooled features in the same order."""

    patients: pd.DataFrame
    y: "pd.Series[int]"
    pooled: pd.DataFrame

    def training(self) -> "_Data":
        index = self.patients.index[self.patients["split"] == "train"]
        return _Data(self.patients.loc[index], self.y[index], self.pooled.loc[index])


def train_bundle(
    manifest_path: Path, backbone: Path, out: Path, plan: TrainingPlan, *, progress: Progress
) -> dict[str, Any]:
    """Train a bundle and write it.

    Parameters
    ----------
    manifest_path : Path
        CSV, Excel, ODS or Parquet with one row an image.
    backbone : Path
        Folder with the backbone's weights and its backbone.json.
    out : Path
        Folder of the bundle.
    plan : TrainingPlan
        Name, cut-off, external centres, seed.
    progress : callable
        Called with the number of images done and of all.

    Returns
    -------
    dict
        Summary: patients by split, refused rows, notes, metrics by split.

    Raises
    ------
    TableError
        If the manifest can't be used.
    WorkError
        If the training patients are too few or of one class.
    """
    manifest = read_manifest(manifest_path, SplitRule(plan.external, plan.cutoff, plan.seed), plan.choices)
    card = read_backbone_card(backbone)
    engine = TorchEngine(backbone / WEIGHTS, InputRule.from_json(card["input"]), precision="fp32")
    features = extract_features(manifest.images, engine, out / CACHE, progress)
    data = _join(manifest, features.by_patient(manifest.images["patient_id"]), plan)
    views = _extract_views(manifest, data, engine, out, plan, progress)
    heads, image_heads, scores, notes = _fit_heads(data, views, plan)
    predictions = make_predictions(data.patients, data.y, predict_all(heads, data.patients, scores))
    threshold = choose_cohort_threshold(predictions)
    if threshold.threshold is None:
        raise WorkError(f"No threshold can be chosen: {threshold.reason}")
    seen, looks = features.of_patients(manifest.images["patient_id"], data.training().patients.index)
    refused = sorted((*manifest.refused, *features.refused))
    flow = count_flow(data.patients, data.y, len(manifest.images) + len(manifest.refused), len(refused))
    metrics = evaluate_cohort(predictions, threshold=threshold)
    _write_evidence(out / "evidence", predictions, flow, metrics)
    description = _describe(manifest_path, data.patients, plan, heads, backbone, out, card) | {
        "threshold": {"value": threshold.threshold, "rule": threshold.rule, "chosen_on": threshold.chosen_on},
        "no_call": choose_no_call(predictions, threshold.threshold),
    }
    write_bundle(
        out,
        description,
        {
            "image": image_heads,
            "fusion": {name: head.to_json() for name, head in heads.items()},
            "references": {"training": make_reference(seen), "backbone": card["reference"]},
            "appearance": extend_looks(AppearanceRules.from_json(card["appearance"]), looks).to_json(),
        },
        write_card(description, flow, metrics, (*manifest.notes, *manifest.reading.describe(), *notes)),
    )
    shutil.rmtree(out / CACHE)
    return {
        "bundle": str(out),
        "flow": flow,
        "refused": refused,
        "cautions": list(features.cautions),
        "notes": [*manifest.notes, *manifest.reading.describe(), *notes],
        "metrics": metrics,
    }


def _join(manifest: Manifest, pooled: pd.DataFrame, plan: TrainingPlan) -> _Data:
    """Keep the patients with a readable image, and label them."""
    patients = manifest.patients.loc[pooled.index]
    y = plan.cutoff.is_high(patients["ki67_pct"].astype(float)).astype(int)
    n_train = int((patients["split"] == "train").sum())
    if n_train < MIN_TRAIN:
        raise TableError(
            f"{n_train} training patients with a readable image are too few; at least {MIN_TRAIN} are needed."
        )
    return _Data(patients, y, pooled)


def _extract_views(
    manifest: Manifest, data: _Data, engine: Engine, out: Path, plan: TrainingPlan, progress: Progress
) -> dict[str, Floats]:
    """Give the views (v, 2048) of each training patient; of several images, each view's mean."""
    wanted = manifest.images["patient_id"].isin(data.training().patients.index)
    images = manifest.images[wanted]
    pooled = extract_views(images, engine, out / CACHE, progress, seed=plan.seed).pooled
    by_image = pooled.reshape(len(images), N_VIEWS, -1)
    rows = images["patient_id"].to_numpy()
    return {patient: np.nanmean(by_image[rows == patient], axis=0) for patient in data.training().patients.index}


def _fit_heads(
    data: _Data, views: dict[str, Floats], plan: TrainingPlan
) -> tuple[dict[str, FusionHead], dict[str, Any], dict[str, "pd.Series[float]"], tuple[str, ...]]:
    """Fit every head on the training patients; give the image scores of all patients with them."""
    train = data.training()
    y = _floats(train.y)
    m1, notes = make_terms(train.patients, M1_PREDICTORS)
    m2, more = make_terms(train.patients, M2_PREDICTORS)
    ki67 = np.log(_floats(train.patients["ki67_pct"]).clip(min=1))
    image_heads, scores = {}, {}
    image_heads["ki67"], scores["ki67"] = _fit_score(data, train, views, ki67, seed=plan.seed)
    score = _floats(scores["ki67"][train.y.index])
    heads = {
        "m1": fit_fusion(score, _code(m1, train.patients), y, m1, seed=plan.seed),
        "image": fit_fusion(score, np.empty((len(y), 0)), y, (), seed=plan.seed),
        "clinical": fit_fusion(None, _code(m1, train.patients), y, m1, seed=plan.seed),
    }
    if len(m2) > len(m1):
        heads["m2"] = fit_fusion(score, _code(m2, train.patients), y, m2, seed=plan.seed)
    nodes = _select_known_nodes(train)
    if nodes is None:
        return (
            heads,
            image_heads,
            scores,
            (*more, "Too few patients have a known node status: no head for node metastasis."),
        )
    lnm = _floats(nodes.patients["lnm"])
    image_heads["lnm"], scores["lnm"] = _fit_score(data, nodes, views, lnm, seed=plan.seed)
    score = _floats(scores["lnm"][nodes.y.index])
    heads["lnm"] = fit_fusion(score, _code(m1, nodes.patients), lnm, m1, seed=plan.seed)
    blind = tuple(term for term in m1 if term.field != "aln_suspicious")
    if len(blind) < len(m1):
        heads["lnm_without_aln_us"] = fit_fusion(score, _code(blind, nodes.patients), lnm, blind, seed=plan.seed)
    return heads, image_heads, scores, tuple(dict.fromkeys((*notes, *more)))


def _fit_score(
    data: _Data, train: _Data, views: dict[str, Floats], target: Floats, *, seed: int
) -> tuple[dict[str, Any], "pd.Series[float]"]:
    stacked = np.stack([views[patient] for patient in train.pooled.index])
    fitted = fit_image_score(train.pooled.to_numpy(), stacked, target, seed=seed)
    scores = pd.Series(fitted.head.score(data.pooled.to_numpy()), index=data.pooled.index)
    scores[train.pooled.index] = fitted.out_of_fold
    return fitted.head.to_json(), scores


def _floats(values: "pd.Series[Any]") -> Floats:
    return np.asarray(values, dtype=np.float64)


def _code(terms: tuple[Term, ...], patients: pd.DataFrame) -> Floats:
    rows = patients.to_dict("records")
    return np.array([[term.code(row[term.field]) for term in terms] for row in rows]).reshape(len(rows), len(terms))


def _select_known_nodes(train: _Data) -> _Data | None:
    known = train.patients.index[train.patients["lnm"].notna()]
    counts = train.patients.loc[known, "lnm"].value_counts()
    if len(known) < MIN_TRAIN or counts.min() < 10 or len(counts) < 2:
        return None
    return _Data(train.patients.loc[known], train.y[known], train.pooled.loc[known])


def _write_evidence(folder: Path, predictions: pd.DataFrame, flow: dict[str, Any], metrics: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "predictions.csv").write_bytes(render_csv(predictions, float_format="%.6g"))
    for name, content in (("flow", flow), ("metrics", metrics)):
        (folder / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _describe(
    manifest_path: Path,
    patients: pd.DataFrame,
    plan: TrainingPlan,
    heads: dict[str, FusionHead],
    backbone: Path,
    out: Path,
    card: dict[str, Any],
) -> dict[str, Any]:
    """Give the manifest of the bundle, but for the threshold and the hashes."""
    return {
        "name": plan.name,
        "task": "Ki-67 status of breast cancer from ultrasound before surgery",
        "positive_class": "high",
        "cutoff": plan.cutoff.to_json(),
        "input": card["input"],
        "backbone": {
            "path": os.path.relpath(backbone.resolve(), out.resolve()),
            "sha256": hash_file(backbone / WEIGHTS),
        },
        "predictors": [term.field for term in heads["m1"].terms],
        "training_data": {
            "description": plan.description,
            "simulated": plan.simulated,
            "sha256": hash_file(manifest_path),
            "n_patients": len(patients),
            "centres": sorted(set(patients["centre"])),
            "external_centre": sorted(set(patients.loc[patients["split"] == "external", "centre"])),
        },
        "seeds": {"training": plan.seed},
        "versions": {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES},
    }
