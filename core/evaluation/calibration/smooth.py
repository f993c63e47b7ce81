"""The loess curve of an outcome on its predicted probability, with a pointwise band."""

import math

import numpy as np
import pandas as pd
from skmisc.loess import loess

from core.evaluation.checks import Floats
from core.evaluation.proportion import normal_quantile

SPAN, DEGREE = 0.75, 2
MIN_DISTINCT = 10
EXACT_ROWS = 2000
GRID = np.round(np.arange(1, 100) / 100, 2)


def smooth_outcome(y: Floats, prob: Floats, conf_level: float = 0.95) -> tuple[Floats, pd.DataFrame] | None:
    """Smooth the outcome over the predicted probability.

    Parameters
    ----------
    y : ndarray, shape (n,)
        Outcome, 0/1.
    prob : ndarray, shape (n,)
        Predicted probability.
    conf_level : float
        Level of the band.

    Returns
    -------
    fitted : ndarray, shape (n,)
        Observed proportion at each patient's prediction.
    curve : DataFrame
        ``prob, observed, ci_low, ci_high`` at each per cent within the range of the predictions.
    None
        When there are too few different predictions, or the fit fails.

    Notes
    -----
    Locally quadratic, tricube weights, span 0.75, interpolated on a k-d tree: R's ``loess(y ~ p)``. Band:
    ``fit -+ z se`` with R's standard error up to 2,000 rows; above, with that of the direct local fit.
    """
    if len(np.unique(prob)) < MIN_DISTINCT:
        return None
    exact = len(y) <= EXACT_ROWS
    model = loess(prob, y, span=SPAN, degree=DEGREE, trace_hat="exact" if exact else "approximate")
    try:
        model.fit()
        fitted = np.asarray(model.outputs.fitted_values, dtype=np.float64)
        grid = GRID[(prob.min() <= GRID) & (prob.max() >= GRID)]
        prediction = model.predict(grid, stderror=exact) if len(grid) else None
    except ValueError:
        return None
    observed = np.asarray(prediction.values) if prediction is not None else np.empty(0)
    if not np.isfinite(fitted).all() or not np.isfinite(observed).all():
        return None
    if exact:
        error = np.asarray(prediction.stderr) if prediction is not None else np.empty(0)
    else:
        error = float(model.outputs.residual_scale) * _compute_leverage(prob, grid)
    half = normal_quantile(conf_level) * error
    band = {"ci_low": observed - half, "ci_high": observed + half}
    return fitted, pd.DataFrame({"prob": grid, "observed": observed, **band})


def _compute_leverage(prob: Floats, grid: Floats) -> Floats:
    """Compute the norm of the local quadratic smoother's weights at each grid point, on predictions to four digits."""
    values, counts = np.unique(prob.round(4), return_counts=True)
    norms = np.empty(len(grid))
    for index, point in enumerate(grid):
        centred = values - point
        distance = np.abs(centred)
        order = np.argsort(distance)
        width = distance[order][np.searchsorted(counts[order].cumsum(), SPAN * len(prob))]
        weight = np.clip(1 - (distance / width) ** 3, 0, None) ** 3
        design = centred[:, None] ** np.arange(DEGREE + 1)
        gram = (design * (weight * counts)[:, None]).T @ design
        row = np.linalg.pinv(gram)[0] @ (design * weight[:, None]).T
        norms[index] = math.sqrt(float((counts * row**2).sum()))
    return norms
