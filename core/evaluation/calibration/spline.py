"""A restricted-cubic-spline logistic curve of an outcome on its predicted probability."""

import numpy as np
from scipy.special import expit

from core.evaluation.calibration.logistic import LogisticFit, compute_log_odds, fit_logistic
from core.evaluation.checks import Floats

KNOTS = {5: (0.05, 0.275, 0.5, 0.725, 0.95), 4: (0.05, 0.35, 0.65, 0.95), 3: (0.1, 0.5, 0.9)}


class SplineCurve:
    """The fitted curve.

    Parameters
    ----------
    knots : ndarray, shape (k,)
        Places of the knots, in log-odds of the prediction.
    fit : LogisticFit
        The logistic model on the constant and the basis.
    """

    def __init__(self, knots: Floats, fit: LogisticFit) -> None:
        self._knots, self._fit = knots, fit

    def predict(self, prob: Floats, z: float = 0.0) -> Floats:
        """Give the observed proportion at predicted probabilities, or its limit `z` standard errors away."""
        design = _expand(compute_log_odds(prob), self._knots)
        error = np.sqrt(np.einsum("ij,jk,ik->i", design, self._fit.cov, design))
        return np.asarray(expit(design @ self._fit.coef + z * error))


def fit_spline(y: Floats, prob: Floats) -> SplineCurve | None:
    """Fit the outcome on a restricted cubic spline of the prediction's log-odds.

    rms: ``lrm(y ~ rcs(qlogis(p), 5))``, knots at the quantiles of Harrell, Regression Modeling Strategies, 2015, table
    2.3; where predictions clump and quantiles coincide, at those of the different predictions.
    """
    x = compute_log_odds(prob)
    for quantiles in KNOTS.values():
        knots = np.unique(np.quantile(x, quantiles))
        if len(knots) < len(quantiles):
            knots = np.unique(np.quantile(np.unique(x), quantiles))
        fit = fit_logistic(_expand(x, knots), y) if len(knots) >= 3 else None
        if fit is not None:
            return SplineCurve(knots, fit)
    return None


def _expand(x: Floats, knots: Floats) -> Floats:
    """Constant, x and Harrell's truncated cubic terms, scaled by the squared range of the knots."""
    last, before = knots[-1], knots[-2]

    def cube(values: Floats) -> Floats:
        return np.clip(values, 0, None) ** 3

    terms = [
        cube(x - knot)
        - cube(x - before) * (last - knot) / (last - before)
        + cube(x - last) * (before - knot) / (last - before)
        for knot in knots[:-2]
    ]
    return np.column_stack([np.ones(len(x)), x, *(term / (last - knots[0]) ** 2 for term in terms)])
