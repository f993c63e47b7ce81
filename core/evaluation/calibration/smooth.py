"""The curve of an outcome on its predicted probability, with a pointwise band: loess, or a spline."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from skmisc.loess import loess

from core.evaluation.calibration.spline import fit_spline
from core.evaluation.checks import Floats
from core.evaluation.proportion import normal_quantile

Smoother = Literal["loess", "spline"]
SPAN, DEGREE = 0.75, 2
MIN_DISTINCT = 10
MAX_EQUAL = 2 / 3
MAX_OUTSIDE = 0.1
EXACT_ROWS = 2000
GRID = np.round(np.arange(1, 100) / 100, 2)


@dataclass(frozen=True, eq=False)
class SmoothedOutcome:
    """The outcome, smoothed over the predicted probability."""

    fitted: Floats  # (n,), observed proportion at each patient's prediction
    curve: pd.DataFrame  # ``prob, observed, ci_low, ci_high`` at each per cent within the range of the predictions
    smoother: Smoother  # "loess", "spline", how it was made


def smooth_outcome(y: Floats, prob: Floats, conf_level: float) -> SmoothedOutcome | None:
    """Smooth the outcome over the predicted probability.

    Loess: locally quadratic, tricube weights, span 0.75, interpolated on a k-d tree: R's ``loess(y ~ p)``. Band:
    ``fit -+ z se`` with R's standard error up to 2,000 rows; above, with that of the direct local fit. Spline: as
    `fit_spline`, its band on the log-odds scale.
    """
    counts = np.unique(prob, return_counts=True)[1]
    if len(counts) < MIN_DISTINCT:
        return None
    grid = GRID[(prob.min() <= GRID) & (prob.max() >= GRID)]
    z = normal_quantile(conf_level)
    smoothed = _smooth_loess(y, prob, grid, z) if counts.max() < MAX_EQUAL * len(prob) else None
    return smoothed or _smooth_spline(y, prob, grid, z)


def smooth_at_patients(y: Floats, prob: Floats) -> Floats | None:
    """Smooth the outcome as `smooth_outcome` does, at the patients' own predictions alone: many times as fast."""
    counts = np.unique(prob, return_counts=True)[1]
    if len(counts) < MIN_DISTINCT:
        return None
    if counts.max() < MAX_EQUAL * len(prob):
        model = loess(prob, y, span=SPAN, degree=DEGREE, trace_hat="approximate")
        try:
            model.fit()
            fitted = np.asarray(model.outputs.fitted_values, dtype=np.float64)
        except ValueError:
            fitted = np.full(len(prob), np.nan)
        if _is_within_reach(fitted):
            return fitted
    spline = fit_spline(y, prob)
    return None if spline is None else spline.predict(prob)


def _is_within_reach(smoothed: Floats) -> bool:
    """Whether a smoothed proportion is one: finite, and hardly outside 0 to 1."""
    return bool(np.isfinite(smoothed).all() and smoothed.min() >= -MAX_OUTSIDE and smoothed.max() <= 1 + MAX_OUTSIDE)


def _smooth_loess(y: Floats, prob: Floats, grid: Floats, z: float) -> SmoothedOutcome | None:
    exact = len(y) <= EXACT_ROWS
    model = loess(prob, y, span=SPAN, degree=DEGREE, trace_hat="exact" if exact else "approximate")
    try:
        model.fit()
        fitted = np.asarray(model.outputs.fitted_values, dtype=np.float64)
        prediction = model.predict(grid, stderror=exact) if len(grid) else None
    except ValueError:
        return None
    observed = np.asarray(prediction.values) if prediction is not None else np.empty(0)
    if not _is_within_reach(np.concatenate([fitted, observed])):
        return None
    if exact:
        error = np.asarray(prediction.stderr) if prediction is not None else np.empty(0)
    else:
        error = float(model.outputs.residual_scale) * _compute_leverage(prob, grid)
    band = {"ci_low": observed - z * error, "ci_high": observed + z * error}
    curve = pd.DataFrame({"prob": grid, "observed": np.clip(observed, 0, 1), **band})
    return SmoothedOutcome(fitted, curve, "loess")


def _smooth_spline(y: Floats, prob: Floats, grid: Floats, z: float) -> SmoothedOutcome | None:
    spline = fit_spline(y, prob)
    if spline is None:
        return None
    columns = {name: spline.predict(grid, step) for name, step in (("observed", 0.0), ("ci_low", -z), ("ci_high", z))}
    return SmoothedOutcome(spline.predict(prob), pd.DataFrame({"prob": grid, **columns}), "spline")


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
