"""The interval of a probability out of a table, where the model's inputs are known."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.fusion import FusionHead

INTERVAL = (2.5, 97.5)
LEAST = 1e-6


def recover_intervals(
    head: FusionHead, probability: ArrayLike, clinical: Sequence[Mapping[str, str | float]]
) -> NDArray[np.float64]:
    """Give the bootstrap intervals of probabilities that a head gave.

    Parameters
    ----------
    head : FusionHead
        The head that gave them, with a weight on the image.
    probability : array-like of float, shape (n,)
        Its probabilities.
    clinical : sequence of mapping, n
        Known clinical values that it was given.

    Returns
    -------
    ndarray of float64, (n, 2)
        Percentiles 2.5 and 97.5 of the probability over the refits.

    Notes
    -----
    The probability and the clinical terms hold the image score, ``s = (logit(p) - b0 - sum_k b_k z_k) / b_img``; what
    each refit would score without the image is drawn around it with the spread that it has in training.
    """
    from scipy.special import expit, logit  # noqa: PLC0415 - scipy is heavy, and home needs none

    p = np.clip(np.asarray(probability, dtype=np.float64), LEAST, 1 - LEAST)
    bounds = np.empty((len(p), 2))
    for i, (log_odds, values) in enumerate(zip(logit(p), clinical, strict=True)):
        given = head.given(values)
        score = float((log_odds - given.intercept - given.code(values) @ given.coefs) / given.image_coef)
        refits = head.refit_logits(score, head.guess_refit_scores(score), values)
        bounds[i] = expit(np.percentile(refits, INTERVAL))
    return bounds
