"""Recalibration of a model to a local cohort, before and after, with the patients that it needs."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from core.errors import InputError
from core.evaluation.calibration.logistic import compute_log_odds, fit_logistic
from core.evaluation.calibration.measures import CalibrationResult, Role, compute_calibration
from core.evaluation.checks import Floats, prepare_column, prepare_outcome
from core.evaluation.proportion import normal_quantile

Update = Literal["intercept", "intercept + slope"]
FOLDS = 10
HALF_WIDTH = 0.2


@dataclass(frozen=True, eq=False)
class RecalibrationResult:
    """An updated model: ``logit(new) = intercept + slope logit(old)``.

    Attributes
    ----------
    update : {"intercept", "intercept + slope"}
        What was estimated.
    intercept, slope : float or None
        The update; the slope is 1 when only the intercept is estimated.
    before, after : CalibrationResult
        Calibration of the old probabilities, and of the updated ones, each tenth of the patients
        updated from the rest.
    n_needed : int or None
        Patients for an interval of the updated term no wider than the estimate -+ `half_width`.
    half_width : float
        Half width asked for, in log-odds (intercept) or as a slope.
    reason : str or None
        Why there is no update.
    """

    update: Update
    intercept: float | None
    slope: float | None
    before: CalibrationResult
    after: CalibrationResult | None
    n_needed: int | None
    half_width: float
    reason: str | None = None

    def recalibrate(self, prob: ArrayLike) -> Floats:
        """Apply the update to other probabilities."""
        if self.intercept is None or self.slope is None:
            raise InputError(f"There is no update to apply: {self.reason}")
        return _apply(prepare_column(prob, "probability"), self.intercept, self.slope)


def compute_recalibration(
    y: ArrayLike,
    prob: ArrayLike,
    *,
    update: Update = "intercept",
    role: Role = "external",
    ici_interval: bool = False,
) -> RecalibrationResult:
    """Update a model's intercept, or intercept and slope, to a local cohort.

    Parameters
    ----------
    y : array-like, shape (n,)
        Outcome, 1 for the positive class.
    prob : array-like, shape (n,)
        Probability by the old model.
    update : {"intercept", "intercept + slope"}
        What to estimate.
    role : {"external", "development"}
        Whether the old model was fitted on other patients or on these.
    ici_interval : bool
        Whether to resample for the intervals of the ICI, which takes most of the time.

    Returns
    -------
    RecalibrationResult
        Update None, with the reason, when it can't be estimated.

    Raises
    ------
    InputError
        If an input does not fit.

    Notes
    -----
    Steyerberg et al., Stat Med 2004;23:2567-2586. Patients needed: ``n = (z / half_width)^2 v``, v the variance of the
    updated term times the number of patients; Riley et al., Stat Med 2021;40:4230-4251.
    """
    if update not in {"intercept", "intercept + slope"}:
        raise InputError(f"The update '{update}' is not known; take 'intercept' or 'intercept + slope'.")
    outcome, (p,), _ = prepare_outcome(y, prob, probability=True)
    before = compute_calibration(outcome, p, role=role, ici_interval=ici_interval)
    both = update != "intercept"
    reason = before.reasons.get("slope" if both else "intercept")
    fitted = None if reason or not len(outcome) else _estimate(outcome, p, both)
    if fitted is None:
        reason = reason or "There are too few patients to estimate the update."
        return RecalibrationResult(update, None, None, before, None, None, HALF_WIDTH, reason)
    intercept, slope, variance = fitted
    needed = math.ceil((normal_quantile(0.95) / HALF_WIDTH) ** 2 * variance * len(outcome))
    updated = _update_by_folds(outcome, p, both)
    after = None if updated is None else compute_calibration(outcome, updated, ici_interval=ici_interval)
    reason = "Too few patients to update nine tenths and look at the rest." if after is None else None
    return RecalibrationResult(update, intercept, slope, before, after, needed, HALF_WIDTH, reason)


def _apply(prob: Floats, intercept: float, slope: float) -> Floats:
    with np.errstate(divide="ignore"):  # 0 and 1 stay as they are
        return np.asarray(expit(intercept + slope * logit(prob)))


def _estimate(y: Floats, prob: Floats, both: bool) -> tuple[float, float, float] | None:
    linear, constant = compute_log_odds(prob), np.ones((len(y), 1))
    fit = fit_logistic(np.column_stack([constant, linear]), y) if both else fit_logistic(constant, y, offset=linear)
    if fit is None:
        return None
    return float(fit.coef[0]), float(fit.coef[1]) if both else 1.0, float(fit.cov[-1, -1])


def _update_by_folds(y: Floats, prob: Floats, both: bool) -> Floats | None:
    fold = np.random.default_rng(0).permutation(np.arange(len(y)) % FOLDS)
    updated = np.full(len(y), np.nan)
    for index in range(min(FOLDS, len(y))):
        fitted = _estimate(y[fold != index], prob[fold != index], both)
        if fitted is None:
            return None
        updated[fold == index] = _apply(prob[fold == index], fitted[0], fitted[1])
    return updated
