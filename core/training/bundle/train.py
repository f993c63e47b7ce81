"""From a manifest to a bundle: features, image scores out of fold, fusion, threshold, evidence, card."""

import hashlib
import json
import os
import platform
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from core.cohort.manifest import Manifest, read_manifest
from core.cohort.record import count_reasons, drop_option
from core.errors import WorkError
from core.evaluation.cohort.split import choose_cohort_threshold
from core.figures.cohort.evaluate import evaluate_cohort
from core.inference.applicability import Gate
from core.inference.engines.torch import TorchEngine
from core.simulation.devices import holds_simulated
from core.spreadsheet import render_csv
from core.training.backbone.folder import make_reference, read_backbone_card
from core.training.bundle.card import write_card
from core.training.bundle.evidence import (
    choose_no_call,
    count_flow,
    evaluate_boxes,
    evaluate_no_call,
    make_predictions,
    measure_between_views,
    measure_threshold_interval,
    pick_metrics,
    predict_all,
)
from core.training.bundle.fits import TrainingData, fit_bundle
from core.training.bundle.folder import TrainingFolder, open_training_folder
from core.training.features import Features, average_views, extract_features, extract_views
from core.training.intake_rates import gather_rates
from core.training.plan import MIN_TRAIN, TrainingPlan, check_size, describe_events
from core.training.threads import take_one_thread
from models.bundle import MALIGNANCY, WEIGHTS, write_bundle
from models.fusion import FusionHead
from models.input_rule import InputRule
from models.sealed import hash_file

LIBRARIES = ("torch", "torchvision", "scikit-learn", "numpy", "pandas", "pydicom")
StepProgress = Callable[[str, int, int], None]


def train_bundle(
    manifest_path: Path, backbone: Path, out: Path, plan: TrainingPlan, *, progress: StepProgress, replace: bool = False
) -> dict[str, Any]:
    """Train a bundle and write it; what lay in its folder before stays whole until the new one is.

    The same data, plan and backbone give the same files on a machine, whatever the order of the rows, the number of
    threads and the number of times that the training was stopped.
    """
    with open_training_folder(out, replace=replace) as place, take_one_thread():
        return _train(manifest_path, backbone, out, place, plan, progress)


def _train(
    manifest_path: Path, backbone: Path, out: Path, place: TrainingFolder, plan: TrainingPlan, progress: StepProgress
) -> dict[str, object]:
    manifest = read_manifest(manifest_path, plan.split_rule, plan.choices, confined=plan.confined)
    card = read_backbone_card(backbone)
    engine = TorchEngine(backbone / WEIGHTS, InputRule.from_json(card["input"]), precision="fp32")
    check_size(manifest.patients, manifest.refused, plan)
    gate = Gate.from_json(card["gate"])
    count_images = partial(progress, "images")
    features = extract_features(manifest.images, engine, place.cache, count_images, gate=gate, kept=plan.kept)
    data = _join(manifest, features, plan)
    images = features.list_used(manifest.images)
    images = images[images["patient_id"].isin(data.training().patients.index)]
    viewed = extract_views(images, engine, place.cache, partial(progress, "views"), seed=plan.seed)
    features = features.leave_out(manifest.images["row"], viewed.refused)
    refused = tuple(sorted((*manifest.refused, *features.refused)))
    data = _join(manifest, features, plan)
    views = average_views(viewed, images["patient_id"], data.training().patients.index)
    fitted = fit_bundle(data, views, seed=plan.seed, n_refits=plan.n_refits, watch=partial(progress, "refits"))
    progress("figures", 0, 1)
    heads, notes = fitted.fusions, fitted.notes
    predictions = make_predictions(data.patients, data.y, predict_all(heads, data.patients, fitted.scores))
    threshold = choose_cohort_threshold(predictions)
    if threshold.threshold is None:
        raise WorkError(f"No threshold can be chosen: {threshold.reason}")
    patient_id, trained = manifest.images["patient_id"], data.training().patients.index
    seen = features.of_patients(patient_id, trained)
    between_views = measure_between_views(features, patient_id, trained, fitted.ki67.image)
    flow = count_flow(data.patients, data.y, len(manifest.images) + len(manifest.refused), len(refused))
    flow["reasons"] = dict(count_reasons([(row, drop_option(reason)) for row, reason in refused]))
    flow["boxes"] = features.count_boxes(manifest.images["row"])
    notes = (*notes, describe_events(data.training().y, len(heads["m1"].terms) + 1))
    metrics = evaluate_cohort(predictions, threshold=threshold)
    reference, own = make_reference(seen), features.count_gate()
    intake = gather_rates(rate for rates in card["gate_figures"].values() for rate in rates)
    intake.append({"kind": "rows of this bundle's manifest"} | own)
    no_call = choose_no_call(predictions, threshold.threshold)
    internal = fitted.validation | {
        "no_call": evaluate_no_call(predictions, threshold.threshold, no_call),
        "boxes": evaluate_boxes(predictions),
        "gate": own | _compare_limits(gate, reference, card),
    }
    records = {"flow": flow, "metrics": pick_metrics(metrics), "internal": internal, "intake": intake}
    _write_evidence(place.new / "evidence", predictions, records)
    description = _describe(manifest, data.patients, plan, heads, backbone, out, card) | {
        "threshold": {
            "value": threshold.threshold,
            "interval": measure_threshold_interval(predictions, plan.seed),
            "rule": threshold.rule,
            "chosen_on": threshold.chosen_on,
        },
        "no_call": no_call,
        "between_views": between_views and between_views.to_json(),
        "penalties": dict(fitted.ki67.penalties),
        "unpenalised": [round(float(value), 4) for value in fitted.ki67.unpenalised],
    }
    write_bundle(
        place.new,
        description,
        {
            "image": fitted.images | {MALIGNANCY: card[MALIGNANCY]},
            "fusion": {name: head.to_json() for name, head in heads.items()},
            "references": {"training": reference, "backbone": card["reference"]},
            "gate": gate.to_json(),
        },
        fitted.ki67.refits,
        write_card(
            description,
            flow,
            metrics,
            internal,
            heads["m1"],
            (*manifest.notes, *manifest.reading.describe(), *notes),
        ),
    )
    return {
        "bundle": str(out),
        "flow": flow,
        "refused": refused,
        "cautions": list(features.cautions),
        "notes": [*manifest.notes, *manifest.reading.describe(), *notes],
        "metrics": metrics,
    }


