"""What goes into an estimate and what comes out of it: frozen records, no computing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.imaging import Frame, Roi
from models.call_rule import CallRule, Group

Status = Literal["ok", "caution", "refused"]


@dataclass(frozen=True)
class Case:
    """One patient as known before surgery.

    Parameters
    ----------
    frame : Frame
        B-mode area of the image.
    roi : Roi
        Lesion box in pixels of the frame.
    clinical : mapping of str to value
        Checked values of the fields that are known (`core.clinical.parse_inputs`).
    """

    frame: Frame
    roi: Roi
    clinical: Mapping[str, str | float] = field(default_factory=dict)


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
    heatmap : ndarray of float64, (h, w)
        Signed log-odds by place; its mean plus `heatmap_offset` is `contributions["image"]`.
    heatmap_offset : float
        b_img c.
    reading : ImageReading
        What the network read.
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
    """

    probability: float
    interval: tuple[float, float]
    certainty: float
    logit: float
    intercept: float
    contributions: Mapping[str, float]
    rule: CallRule
    heatmap: NDArray[np.float64]
    heatmap_offset: float
    reading: ImageReading
    imputed: tuple[str, ...]
    node_metastasis: float | None
    malignancy: float
    bundle: str
    bundle_sha256: str
    seconds: float

    @property
    def applicability(self) -> Applicability:
        """Whether the image fits the model."""
        return self.reading.applicability

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
