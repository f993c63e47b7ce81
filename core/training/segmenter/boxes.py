"""What the proposed box changes: the same images read with the drawn box and with the proposed one."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.cohort.manifest import read_manifest
from core.cohort.splits import SplitRule
from core.evaluation import compare_roc, compute_roc
from core.imaging import Frame, Roi, default_roi, read_frames
from core.inference import Case, Predictor
from core.inference.lesion_finder import LesionFinder
from core.training.busbra import Busbra
from core.training.segmenter.figures import compute_box_iou

OUTPUTS = ("malignancy", "ki67")


@dataclass(frozen=True)
class Exchange:
    """A predictor and a finder that are asked about the same frames.

    Parameters
    ----------
    predictor : Predictor
        The bundle.
    finder : LesionFinder
        The segmenter.
    """

    predictor: Predictor
    finder: LesionFinder

    def compare(self, frames: Iterable[Frame], boxes: NDArray[np.floating]) -> pd.DataFrame:
        """Estimate each image twice, without clinical values.

        Parameters
        ----------
        frames : iterable of Frame
            One frame a box.
        boxes : ndarray of float, (n, 4)
            Drawn boxes x0, y0, x1, y1 in pixels of the source images.

        Returns
        -------
        DataFrame
            A row an image: found, box_iou, and malignancy and ki67 (probabilities) as drawn and as proposed. Where
            nothing was found the default box stands in, as on the page.
        """
        rows = [
            self._compare_one(frame, frame.to_frame(Roi(*map(float, box))))
            for frame, box in zip(frames, boxes, strict=True)
        ]
        return pd.DataFrame(rows)

    def _compare_one(self, frame: Frame, drawn: Roi) -> dict[str, float]:
        lesions = self.finder.find(frame)
        proposed = lesions[0].box if lesions else default_roi(frame)
        row = {"found": float(bool(lesions)), "box_iou": compute_box_iou(drawn, proposed)}
        for name, roi in (("drawn", drawn), ("proposed", proposed)):
            prediction = self.predictor.predict(Case.of(frame, roi, {}))
            row |= {f"malignancy_{name}": prediction.malignancy, f"ki67_{name}": prediction.probability}
        return row


def measure_busbra(exchange: Exchange, data: Busbra, fold: int) -> dict[str, Any]:
    """Measure the change on a held-out fold of the segmenter.

    Parameters
    ----------
    exchange : Exchange
        With the finder that saw no patient of the fold. The bundle's backbone may have seen them.
    data : Busbra
        All images.
    fold : int
        The fold.

    Returns
    -------
    dict
        fold, images, found, "change" of both outputs by image, and the malignancy's AUC by patient with both boxes.
    """
    held = np.flatnonzero(data.fold == fold)
    table = exchange.compare(read_frames([data.paths[i] for i in held]), data.boxes[held])
    table = table.assign(patient=data.patient[held], y=data.malignant[held])
    return {"fold": fold} | _describe(table, "malignancy")


def measure_cohort(exchange: Exchange, manifest: Path, split: str = "external") -> dict[str, Any]:
    """Measure the change on a split of a simulated cohort.

    Parameters
    ----------
    exchange : Exchange
        With the finder that the app uses.
    manifest : Path
        cohort.csv as `python -m core simulate` writes it.
    split : str
        Split of the cohort.

    Returns
    -------
    dict
        split, images, found, "change" of both outputs by image, and Ki-67's AUC by patient with both boxes.
    """
    bundle = exchange.predictor.bundle
    cutoff, seed = bundle.cutoff, bundle.manifest.seed
    cohort = read_manifest(manifest, SplitRule(("D",), cutoff, seed))
    patients = cohort.patients[cohort.patients["split"] == split]
    images = cohort.images[cohort.images["patient_id"].isin(patients.index)]
    table = exchange.compare(read_frames(images["path"]), np.array(images["box"].tolist(), dtype=np.float64))
    high = cutoff.is_high(patients["ki67_pct"].astype(float))
    table = table.assign(patient=images["patient_id"].to_numpy(), y=high[images["patient_id"]].to_numpy(float))
    return {"split": split} | _describe(table, "ki67")


def _describe(table: pd.DataFrame, output: str) -> dict[str, Any]:
    by_patient = table.drop(columns=["found"]).groupby("patient").mean()
    y = (by_patient["y"] > 0).astype(int).to_numpy()
    drawn, proposed = (by_patient[f"{output}_{name}"].to_numpy() for name in ("drawn", "proposed"))
    rocs = {name: compute_roc(y, score) for name, score in (("drawn", drawn), ("proposed", proposed))}
    difference = compare_roc(y, proposed, drawn)
    return {
        "images": len(table),
        "found": int(table["found"].sum()),
        "box_iou": float(table["box_iou"].mean()),
        "box_iou_above_half": float((table["box_iou"] > 0.5).mean()),
        "change": {name: _describe_change(table, name) for name in OUTPUTS},
        "auc": {
            "of": output,
            "n": len(y),
            "events": int(y.sum()),
            **{name: {"auc": roc.auc, "ci": roc.auc_ci} for name, roc in rocs.items()},
            "difference": {"value": difference.difference, "ci": difference.ci, "p": difference.p},
        },
    }


def _describe_change(table: pd.DataFrame, output: str) -> dict[str, float]:
    change = (table[f"{output}_proposed"] - table[f"{output}_drawn"]).abs()
    return {"median": float(change.median()), "p95": float(change.quantile(0.95)), "max": float(change.max())}
