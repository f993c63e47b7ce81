"""What goes into an estimate and what comes out of it: frozen records, no computing."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.imaging import Frame, Roi
from models.call_rule import CallRule, Group
from models.manifest import BetweenViews

Status = Literal["ok", "caution", "refused"]
Plane = Literal["transverse", "longitudinal", "other"]
INTERVAL = (2.5, 97.5)
SEVERITY: tuple[Status, ...] = ("ok", "caution", "refused")


@dataclass(frozen=True)
class View:
    """One image of the lesion.

    Parameters
    ----------
    frame : Frame
        B-mode area of the image.
    roi : Roi
        Lesion box in pixels of the frame.
    plane : {"transverse", "longitudinal", "other"} or None
        How the probe was held; None where it is not known. The model does not use it.
    n_frames : int
        Frames of a loop whose mean is read; 1 for the frame alone.
    """

    frame: Frame
    roi: Roi
    plane: Plane | None = None
    n_frames: int = 1


@dataclass(frozen=True)
class Case:
    """One patient as known before surgery.

    Parameters
    ----------
    views : tuple of View
        Images of one lesion, at least one.
    clinical : mapping of str to value
        Checked values of the fields that are known (`core.clinical.parse_inputs`).
    side : {"left", "right"} or None
        Breast that the form names; the model does not use it.
    """

    views: tuple[View, ...]
    clinical: Mapping[str, str | float] = field(default_factory=dict)
    side: str | None = None

    def __post_init__(self) -> None:
        if not self.views:
            raise InputError("A case needs an image.")

    @classmethod
    def of(cls, frame: Frame, roi: Roi, clinical: Mapping[str, str | float] | None = None) -> "Case":
        """Make a case of one image."""
        return cls((View(frame, roi),), clinical or {})


@dataclass(frozen=True)
class Applicability:
    """Whether the model may be asked about this image.

    Parameters
    ----------
    status : {"ok", "caution", "refused"}
        The worst of all findings.
    reasons : tuple of str
        A sentence for each finding, notes on the file included.
    other : str
        Why the network takes the image for no ultrasound, wherever the lesion lies; empty where it doesn't.
    """

    status: Status
    reasons: tuple[str, ...] = ()
    other: str = ""


@dataclass(frozen=True)
class ImageReading:
    """What one pass of the network reads from an image; clinical values change nothing in it.

    Parameters
    ----------
    scores : mapping of str to float
        Image score s of each head ("ki67", "lnm", "malignancy").
    refit_scores : ndarray of float64, (B,)
        Ki-67 image score under each refit.
    score_map : ndarray of float64, (h, w)
        w . A_ij of the Ki-67 head.
    offset : float
        Bias c of the Ki-67 head; mean of `score_map` plus it is `scores["ki67"]`.
    area : tuple of float
        x0, y0, x1, y1 of the square that the network saw, in pixels of the frame; it may reach beyond the frame.
    applicability : Applicability
        Whether the image fits the model.
    input_sha256 : str
        Hash of the pixels that the network saw.
    seconds : float
        Time of the pass.
    """

    scores: Mapping[str, float]
    refit_scores: NDArray[np.float64]
    score_map: NDArray[np.float64]
    offset: float
    area: tuple[float, float, float, float]
    applicability: Applicability
    input_sha256: str
    seconds: float


def drop_refused(case: Case, readings: Sequence[ImageReading]) -> tuple[Case, list[ImageReading]]:
    """Leave out the views that the model refuses, as `score` does, where others remain."""
    pairs = list(zip(case.views, readings, strict=True))
    kept = [pair for pair in pairs if pair[1].applicability.status != "refused"] or pairs
    return replace(case, views=tuple(view for view, _ in kept)), [reading for _, reading in kept]


def join_hashes(hashes: Sequence[str]) -> str:
    """Give the hash of one input, or of several in any order."""
    return hashes[0] if len(hashes) == 1 else hashlib.sha256(" ".join(sorted(hashes)).encode()).hexdigest()


@dataclass(frozen=True)
class ViewEstimate:
    """What one view gives to an estimate.

    Parameters
    ----------
    reading : ImageReading
        What the network read.
    heatmap : ndarray of float64, (h, w)
        Signed log-odds by place, as if this were the only view.
    heatmap_offset : float
        b_img c; the heat map's mean plus it is the image's term of this view alone.
    contribution : float
        That term divided by the number of views: its share of `Prediction.contributions["image"]`, log-odds.
    logit, probability : float
        The estimate from this view alone.
    """

    reading: ImageReading
    heatmap: NDArray[np.float64]
    heatmap_offset: float
    contribution: float
    logit: float
    probability: float


@dataclass(frozen=True)
class Prediction:
    """An explained estimate.

    Parameters
    ----------
    probability : float
        Probability that Ki-67 is high.
    interval : tuple of float
        2.5 and 97.5 percentile of the probability over the refits, each drawing the values that are not known.
    certainty : float
        Share of the refits on the estimate's side of the threshold.
    logit, intercept : float
        Log-odds, and its part that belongs to no term.
    contributions : mapping of str to float
        Log-odds of "image" and of each clinical field; with the intercept they add up to the logit.
    rule : CallRule
        How the bundle classifies the probability.
    views : tuple of ViewEstimate
        One for each view; their contributions add up to `contributions["image"]`.
    imputed : tuple of str
        Fields that were not known; the estimate is the mean over what is expected of them.
    node_metastasis : float or None
        Probability of node metastasis, where the bundle has that head.
    malignancy : float
        Probability that the lesion is malignant; the one head trained on real labels.
    bundle, bundle_sha256 : str
        Name and hash of the bundle.
    seconds : float
        Time of the whole estimate.
    between_views : BetweenViews or None
        How far two views of other patients differ; None where the bundle doesn't know.
    """

    probability: float
    interval: tuple[float, float]
    certainty: float
    logit: float
    intercept: float
    contributions: Mapping[str, float]
    rule: CallRule
    views: tuple[ViewEstimate, ...]
    imputed: tuple[str, ...]
    node_metastasis: float | None
    malignancy: float
    bundle: str
    bundle_sha256: str
    seconds: float
    between_views: BetweenViews | None = None

    @cached_property
    def applicability(self) -> Applicability:
        """Whether the images fit the model: the worst of the views, with their reasons."""
        judged = [view.reading.applicability for view in self.views]
        if len(judged) == 1:
            return judged[0]
        status = max((one.status for one in judged), key=SEVERITY.index)
        reasons = (f"View {i}: {reason}" for i, one in enumerate(judged, start=1) for reason in one.reasons)
        return Applicability(status, tuple(reasons), next((one.other for one in judged if one.other), ""))

    @property
    def score(self) -> float:
        """Ki-67 image score, the mean over the views."""
        return float(np.mean([view.reading.scores["ki67"] for view in self.views]))

    @property
    def view_range(self) -> float:
        """Log-odds between the highest and the lowest estimate of a view alone; 0 for one view."""
        logits = [view.logit for view in self.views]
        return max(logits) - min(logits)

    @property
    def input_sha256(self) -> str:
        """Hash of the pixels that the network saw; of several views, the hash of their hashes in any order."""
        return join_hashes([view.reading.input_sha256 for view in self.views])

    @property
    def group(self) -> Group:
        """Side of the threshold."""
        return self.rule.classify(self.probability)

    @property
    def threshold(self) -> float:
        """Probability from which Ki-67 is classified as high."""
        return self.rule.threshold

    @property
    def no_call(self) -> tuple[float, float]:
        """The indeterminate range."""
        return self.rule.indeterminate

    @property
    def is_no_call(self) -> bool:
        """Whether the probability lies in the indeterminate range."""
        return self.rule.is_indeterminate(self.probability)

    @property
    def is_uncertain(self) -> bool:
        """Whether the interval spans both sides of the threshold."""
        return self.interval[0] < self.threshold <= self.interval[1]
