"""The evidence of a bundle: predictions of every split, the threshold they give, the flow of patients, two views."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from core.clinical import M2_PREDICTORS
from core.cohort.splits import iterate_splits
from core.evaluation import choose_threshold, compute_indeterminate, compute_roc
from core.evaluation.cohort.split import INDETERMINATE_SHARE, choose_indeterminate
from core.training.features import Features
from models.fusion import FusionHead, ImageHead
from models.manifest import BetweenViews

DEVELOPMENT = ("train", "validation")
THRESHOLD_DRAWS = 500
LEAST_PAIRS = 30
NODE_HEADS = ("lnm", "lnm_without_aln_us")
SHOWN = ("n", "events", "discrimination", "comparisons", "confusion", "calibration", "lymph_nodes")
DESCRIPTIVE = tuple(name for name in M2_PREDICTORS if name != "aln_suspicious")


def predict_all(
    heads: Mapping[str, FusionHead], patients: pd.DataFrame, scores: Mapping[str, "pd.Series[float]"]
) -> dict[str, "pd.Series[float]"]:
    """Give every head's probability for every patient."""
    known = [{str(k): v for k, v in row.items() if v is not None} for row in patients.to_dict("records")]

    def predict(name: str, head: FusionHead) -> "pd.Series[float]":
        score = scores["lnm" if name in NODE_HEADS else "ki67"].reindex(patients.index)
        log_odds = [_estimate(head, float(s), row) for s, row in zip(score, known, strict=True)]
        return pd.Series(expit(np.array(log_odds)), index=patients.index)

    return {name: predict(name, head) for name, head in heads.items()}


def _estimate(head: FusionHead, score: float, clinical: Mapping[str, str | float]) -> float:
    given = head.given(clinical)
    return given.intercept + sum(given.contribute(score, clinical).values())


def make_predictions(
    patients: pd.DataFrame, y: "pd.Series[int]", prob: Mapping[str, "pd.Series[float]"]
) -> pd.DataFrame:
    """Lay out the prediction table that `evaluate` reads, one row per patient."""
    table = patients[["split", "centre"]].assign(y=y, ki67_pct=patients["ki67_pct"], prob=prob["m1"])
    for name in ("image", "clinical", "m2"):
        if name in prob:
            table[f"prob_{name}"] = prob[name]
    table["lnm"] = patients["lnm"]
    for name in NODE_HEADS:
        if name in prob:
            table[f"prob_{name}"] = prob[name]
    if "aln_suspicious" in patients:
        table["aln_us"] = patients["aln_suspicious"].map({"suspicious": 1, "negative": 0})
    table[["rfs_months", "rfs_event"]] = patients[["rfs_months", "rfs_event"]]
    for name in (*DESCRIPTIVE, "box_source"):
        if name in patients:
            table[name] = patients[name]
    return table.reset_index()


def measure_threshold_interval(predictions: pd.DataFrame, seed: int) -> list[float]:
    """Give the 95 % interval of the chosen threshold: chosen again on development patients drawn with replacement."""
    part = predictions[predictions["split"].isin(DEVELOPMENT)]
    y, prob = part["y"].to_numpy(float), part["prob"].to_numpy(float)
    rng = np.random.default_rng([seed, 3])
    drawn = (rng.integers(len(y), size=len(y)) for _ in range(THRESHOLD_DRAWS))
    chosen = [choose_threshold(y[rows], prob[rows]).threshold for rows in drawn]
    found = [value for value in chosen if value is not None]
    return [float(value) for value in np.percentile(found, [2.5, 97.5])]


def pick_metrics(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Keep of an evaluation what card and pages show; curves are computed anew from the predictions."""
    return {split: {name: part[name] for name in SHOWN if name in part} for split, part in metrics.items()}


def evaluate_no_call(predictions: pd.DataFrame, threshold: float, no_call: Mapping[str, Any]) -> dict[str, Any]:
    """Evaluate the indeterminate range in each split (`core.evaluation.compute_indeterminate`)."""
    zone = {"threshold": threshold, "low": float(no_call["low"]), "high": float(no_call["high"])}
    return {
        split: compute_indeterminate(part["y"], part["prob"], **zone).to_dict("index")
        for split, part in iterate_splits(predictions)
    }


def evaluate_boxes(predictions: pd.DataFrame) -> list[dict[str, object]]:
    """Give the AUC of each split by whose lesion box the images have; nothing where all were drawn."""
    if "box_source" not in predictions:
        return []
    return [
        {"split": split, "box": box, "n": len(part), "events": int(part["y"].sum())}
        | {name: getattr(compute_roc(part["y"], part["prob"]), name) for name in ("auc", "auc_ci", "reason")}
        for split, patients in iterate_splits(predictions)
        for box, part in patients.groupby("box_source")
    ]


def choose_no_call(predictions: pd.DataFrame, threshold: float) -> dict[str, object]:
    """Choose the indeterminate range on development data."""
    low, high = choose_indeterminate(predictions, threshold)
    return {
        "low": low,
        "high": high,
        "rule": f"holds the {100 * INDETERMINATE_SHARE:.0f} % of the development patients nearest to the threshold",
    }


def count_flow(patients: pd.DataFrame, y: "pd.Series[int]", n_rows: int, refused: int) -> dict[str, object]:
    """Count patients from the manifest's rows to the splits."""
    splits = {
        name: {"n": len(part), "events": int(y[part.index].sum()), "centres": sorted(set(part["centre"]))}
        for name, part in iterate_splits(patients)
    }
    return {"rows": n_rows, "rows_refused": refused, "patients": len(patients), "splits": splits}


def measure_between_views(
    features: Features, patient_id: "pd.Series[str]", training: "pd.Index[str]", head: ImageHead
) -> BetweenViews | None:
    """Compare the first two used images of each other patient who has two; None for fewer than 30 patients."""
    used = features.is_read & ~patient_id.isin(training).to_numpy()
    scores = pd.Series(head.score(features.pooled[used]), index=patient_id[used])
    pairs = scores.groupby(level=0).head(2).groupby(level=0).agg(["first", "last", "size"])
    pairs = pairs[pairs["size"] == 2]
    if len(pairs) < LEAST_PAIRS:
        return None
    source = f"{len(pairs)} patients with two images whom the model was not trained on"
    return BetweenViews.of(pairs["first"] - pairs["last"], source)
