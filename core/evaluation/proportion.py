"""Intervals of proportions and of what is made of two of them."""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from core.evaluation.checks import Floats, Interval


def normal_quantile(conf_level: float) -> float:
    """Two-sided quantile of the standard normal distribution."""
    return float(ndtri(0.5 + conf_level / 2))


Z = normal_quantile(0.95)


def compute_wilson(count: ArrayLike, n: ArrayLike, conf_level: float = 0.95) -> tuple[Floats, Floats]:
    """Compute Wilson score intervals without continuity correction by statsmodels; NaN where n is 0.

    Wilson, JASA 1927;22:209-212. The limit at a share of 0 or 1 is exactly that.
    """
    from statsmodels.stats.proportion import proportion_confint  # noqa: PLC0415 - brings scipy.stats

    k, trials = np.broadcast_arrays(np.asarray(count, dtype=np.float64), np.asarray(n, dtype=np.float64))
    size = np.where(trials > 0, trials, np.nan)
    low, high = proportion_confint(k, size, alpha=1 - conf_level, method="wilson")
    return np.where((k == 0) & (trials > 0), 0.0, low), np.where((k == trials) & (trials > 0), 1.0, high)


def compute_proportion(count: int, n: int, conf_level: float = 0.95) -> tuple[float, float, float]:
    """Compute one proportion with its Wilson interval; NaN when there is nobody."""
    low, high = compute_wilson(count, n, conf_level)
    return (count / n if n else math.nan), float(low), float(high)


def compute_difference_interval(
    first: tuple[float, float, float], second: tuple[float, float, float], weights: Interval = (1.0, -1.0)
) -> Interval:
    """Combine the intervals of two independent estimates into that of their weighted sum.

    Square-and-add (MOVER); Newcombe, Stat Med 1998;17:873-890, method 10.
    """
    estimate, below, above = 0.0, 0.0, 0.0
    for weight, (value, low, high) in zip(weights, (first, second), strict=True):
        toward_low, toward_high = (value - low, high - value) if weight > 0 else (high - value, value - low)
        estimate += weight * value
        below += (weight * toward_low) ** 2
        above += (weight * toward_high) ** 2
    return estimate - math.sqrt(below), estimate + math.sqrt(above)
