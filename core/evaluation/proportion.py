"""Intervals of proportions and of what is made of two of them."""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from core.evaluation.checks import Floats, Interval


def normal_quantile(conf_level: float) -> float:
    """Two-sided quantile of the standard normal distribution."""
    return float(ndtri(0.5 + conf_level / 2))


def compute_wilson(count: ArrayLike, n: ArrayLike, conf_level: float = 0.95) -> tuple[Floats, Floats]:
    """Compute Wilson score intervals without continuity correction.

    Parameters
    ----------
    count, n : array-like
        Successes and trials.
    conf_level : float
        Confidence level.

    Returns
    -------
    low, high : ndarray
        Limits; NaN where n is 0.

    Notes
    -----
    ``(p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)``; Wilson, JASA 1927;22:209-212.
    """
    k, trials = np.broadcast_arrays(np.asarray(count, dtype=np.float64), np.asarray(n, dtype=np.float64))
    z = normal_quantile(conf_level)
    size = np.where(trials > 0, trials, np.nan)
    p = k / size
    scale = 1 + z**2 / size
    centre = (p + z**2 / (2 * size)) / scale
    half = z * np.sqrt(p * (1 - p) / size + z**2 / (4 * size**2)) / scale
    low = np.where(k == 0, np.where(trials > 0, 0.0, np.nan), centre - half)
    high = np.where(k == trials, np.where(trials > 0, 1.0, np.nan), centre + half)
    return low, high


def compute_proportion(count: int, n: int, conf_level: float = 0.95) -> tuple[float, float, float]:
    """Compute one proportion with its Wilson interval; NaN when there is nobody."""
    low, high = compute_wilson(count, n, conf_level)
    return (count / n if n else math.nan), float(low), float(high)


def compute_difference_interval(
    first: tuple[float, float, float], second: tuple[float, float, float], weights: Interval = (1.0, -1.0)
) -> Interval:
    """Combine the intervals of two independent estimates into that of their weighted sum.

    Parameters
    ----------
    first, second : tuple of float
        Estimate, lower and upper limit of each.
    weights : tuple of float
        ``(1, -1)`` gives the difference, ``(0.5, 0.5)`` the mean.

    Returns
    -------
    tuple of float
        Lower and upper limit.

    Notes
    -----
    Square-and-add (MOVER); Newcombe, Stat Med 1998;17:873-890, method 10.
    """
    estimate, below, above = 0.0, 0.0, 0.0
    for weight, (value, low, high) in zip(weights, (first, second), strict=True):
        toward_low, toward_high = (value - low, high - value) if weight > 0 else (high - value, value - low)
        estimate += weight * value
        below += (weight * toward_low) ** 2
        above += (weight * toward_high) ** 2
    return estimate - math.sqrt(below), estimate + math.sqrt(above)
