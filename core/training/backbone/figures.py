"""How well the malignancy head tells cancer on lesions of patients that the network never saw."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from core.evaluation import compare_roc, compute_calibration, compute_roc
from core.imaging import Frame, Roi, prepare_input
from core.inference.engines.interface import Engine
from core.training.clinics import Lesions
from models.fusion import ImageHead

BATCH = 16
JITTERS = {
    "box as drawn": (0.0, 1.0),
    "box shifted by 20 %": (0.2, 1.0),
    "box 20 % larger": (0.0, 1.2),
}
DRAWN = "box as drawn"
Outcomes = tuple[NDArray[np.float64], NDArray[np.floating]]


def pool_lesions(
    engine: Engine, frames: Sequence[Frame], boxes: NDArray[np.floating], *, shift: float = 0, scale: float = 1
) -> NDArray[np.float64]:
    """Run the backbone on lesion boxes moved in a random direction and rescaled; float64 (n, n_features)."""
    angles = np.random.default_rng(0).uniform(0, 2 * np.pi, len(boxes))
    rule = engine.rule
    parts = []
    for start in range(0, len(boxes), BATCH):
        part = slice(start, start + BATCH)
        crops = [
            prepare_input(
                frame,
                _hold_within(frame, move_box(frame.to_frame(Roi(*map(float, box))), shift, scale, angle)),
                size=rule.size,
                context=rule.context,
            )
            for frame, box, angle in zip(frames[part], boxes[part], angles[part], strict=True)
        ]
        parts.append(engine.extract_maps(np.stack(crops)).mean(axis=(2, 3), dtype=np.float64))
    return np.concatenate(parts)


def move_box(roi: Roi, shift: float, scale: float, angle: float) -> Roi:
    """Displace a box by a part of its sides in the direction `angle` (radians), and rescale it about its centre."""
    cx = (roi.x0 + roi.x1) / 2 + shift * roi.width * np.cos(angle)
    cy = (roi.y0 + roi.y1) / 2 + shift * roi.height * np.sin(angle)
    half_width, half_height = scale * roi.width / 2, scale * roi.height / 2
    return Roi(cx - half_width, cy - half_height, cx + half_width, cy + half_height)


def _hold_within(frame: Frame, roi: Roi) -> Roi:
    """Cut off what of a box lies beyond the frame, as where a lesion reaches out of the B-mode area."""
    return Roi(max(roi.x0, 0), max(roi.y0, 0), min(roi.x1, frame.width), min(roi.y1, frame.height))


def measure_lesions(
    engine: Engine, head: ImageHead, lesions: Lesions, frames: Sequence[Frame]
) -> tuple[dict[str, Any], NDArray[np.float64]]:
    """Measure the malignancy head, with the box as drawn and moved."""
    figures, logits = {}, {}
    for name, (shift, scale) in JITTERS.items():
        logits[name] = head.score(pool_lesions(engine, frames, lesions.boxes, shift=shift, scale=scale))
        roc = compute_roc(lesions.malignant.astype(int), logits[name], patient=lesions.patient)
        patients = len(np.unique(lesions.patient))
        figures[name] = {
            "n": roc.n,
            "events": roc.n_pos,
            "patients": patients,
            "auc": roc.auc,
            "auc_ci": roc.auc_ci,
            "reason": roc.reason,
        }
    return figures, logits[DRAWN]


def measure_boxes(
    engine: Engine,
    head: ImageHead,
    frames: Sequence[Frame],
    boxes: Mapping[str, NDArray[np.floating]],
    malignant: NDArray[np.bool_],
    patient: NDArray[np.str_],
) -> dict[str, object]:
    """Measure the malignancy head with the box drawn and with the box proposed."""
    logits = {name: head.score(pool_lesions(engine, frames, one)) for name, one in boxes.items()}
    y = malignant.astype(int)
    rocs = {name: compute_roc(y, logit, patient=patient) for name, logit in logits.items()}
    means = pd.DataFrame({**logits, "y": y, "patient": patient}).groupby("patient").mean()
    compared = compare_roc(means["y"] > 0, means["proposed"], means["drawn"])
    return {
        "n": len(y),
        "events": int(y.sum()),
        "patients": len(means),
        **{name: {"auc": roc.auc, "ci": roc.auc_ci} for name, roc in rocs.items()},
        "difference": {"auc": compared.difference, "ci": compared.ci},
    }


def fit_temperature(parts: Sequence[Outcomes]) -> float:
    """Find the temperature T at which sigmoid(logit / T) fits the outcomes best, each clinic counting the same.

    Each part holds log-odds of a clinic that the network didn't see, and 1 malignant or 0 benign. Maximum likelihood
    between 0.2 and 5 (Guo et al., ICML 2017).
    """

    def loss(log_temperature: float) -> float:
        scaled = [(logit / np.exp(log_temperature), malignant) for logit, malignant in parts]
        return float(np.mean([np.mean(np.logaddexp(0, x) - y * x) for x, y in scaled]))

    return float(np.exp(minimize_scalar(loss, bounds=(np.log(0.2), np.log(5)), method="bounded").x))


def calibrate_left_out(parts: Mapping[str, Outcomes]) -> dict[str, dict[str, object]]:
    """Measure calibration on each part with the temperature of all others."""
    results = {}
    for name, (logit, malignant) in parts.items():
        others = [values for other, values in parts.items() if other != name]
        if not others:
            continue
        temperature = fit_temperature(others)
        found = compute_calibration(malignant.astype(int), 1 / (1 + np.exp(-logit / temperature)))
        fields = ("slope", "slope_se", "intercept", "intercept_se")
        results[name] = {"temperature": temperature} | {field: getattr(found, field) for field in fields}
    return results
