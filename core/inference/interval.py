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
        Percentiles 2.5 and 97.5 of the probability over the bootstrap heads.

    Notes
    -----
    The probability and the clinical terms hold the image score, ``s = (logit(p) - b0 - sum_k b_k z_k) / b_img``; the
    bootstrap heads are then asked as the Predictor asks them.
    """
    from scipy.special import expit, logit  # noqa: PLC0415 - scipy is heavy, and home needs none

    z = np.array([head.code(values) for values in clinical], dtype=np.float64).reshape(len(clinical), len(head.coefs))
    p = np.clip(np.asarray(probability, dtype=np.float64), LEAST, 1 - LEAST)
    score = (logit(p) - head.intercept - z @ head.coefs) / head.image_coef
    inputs = np.column_stack([np.ones(len(z)), score, z])
    return np.percentile(expit(inputs @ head.bootstrap.T), INTERVAL, axis=1).T
