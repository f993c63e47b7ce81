"""Agreement of two readers on lesion boxes: overlap of each image's two boxes, and whether there is a lesion at all."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from core.evaluation.checks import Interval
from core.evaluation.discrimination.agreement import AgreementResult, compute_agreement

REFITS, SEED = 2_000, 20260507
LEAST_PATIENTS = 10
Edges = tuple[float, float, float, float]


@dataclass(frozen=True)
class BoxAgreement:
    """How far two readers' boxes agree.

    Attributes
    ----------
    n, patients : int
        Images that both boxed, and their patients.
    iou, dice : float
        Means over the images; NaN where there are none.
    iou_ci, dice_ci : tuple of float
        Percentile intervals of a bootstrap of patients; NaN below ten patients.
    median, quartiles : float, tuple of float
        Of the IoU.
    found : AgreementResult
        Whether each reader boxed an image or skipped it, of the images that both have done.
    table : DataFrame
        ``place, patient, iou, dice``, one row per image that both boxed, the worst first.
    reason : str or None
        Why there is no interval.
    """

    n: int
    patients: int
    iou: float
    iou_ci: Interval
    dice: float
    dice_ci: Interval
    median: float
    quartiles: Interval
    found: AgreementResult
    table: pd.DataFrame = field(repr=False)
    reason: str | None = None


def compute_overlap(first: Edges, second: Edges) -> tuple[float, float]:
    """Compute intersection over union and Dice's coefficient of two boxes (x0, y0, x1, y1)."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    shared = max(width, 0.0) * max(height, 0.0)
    both = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second))
    return shared / (both - shared), 2 * shared / both


def compute_box_agreement(
    first: Sequence[Edges | None], second: Sequence[Edges | None], patient: Sequence[str], places: Sequence[int]
) -> BoxAgreement:
    """Compute the agreement on images that two readers have done.

    Parameters
    ----------
    first, second : sequence of (x0, y0, x1, y1) or None
        Box of each image; None where the reader skipped it.
    patient : sequence of str
        Whose image each is.
    places : sequence of int
        Which image of the manifest each is.

    Returns
    -------
    BoxAgreement
        IoU = shared / union and Dice = 2 shared / (area + area); intervals by 2,000 resamples of patients with all
        their images, 2.5th and 97.5th percentile.
    """
    rows = [
        (place, who, *compute_overlap(a, b))
        for place, who, a, b in zip(places, patient, first, second, strict=True)
        if a is not None and b is not None
    ]
    table = pd.DataFrame(rows, columns=["place", "patient", "iou", "dice"])
    table = table.sort_values(["iou", "place"], ignore_index=True)
    patients = table["patient"].nunique()
    intervals = _bootstrap(table) if patients >= LEAST_PATIENTS else ((np.nan, np.nan), (np.nan, np.nan))
    low, median, high = np.quantile(table["iou"], (0.25, 0.5, 0.75)) if rows else (np.nan,) * 3
    return BoxAgreement(
        n=len(table),
        patients=patients,
        iou=float(table["iou"].mean()),
        iou_ci=intervals[0],
        dice=float(table["dice"].mean()),
        dice_ci=intervals[1],
        median=float(median),
        quartiles=(float(low), float(high)),
        found=compute_agreement([box is not None for box in first], [box is not None for box in second]),
        table=table,
        reason=None if patients >= LEAST_PATIENTS else f"fewer than {LEAST_PATIENTS} patients",
    )


def _bootstrap(table: pd.DataFrame) -> tuple[Interval, Interval]:
    """Resample patients; the mean is that of the images of those drawn."""
    sums = table.groupby("patient")[["iou", "dice"]].sum().to_numpy()  # (patients, 2)
    counts = table.groupby("patient").size().to_numpy()
    drawn = np.random.default_rng(SEED).integers(len(counts), size=(REFITS, len(counts)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)[:, None]
    low, high = np.quantile(means, (0.025, 0.975), axis=0)
    return (float(low[0]), float(high[0])), (float(low[1]), float(high[1]))
