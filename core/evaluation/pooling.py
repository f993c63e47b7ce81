"""A figure of several centres pooled with random effects, and where that of a new centre is expected."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from core.evaluation.checks import Floats, Interval

MAX_STEPS = 200
TOLERANCE = 1e-10


@dataclass(frozen=True)
class PooledResult:
    """Mean over centres.

    Attributes
    ----------
    centres : int
        Centres with an estimate and a standard error.
    estimate, se : float or None
        Mean over centres, and its standard error (Hartung and Knapp).
    ci : tuple of float or None
        95 % interval of the mean, t with k - 1 degrees of freedom.
    prediction : tuple of float or None
        95 % interval of a new centre's figure, t with k - 2 degrees of freedom; from three centres on.
    tau2 : float or None
        Variance between centres (restricted maximum likelihood).
    reason : str or None
        Why there is none.
    """

    centres: int
    estimate: float | None
    se: float | None = None
    ci: Interval | None = None
    prediction: Interval | None = None
    tau2: float | None = None
    reason: str | None = None


def pool_random_effects(estimate: ArrayLike, se: ArrayLike) -> PooledResult:
    """Pool estimates of several centres, as R's ``metafor::rma(method = "REML", test = "knha")``.

    Parameters
    ----------
    estimate, se : array-like, shape (k,)
        Figure of each centre on a scale on which it is about normal, and its standard error; NaN where there is none.

    Returns
    -------
    PooledResult
        Riley et al., BMJ 2011;342:d549; IntHout et al., BMJ Open 2016;6:e010247.
    """
    values, errors = np.asarray(estimate, dtype=np.float64), np.asarray(se, dtype=np.float64)
    kept = np.isfinite(values) & np.isfinite(errors) & (errors > 0)
    values, variances = values[kept], errors[kept] ** 2
    k = len(values)
    if k < 2:
        return PooledResult(k, None, reason="Fewer than two centres have a figure with a standard error.")
    tau2 = _estimate_tau2(values, variances)
    weight = 1 / (variances + tau2)
    mean = float(weight @ values / weight.sum())
    se_mean = math.sqrt(float(weight @ (values - mean) ** 2) / ((k - 1) * float(weight.sum())))
    half = float(stdtrit(k - 1, 0.975)) * se_mean
    prediction = None
    if k > 2:
        reach = float(stdtrit(k - 2, 0.975)) * math.sqrt(tau2 + se_mean**2)
        prediction = (mean - reach, mean + reach)
    return PooledResult(k, mean, se_mean, (mean - half, mean + half), prediction, tau2)


def _estimate_tau2(values: Floats, variances: Floats) -> float:
    """Find the variance between centres by Fisher scoring of the restricted likelihood."""
    tau2 = max(0.0, float(values.var(ddof=1) - variances.mean()))
    for _ in range(MAX_STEPS):
        weight = 1 / (variances + tau2)
        mean = weight @ values / weight.sum()
        trace = weight.sum() - (weight**2).sum() / weight.sum()
        score = (weight**2) @ (values - mean) ** 2 - trace
        squares = (weight**2).sum() - 2 * (weight**3).sum() / weight.sum() + ((weight**2).sum() / weight.sum()) ** 2
        step = float(score / squares)
        after = max(0.0, tau2 + step)
        if abs(after - tau2) < TOLERANCE:
            return after
        tau2 = after
    return tau2
