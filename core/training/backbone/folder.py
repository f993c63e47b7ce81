"""The backbone's folder (weights in fp16, backbone.json), and how well its malignancy head tells cancer."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from core.errors import ModelError
from core.evaluation import RocResult, compute_roc
from core.imaging import Frame, Roi, prepare_input, read_frames
from core.imaging.findings.appearance_rules import AppearanceRules
from core.inference.engines.interface import MALIGNANCY, Engine
from core.training.backbone.pretrain import CONTEXT, MEAN, STD, PretrainNet
from core.training.busbra import Busbra
from models.bundle import WEIGHTS, hash_file

BACKBONE = "backbone.json"
BATCH = 16
JITTERS = {
    "box as drawn": (0.0, 1.0),
    "box shifted by 10 %": (0.1, 1.0),
    "box shifted by 20 %": (0.2, 1.0),
    "box 20 % smaller": (0.0, 0.8),
    "box 20 % larger": (0.0, 1.2),
}


@dataclass(frozen=True)
class Scored:
    """Images as the malignancy head reads them.

    Parameters
    ----------
    logit : ndarray of float64, (n,)
        Log-odds of malignancy by image.
    pooled : ndarray of float64, (n, 2048)
        Pooled features.
    """

    logit: NDArray[np.float64]
    pooled: NDArray[np.float64]


def write_weights(net: PretrainNet, folder: Path) -> Path:
    """Write the backbone and its malignancy head in fp16; the heads of the side tasks are dropped."""
    tensors = {
        name: value.half() if value.is_floating_point() else value for name, value in net.backbone.state_dict().items()
    }
    tensors |= {f"{MALIGNANCY}.weight": net.malignant.weight.half(), f"{MALIGNANCY}.bias": net.malignant.bias.half()}
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: value.detach().contiguous() for name, value in tensors.items()}, folder / WEIGHTS)
    return folder / WEIGHTS


def read_backbone_card(folder: Path) -> dict[str, Any]:
    """Read backbone.json.

    Parameters
    ----------
    folder : Path
        The backbone's folder.

    Returns
    -------
    dict
        "input", "reference", "appearance", "training_data", "figures", "sha256".

    Raises
    ------
    ModelError
        If it is missing or belongs to other weights.
    """
    try:
        card = dict(json.loads((folder / BACKBONE).read_text(encoding="utf-8")))
        matches = card["sha256"] == hash_file(folder / WEIGHTS)
    except (FileNotFoundError, json.JSONDecodeError, KeyError):
        raise ModelError(
            f"The folder holds no backbone ({WEIGHTS} and {BACKBONE}); make one by 'python -m core pretrain'."
        ) from None
    if not matches:
        raise ModelError(f"{BACKBONE} belongs to other weights than {WEIGHTS}; fetch or train the backbone anew.")
    return card


def score_images(
    engine: Engine,
    frames: Iterable[Frame],
    boxes: NDArray[np.floating],
    *,
    shift: float = 0,
    scale: float = 1,
    seed: int = 0,
) -> Scored:
    """Run the backbone on lesion boxes moved in a random direction and rescaled.

    Parameters
    ----------
    engine : Engine
        The backbone.
    frames : iterable of Frame
        One frame a box.
    boxes : ndarray of float, (n, 4)
        x0, y0, x1, y1 in pixels of the source images.
    shift : float
        Length of the displacement, in box widths and heights.
    scale : float
        Factor of the box's sides.
    seed : int
        Seed of the directions.

    Returns
    -------
    Scored
        In the order of the boxes.
    """
    angle = np.random.default_rng(seed).uniform(0, 2 * np.pi, len(boxes))
    crops = [
        prepare_input(
            frame,
            move_box(frame.to_frame(Roi(*map(float, box))), shift, scale, a),
            size=engine.rule.size,
            context=engine.rule.context,
        )
        for frame, box, a in zip(frames, boxes, angle, strict=True)
    ]
    parts = [
        engine.extract_maps(np.stack(crops[i : i + BATCH])).mean(axis=(2, 3), dtype=np.float64)
        for i in range(0, len(crops), BATCH)
    ]
    pooled = np.concatenate(parts)
    return Scored(engine.malignancy.score(pooled), pooled)


def move_box(roi: Roi, shift: float, scale: float, angle: float) -> Roi:
    """Displace a box by a part of its sides in the direction `angle` (radians), and rescale it about its centre."""
    cx = (roi.x0 + roi.x1) / 2 + shift * roi.width * np.cos(angle)
    cy = (roi.y0 + roi.y1) / 2 + shift * roi.height * np.sin(angle)
    half_width, half_height = scale * roi.width / 2, scale * roi.height / 2
    return Roi(cx - half_width, cy - half_height, cx + half_width, cy + half_height)


def compute_patient_roc(
    logit: NDArray[np.float64], malignant: NDArray[np.floating], patient: NDArray[np.int64]
) -> RocResult:
    """ROC with the patient as the unit: the mean logit of a patient's images, malignant if any image is.

    Parameters
    ----------
    logit, malignant, patient : ndarray, (n,)
        By image.

    Returns
    -------
    RocResult
        AUC with DeLong's interval.
    """
    table = (
        pd.DataFrame({"logit": logit, "y": malignant, "patient": patient})
        .groupby("patient")
        .agg({"logit": "mean", "y": "max"})
    )
    return compute_roc(table["y"].to_numpy(int), table["logit"].to_numpy())


def evaluate_fold(engine: Engine, data: Busbra, fold: int) -> dict[str, Any]:
    """Measure the malignancy head on a held-out fold, with the box as drawn and moved.

    Parameters
    ----------
    engine : Engine
        A backbone that saw no patient of the fold.
    data : Busbra
        All images.
    fold : int
        The held-out fold.

    Returns
    -------
    dict
        Fold, number of images, and for each way to move the box n, events, auc, auc_ci by patient.
    """
    held = np.flatnonzero(data.fold == fold)
    frames = tuple(read_frames([data.paths[i] for i in held]))
    figures: dict[str, Any] = {}
    for name, (shift, scale) in JITTERS.items():
        logit = score_images(engine, frames, data.boxes[held], shift=shift, scale=scale, seed=fold).logit
        roc = compute_patient_roc(logit, data.malignant[held], data.patient[held])
        figures[name] = {"n": roc.n, "events": roc.n_pos, "auc": roc.auc, "auc_ci": roc.auc_ci, "reason": roc.reason}
    return {"fold": fold, "images": len(held), "patients": figures}


def make_reference(pooled: NDArray[np.float64]) -> dict[str, Any]:
    """Describe training images for applicability: features further away than 99 % of them call for caution.

    Parameters
    ----------
    pooled : ndarray of float64, (n, 2048)
        Pooled features.

    Returns
    -------
    dict
        centre, spread (2048 each); distances median, caution (99th percentile), refuse (three times as far from the
        median).
    """
    centre, spread = pooled.mean(0), np.maximum(pooled.std(0), 1e-6)
    distance = np.sqrt(np.mean(((pooled - centre) / spread) ** 2, axis=1))
    median, caution = np.quantile(distance, [0.5, 0.99])
    return {
        "centre": centre.round(6).tolist(),
        "spread": spread.round(6).tolist(),
        "median": float(median),
        "caution": float(caution),
        "refuse": float(median + 3 * (caution - median)),
    }


def write_backbone_card(
    folder: Path,
    training_data: Mapping[str, Any],
    recipe: Mapping[str, Any],
    reference: Mapping[str, Any],
    looks: AppearanceRules,
    figures: list[dict[str, Any]],
    size: int,
) -> None:
    """Write backbone.json for the weights in the folder."""
    card = {
        "sha256": hash_file(folder / WEIGHTS),
        "input": {"size": size, "context": CONTEXT, "mean": MEAN, "std": STD},
        "training_data": dict(training_data),
        "recipe": dict(recipe),
        "figures": figures,
        "versions": {"torch": torch.__version__},
        "reference": dict(reference),
        "appearance": looks.to_json(),
    }
    (folder / BACKBONE).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
