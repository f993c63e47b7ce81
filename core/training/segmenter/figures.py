"""How well the segmenter outlines lesions, and what it proposes where there is none, on patients it never saw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from core.evaluation.proportion import compute_proportion
from core.imaging import Frame, Roi, read_frames
from core.inference.lesion import Lesion, LesionRule, outline_lesions
from core.inference.lesion_finder import LesionFinder
from core.training.clinics import find_box, split_lesions
from core.training.segmenter.frames import NORMAL, OutlinedFrames, read_mask

MISS = 0.1
N_BOOTSTRAP = 2000
OVERSAMPLE = 2
MEASURES = ("dice", "iou", "box_iou")
THRESHOLD = 0.5
CONFIDENCES = (0.5, 0.6, 0.7, 0.8, 0.9)
FALSE_GOAL, MISSED_GOAL = 0.1, 0.03


@dataclass(frozen=True)
class MappedFrame:
    """A frame and what the network sees in it."""

    row: int  # position of the frame in the data
    frame: Frame  # the B-mode area
    probability: NDArray[np.float32]  # (h, w), of a lesion, over the frame

    def outline(self, rule: LesionRule) -> tuple[Lesion, ...]:
        """Outline the lesions that count by a rule, best first."""
        return outline_lesions(self.probability, width=self.frame.width, height=self.frame.height, rule=rule)


def map_frames(finder: LesionFinder, data: OutlinedFrames, rows: NDArray[np.int64]) -> list[MappedFrame]:
    """Run a segmenter on frames of patients that it never saw."""
    frames = read_frames([data.paths[row] for row in rows])
    return [
        MappedFrame(int(row), frame, finder.predict_map(frame.pixels)) for row, frame in zip(rows, frames, strict=True)
    ]


def score_frames(mapped: Sequence[MappedFrame], data: OutlinedFrames, least_confidence: float) -> pd.DataFrame:
    """Compare what is proposed with what is drawn, in the pixels of the image files."""
    rule = LesionRule(THRESHOLD, least_confidence)
    rows = [_score(one, one.outline(rule), data) for one in mapped]
    return pd.DataFrame(rows).set_index("row")


def choose_confidence(tables: Mapping[float, Sequence[pd.DataFrame]]) -> float:
    """Choose the least confidence on clinics that the networks didn't see."""

    def badness(parts: Sequence[pd.DataFrame]) -> float:
        false = [(free["proposals"] > 0).mean() for part in parts if len(free := part[part["label"] == NORMAL])]
        missed = [(part.loc[part["label"] != NORMAL, "dice"] < MISS).mean() for part in parts]
        return max(float(np.mean(false)) / FALSE_GOAL if false else 0.0, float(np.mean(missed)) / MISSED_GOAL)

    return min(tables, key=lambda confidence: (badness(tables[confidence]), confidence))


def summarise_scores(scores: pd.DataFrame, *, seed: int) -> dict[str, object]:
    """Give patient-wise means with bootstrap intervals: a patient's frames are averaged, patients are resampled."""
    lesion = scores[scores["label"] != NORMAL]
    free, several = scores[scores["label"] == NORMAL], lesion[lesion["drawn"] > 1]
    groups = {"all": lesion} | {label: lesion[lesion["label"] == label] for label in ("benign", "malignant")}
    return {
        **{name: _summarise_group(group, seed) for name, group in groups.items() if len(group)},
        "missed": _count(int((lesion["dice"] < MISS).sum()), len(lesion)),
        "false_alarms": _count(int((free["proposals"] > 0).sum()), len(free)),
        "several": _count(int(several["found"].sum()), int(several["drawn"].sum())),
    }


def compute_box_iou(first: Roi, second: Roi) -> float:
    """Intersection over union of two boxes."""
    width = min(first.x1, second.x1) - max(first.x0, second.x0)
    height = min(first.y1, second.y1) - max(first.y0, second.y0)
    shared = max(width, 0) * max(height, 0)
    return shared / (first.width * first.height + second.width * second.height - shared)


def paint_contour(contour: NDArray[np.float64], width: int, height: int) -> NDArray[np.bool_]:
    """Mark the pixels whose centres lie within a contour; bool (height, width)."""
    image = Image.new("1", (width * OVERSAMPLE, height * OVERSAMPLE))
    ImageDraw.Draw(image).polygon([(float(x), float(y)) for x, y in contour * OVERSAMPLE], fill=1)
    centre = OVERSAMPLE // 2
    return np.asarray(image)[centre::OVERSAMPLE, centre::OVERSAMPLE]


def _score(one: MappedFrame, lesions: tuple[Lesion, ...], data: OutlinedFrames) -> dict[str, object]:
    row: dict[str, object] = {
        "row": one.row,
        "patient": str(data.patient[one.row]),
        "label": str(data.label[one.row]),
        "proposals": len(lesions),
        "confidence": lesions[0].confidence if lesions else 0.0,
    }
    if data.label[one.row] == NORMAL:
        return row | {"drawn": 0, "found": 0} | dict.fromkeys(MEASURES, np.nan)
    mask = read_mask(data.masks[one.row])
    drawn = list(split_lesions(mask, several=bool(data.several[one.row])))
    painted = [paint_contour(_to_source(lesion.contour, one.frame), mask.shape[1], mask.shape[0]) for lesion in lesions]
    overlaps = np.array([[_dice(proposal, truth) for truth in drawn] for proposal in painted])
    if not lesions:
        return row | {"drawn": len(drawn), "found": 0} | dict.fromkeys(MEASURES, 0.0)
    best = int(overlaps[0].argmax())
    dice = float(overlaps[0, best])
    return row | {
        "drawn": len(drawn),
        "found": int((overlaps.max(axis=0) >= MISS).sum()),
        "dice": dice,
        "iou": dice / (2 - dice),
        "box_iou": compute_box_iou(one.frame.to_source(lesions[0].box), Roi(*find_box(drawn[best]))),
    }


def _dice(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    return 2 * np.count_nonzero(first & second) / (np.count_nonzero(first) + np.count_nonzero(second))


def _to_source(contour: NDArray[np.float64], frame: Frame) -> NDArray[np.float64]:
    return contour / np.array(frame.source_scale) + np.array(frame.origin)


def _count(count: int, n: int) -> dict[str, object] | None:
    if not n:
        return None
    share, low, high = compute_proportion(count, n)
    return {"count": count, "n": n, "share": share, "ci": [low, high]}


def _summarise_group(scores: pd.DataFrame, seed: int) -> dict[str, object]:
    by_patient = scores.groupby("patient")[list(MEASURES)].mean().to_numpy()
    n = len(by_patient)
    drawn = np.random.default_rng(seed).integers(0, n, (N_BOOTSTRAP, n))
    means = by_patient[drawn].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    mean = by_patient.mean(axis=0)
    return {"frames": len(scores), "patients": n} | {
        name: {"mean": float(mean[i]), "ci": [float(low[i]), float(high[i])]} for i, name in enumerate(MEASURES)
    }
