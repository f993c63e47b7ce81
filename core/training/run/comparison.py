"""A new bundle beside the one in use, on the patients that neither was trained on."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.cohort.scoring.local import LocalScorer
from core.cohort.scoring.score import score_manifest
from core.errors import AppError
from core.evaluation import compare_roc, compute_calibration
from core.evaluation.proportion import Z
from core.inference import Predictor
from core.training.bundle.train import StepProgress
from core.training.run.record import Order
from models.bundle import read_bundle

EVIDENCE = "evidence/predictions.csv"
SPLITS = ("validation", "test", "external")


def compare_with_bundle(new: Path, order: Order, journal: Path, *, progress: StepProgress) -> dict[str, object]:
    """Score the held-out patients with the bundle in use, and compare.

    Scores are kept in the journal, to go on after a stop.

    "in_use" (name and hash), "left_out" (held-out patients that the bundle in use was trained on), and "splits"; or
    "reason" why there is nothing to compare.
    """
    try:
        predictor = Predictor.load(order.in_use)
        scored = score_manifest(
            order.manifest,
            LocalScorer(predictor),
            journal,
            progress=lambda done, total: progress("comparison", done, total),
            confined=order.plan.confined,
            choices=order.plan.choices,
        )
    except AppError as error:
        return {"reason": str(error)}
    own = pd.read_csv(new / EVIDENCE, dtype={"patient_id": str}).set_index("patient_id")
    other = scored.table.set_index(scored.table["patient_id"].astype(str))["prob"].astype(float)
    both = own.assign(in_use=other).dropna(subset=["in_use"])
    held = both[both["split"].isin(SPLITS)]
    known = held.index.isin(_list_trained(predictor))
    rules = (read_bundle(new).manifest.call_rule.threshold, predictor.bundle.manifest.call_rule.threshold)
    return {
        "in_use": {"name": predictor.bundle.name, "sha256": predictor.bundle.sha256},
        "left_out": int(known.sum()),
        "splits": {str(name): compare_models(part, *rules) for name, part in held[~known].groupby("split")},
    }


def compare_models(patients: pd.DataFrame, threshold: float, threshold_in_use: float) -> dict[str, object]:
    """Compare the probabilities `prob` and `in_use` of the same patients with the outcome `y`."""
    y, prob, in_use = (patients[name].to_numpy(dtype=np.float64) for name in ("y", "prob", "in_use"))
    roc = compare_roc(y, prob, in_use)
    return {
        "n": roc.n,
        "events": roc.n_pos,
        "auc": {"new": roc.auc_a, "in_use": roc.auc_b},
        "difference": {"value": roc.difference, "ci": roc.ci, "p": roc.p, "reason": roc.reason},
        "calibration": {"new": _calibrate(y, prob), "in_use": _calibrate(y, in_use)},
        "reclassification": {
            label: _reclassify(prob[y == value] >= threshold, in_use[y == value] >= threshold_in_use)
            for label, value in (("high", 1), ("low", 0))
        },
    }


def _calibrate(y: NDArray[np.float64], prob: NDArray[np.float64]) -> dict[str, object]:
    found = compute_calibration(y, prob, role="external")
    return {
        "intercept": found.intercept,
        "intercept_ci": found.intercept_ci,
        "slope": found.slope,
        "slope_ci": found.slope_ci,
        "brier": found.brier,
    }


def _reclassify(new: NDArray[np.bool_], in_use: NDArray[np.bool_]) -> dict[str, object]:
    """Count the calls that changed; net share called higher by the new model with its Wald interval.

    (up - down) / n, its variance (up + down - (up - down)^2 / n) / n^2 (Pencina et al., Statistics in Medicine
    2008;27:157-172, for one class of outcome).
    """
    n, up, down = len(new), int((new & ~in_use).sum()), int((~new & in_use).sum())
    if not n:
        return {"n": 0, "up": 0, "down": 0, "net": None, "ci": None}
    net = (up - down) / n
    half = Z * math.sqrt(max(up + down - (up - down) ** 2 / n, 0.0)) / n
    return {"n": n, "up": up, "down": down, "net": net, "ci": (net - half, net + half) if half else None}


def _list_trained(predictor: Predictor) -> list[str]:
    """List the pseudonyms that the bundle in use was trained on, by its evidence."""
    path = predictor.bundle.folder / EVIDENCE
    if EVIDENCE not in predictor.bundle.manifest.files:
        return []
    table = pd.read_csv(path, dtype={"patient_id": str})
    return list(table.loc[table["split"] == "train", "patient_id"])
