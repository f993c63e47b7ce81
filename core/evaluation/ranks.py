"""Ranks of scores; without scipy.stats, whose import takes as long as the rest of a page's first view."""

import numpy as np
from numpy.typing import NDArray


def rank_scores(score: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the rank of each score from 1, shape (n,); equal ones share the mean of theirs."""
    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    return np.asarray((counts.cumsum() - (counts - 1) / 2)[place])