def _compare_limits(gate: Gate, reference: Mapping[str, Any], card: Mapping[str, Any]) -> dict[str, float]:
    """Give the limits of what is no ultrasound and of what is unlike the training images, beside the backbone's."""
    return {
        "refuse": gate.refuse,
        "refuse_backbone": float(card["gate"]["refuse"]),
        "unlike": float(reference["caution"]),
        "unlike_backbone": float(card["reference"]["caution"]),
    }


def _join(manifest: Manifest, features: Features, plan: TrainingPlan) -> TrainingData:
    """Keep the patients with a readable image, and label them."""
    pooled = features.by_patient(manifest.images["patient_id"])
    patients = manifest.patients.loc[pooled.index]
    refused = tuple(sorted((*manifest.refused, *features.refused)))
    check_size(patients, refused, plan, words=" with a readable image")
    boxes = features.name_boxes(manifest.images)
    patients = patients if boxes.eq("drawn").all() else patients.assign(box_source=boxes)
    return TrainingData(patients, plan.cutoff.is_high(patients["ki67_pct"].astype(float)).astype(int), pooled)


def _write_evidence(folder: Path, predictions: pd.DataFrame, records: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "predictions.csv").write_bytes(render_csv(predictions))
    for name, content in records.items():
        (folder / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _describe(
    manifest: Manifest,
    patients: pd.DataFrame,
    plan: TrainingPlan,
    heads: dict[str, FusionHead],
    backbone: Path,
    out: Path,
    card: dict[str, object],
) -> dict[str, object]:
    """Give the manifest of the bundle, but for the threshold and the hashes."""
    return {
        "name": plan.name,
        "task": "Ki-67 status of breast cancer from ultrasound before surgery",
        "positive_class": "high",
        "cutoff": plan.cutoff.to_json(),
        "input": card["input"],
        "backbone": {
            "path": os.path.relpath(backbone.resolve(), out.resolve()),
            "architecture": card["architecture"],
            "sha256": hash_file(backbone / WEIGHTS),
        },
        "predictors": [term.field for term in heads["m1"].terms],
        "training_data": {
            "description": plan.description,
            "simulated": plan.simulated or holds_simulated(patients),
            "few": int((patients["split"] == "train").sum()) < MIN_TRAIN,
            "sha256": _hash_data(manifest),
            "n_patients": len(patients),
            "centres": sorted(set(patients["centre"])),
            "external_centre": sorted(set(patients.loc[patients["split"] == "external", "centre"])),
        },
        "reporting": plan.reporting,
        "seeds": {"training": plan.seed},
        "n_refits": plan.n_refits,
        "versions": {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES},
    }


def _hash_data(manifest: Manifest) -> str:
    """Hash what is learnt from, in the order of patients and images: their values, boxes and image files."""
    values = render_csv(manifest.patients.sort_index().reset_index())
    digests = [
        (str(i["patient_id"]), str(i["box"]), _hash_image(i["path"])) for i in manifest.images.to_dict("records")
    ]
    return hashlib.sha256(values + json.dumps(sorted(digests)).encode()).hexdigest()


def _hash_image(path: Path) -> str:
    try:
        return hash_file(path)
    except OSError:
        return ""
