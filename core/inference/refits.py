"""The bootstrap refits of one patient's estimate, and the interval that they span."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from core.inference.prediction import INTERVAL
from models.fusion import FusionHead


def refit_logits(
    fusion: FusionHead,
    scores: Sequence[float],
    refit_scores: Sequence[NDArray[np.floating]],
    clinical: Mapping[str, str | float],
) -> NDArray[np.float64]:
    """Give a patient's logit under each refit, (B,); the mean over n views has one view's variance divided by n.

    `refit_scores` holds the image score of each view under each refit, (B,).
    """
    variance = float(np.var(scores, ddof=1)) / len(scores) if len(scores) > 1 else 0.0
    mean = np.mean(np.asarray(refit_scores, dtype=np.float64), axis=0)
    return fusion.refit_logits(float(np.mean(scores)), mean, clinical, score_variance=variance)


def span_interval(logits: NDArray[np.float64]) -> tuple[float, float]:
    """Give the 2.5th and 97.5th percentile of the probability under the refits."""
    low, high = np.percentile(1 / (1 + np.exp(-logits)), INTERVAL)
    return float(low), float(high)
