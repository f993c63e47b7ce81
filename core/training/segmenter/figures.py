"""How well the segmenter finds lesions: Dice and IoU on images of patients that it never saw."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from core.evaluation.proportion import compute_proportion
from core.imaging import Frame, Roi, read_frames
from core.inference.lesion import Lesion
from core.inference.lesion_finder import LesionFinder
from core.training.busbra import Busbra
from core.training.segmenter.pretrain import read_pair

MISS = 0.1
STRIP_GAP = 0.05
N_BOOTSTRAP = 2000
OVERSAMPLE = 4
MEASURES = ("dice", "iou", "box_iou")


def score_images(finder: LesionFinder, data: Busbra, held: NDArray[np.int64]) -> pd.DataFrame:
    """Compare the first lesion found in each image with the drawn one, in the pixels of the image file.

    Parameters
    ----------
    finder : LesionFinder
        A segmenter that saw no patient of these images.
    data : Busbra
        All images.
    held : ndarray of int64, (n,)
        Positions of the images.

    Returns
    -------
    DataFrame
        A row an image, indexed by its position: patient, fold, malignant, n_lesions, confidence, dice, iou, box_iou,
        and the proposed box x0, y0, x1, y1 in pixels of the image file (empty where nothing was found).
    """
    frames = read_frames([data.paths[i] for i in held])
    rows = [_score(finder.find(frame), frame, data, int(i)) for i, frame in zip(held, frames, strict=True)]
    return pd.DataFrame(rows).set_index("image")


def count_false_proposals(finder: LesionFinder, data: Busbra, held: NDArray[np.int64]) -> dict[str, int]:
    """Count the proposals in parts of images that hold no lesion: the wider side strip beside the drawn box.

    Parameters
    ----------
    finder : LesionFinder
        A segmenter that saw no patient of these images.
    data : Busbra
        All images.
    held : ndarray of int64, (n,)
        Positions of the images.

    Returns
    -------
    dict
        "strips" (at least a third of the image's width, as high as wide) and "proposals" among them.
    """
    strips = [strip for i in held if (strip := _cut_strip(read_pair(data.paths[i])[0], data.boxes[i])) is not None]
    found = sum(bool(finder.find(_to_frame(strip))) for strip in strips)
    return {"strips": len(strips), "proposals": found}


def summarise_scores(scores: pd.DataFrame, *, seed: int) -> dict[str, Any]:
    """Give patient-wise means with bootstrap intervals: a patient's images are averaged, patients are resampled.

    Parameters
    ----------
    scores : DataFrame
        What `score_images` gave, of one fold or of several.
    seed : int
        Seed of the resampling.

    Returns
    -------
    dict
        folds, images, patients; "all", "benign" and "malignant": n patients, and of dice, iou and box_iou the mean and
        its 95 % interval; "missed": images and patients with a Dice below .1 in any image, with Wilson's interval.
    """
    groups = {"all": scores, "benign": scores[scores["malignant"] == 0], "malignant": scores[scores["malignant"] == 1]}
    missed = scores[scores["dice"] < MISS]
    n_patients, n_missed = scores["patient"].nunique(), missed["patient"].nunique()
    share, low, high = compute_proportion(n_missed, n_patients)
    return {
        "folds": sorted({int(fold) for fold in scores["fold"]}),
        "images": len(scores),
        "patients": n_patients,
        **{name: _summarise_group(group, seed) for name, group in groups.items()},
        "missed": {"images": len(missed), "patients": n_missed, "share": share, "ci": [low, high]},
        "several": int((scores["n_lesions"] > 1).sum()),
        "none": int((scores["n_lesions"] == 0).sum()),
    }


def compute_box_iou(first: Roi, second: Roi) -> float:
    """Intersection over union of two boxes."""
    width = min(first.x1, second.x1) - max(first.x0, second.x0)
    height = min(first.y1, second.y1) - max(first.y0, second.y0)
    shared = max(width, 0) * max(height, 0)
    return shared / (first.width * first.height + second.width * second.height - shared)


def paint_contour(contour: NDArray[np.float64], width: int, height: int) -> NDArray[np.bool_]:
    """Mark the pixels whose centres lie within a contour.

    Parameters
    ----------
    contour : ndarray of float64, (n, 2)
        x, y of the corners; 0 is the outer edge of the first pixel.
    width, height : int
        Of the image, pixels.

    Returns
    -------
    ndarray of bool, (height, width)
        The mask.
    """
    image = Image.new("1", (width * OVERSAMPLE, height * OVERSAMPLE))
    ImageDraw.Draw(image).polygon([(float(x), float(y)) for x, y in contour * OVERSAMPLE], fill=1)
    centre = OVERSAMPLE // 2
    return np.asarray(image)[centre::OVERSAMPLE, centre::OVERSAMPLE]


def _score(lesions: tuple[Lesion, ...], frame: Frame, data: Busbra, position: int) -> Mapping[str, object]:
    row: dict[str, object] = {
        "image": position,
        "patient": int(data.patient[position]),
        "fold": int(data.fold[position]),
        "malignant": int(data.malignant[position]),
        "n_lesions": len(lesions),
    }
    if not lesions:
        return row | {"confidence": 0.0} | dict.fromkeys(MEASURES, 0.0)
    drawn = read_pair(data.paths[position])[1] > 127
    found = paint_contour(_to_source(lesions[0].contour, frame), drawn.shape[1], drawn.shape[0])
    shared, either = np.count_nonzero(found & drawn), np.count_nonzero(found | drawn)
    box, truth = frame.to_source(lesions[0].box), _box_of(drawn)
    return row | {
        "confidence": lesions[0].confidence,
        "dice": 2 * shared / (np.count_nonzero(found) + np.count_nonzero(drawn)),
        "iou": shared / either,
        "box_iou": compute_box_iou(box, truth),
        "x0": box.x0,
        "y0": box.y0,
        "x1": box.x1,
        "y1": box.y1,
    }


def _cut_strip(image: NDArray[np.uint8], box: NDArray[np.float32]) -> NDArray[np.uint8] | None:
    """Cut the square at the lesion's depth out of the wider strip beside its box; None where both are narrow."""
    height, width = image.shape
    left, right = int(box[0] * (1 - STRIP_GAP)), int(np.ceil(box[2] + (width - box[2]) * STRIP_GAP))
    side = min(max(left, width - right), height)
    if side < width / 3:
        return None
    x = 0 if left >= width - right else width - side
    y = int(np.clip((box[1] + box[3]) / 2 - side / 2, 0, height - side))
    return image[y : y + side, x : x + side]


def _to_frame(pixels: NDArray[np.uint8]) -> Frame:
    return Frame(
        pixels=np.ascontiguousarray(pixels), mm_per_px=None, origin=(0, 0), source_scale=(1, 1), sha256="0" * 64
    )


def _to_source(contour: NDArray[np.float64], frame: Frame) -> NDArray[np.float64]:
    return contour / np.array(frame.source_scale) + np.array(frame.origin)


def _box_of(mask: NDArray[np.bool_]) -> Roi:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return Roi(float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))


def _summarise_group(scores: pd.DataFrame, seed: int) -> dict[str, Any]:
    by_patient = scores.groupby("patient")[list(MEASURES)].mean().to_numpy()
    n = len(by_patient)
    drawn = np.random.default_rng(seed).integers(0, n, (N_BOOTSTRAP, n))
    means = by_patient[drawn].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    mean = by_patient.mean(axis=0)
    return {"n": n} | {
        name: {"mean": float(mean[i]), "ci": [float(low[i]), float(high[i])]} for i, name in enumerate(MEASURES)
    }
