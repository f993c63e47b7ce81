"""How far a model has to be updated for other patients: the closed testing procedure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from core.errors import InputError
from core.evaluation.calibration.logistic import LogisticFit, compute_log_likelihood, fit_logistic
from core.evaluation.checks import Floats, prepare_outcome
from core.evaluation.discrimination.roc import describe_missing_class

Method = Literal["keep", "in the large", "recalibration", "refit"]
METHODS: tuple[Method, ...] = ("keep", "in the large", "recalibration", "refit")
LEVEL = 0.05
NO_FIT = "The coefficients have no finite fit on these patients: a term is one for all, or tells them apart."


@dataclass(frozen=True, eq=False)
class ModelUpdate:
    """A logistic model after an update."""

    coefs: Floats  # (1 + k,), intercept and coefficients
    # intercept, slope: ``logit(new) = intercept + slope logit(old)``; None after a refit
    intercept: float | None
    slope: float | None
    log_likelihood: float  # on the patients of the update


@dataclass(frozen=True, eq=False)
class ClosedTestResult:
    """What the procedure chose.

    Attributes
    ----------
    method : {"keep", "in the large", "recalibration", "refit"} or None
        The least extensive update that fits these patients no worse than the refit; None where there is no fit.
    update : ModelUpdate or None
        The model after it.
    table : DataFrame
        ``log_likelihood`` of each update and ``chisq, df, p`` of the refit against it, indexed by method.
    n, events : int
        Complete patients and positives.
    reason : str or None
        Why nothing was chosen.
    """

    method: Method | None
    update: ModelUpdate | None
    table: pd.DataFrame
    n: int
    events: int
    reason: str | None = None


def compute_closed_test(y: ArrayLike, X: ArrayLike, coefs: ArrayLike) -> ClosedTestResult:
    """Choose how far a logistic model is updated.

    Parameters
    ----------
    y : array-like, shape (n,)
        Outcome, 1 for the positive class.
    X : array-like, shape (n, k)
        Terms of the model, without a constant.
    coefs : array-like, shape (1 + k,)
        Intercept and coefficients of the model as it is.

    Returns
    -------
    ClosedTestResult
        The update and its tests.

    Raises
    ------
    InputError
        If lengths differ or the outcome is not 0/1.

    Notes
    -----
    Likelihood-ratio tests of the refit of all 1 + k coefficients, in this order: against the model as it is (1 + k
    degrees of freedom), against a new intercept (k), against a new intercept and slope (k - 1). The first that is not
    significant ends the procedure with the lesser model; if all three are, the refit stays. Vergouwe et al., Stat Med
    2017;36:4529-4539.
    """
    design, old = np.asarray(X, dtype=np.float64), np.asarray(coefs, dtype=np.float64)
    if design.ndim != 2 or old.shape != (1 + design.shape[1],):
        raise InputError("A model has one coefficient more than terms; give both of the same model.")
    outcome, columns, _ = prepare_outcome(y, *design.T)
    design = np.column_stack(columns)
    n, events = len(outcome), int(outcome.sum())
    reason = describe_missing_class(n, events)
    found = {} if reason else {method: fit_update(outcome, design, old, method) for method in METHODS}
    updates = {method: update for method, update in found.items() if update is not None}
    if len(updates) < len(METHODS):
        return ClosedTestResult(None, None, pd.DataFrame(), n, events, reason or NO_FIT)
    table = _test(updates)
    method = next((name for name, p in zip(METHODS[:-1], table["p"], strict=False) if not p < LEVEL), METHODS[-1])
    return ClosedTestResult(method, updates[method], table, n, events)


def fit_update(y: Floats, X: Floats, coefs: Floats, method: Method) -> ModelUpdate | None:
    """Fit one update by maximum likelihood on terms (n, k) and outcome (0 or 1); None where it has no finite fit.

    `coefs`, (1 + k,), is the model as it is; the method estimates nothing, the intercept, intercept and slope, or every
    coefficient.
    """
    ones, linear = np.ones((len(y), 1)), coefs[0] + X @ coefs[1:]
    fit: LogisticFit | None
    if method == "keep":
        return ModelUpdate(coefs, 0.0, 1.0, compute_log_likelihood(linear, y))
    if method == "refit":
        fit = fit_logistic(np.column_stack([ones, X]), y)
        return None if fit is None else ModelUpdate(fit.coef, None, None, fit.loglik)
    is_large = method == "in the large"
    fit = fit_logistic(ones, y, offset=linear) if is_large else fit_logistic(np.column_stack([ones, linear]), y)
    if fit is None:
        return None
    intercept, slope = float(fit.coef[0]), 1.0 if is_large else float(fit.coef[1])
    new = slope * coefs + np.concatenate([[intercept], np.zeros(len(coefs) - 1)])
    return ModelUpdate(new, intercept, slope, fit.loglik)


def _test(updates: Mapping[Method, ModelUpdate]) -> pd.DataFrame:
    """Test the refit against each lesser update."""
    refit = updates["refit"]
    rows = {}
    for place, (name, update) in enumerate(updates.items()):
        chisq, df = max(0.0, 2 * (refit.log_likelihood - update.log_likelihood)), len(refit.coefs) - place
        test = (chisq, df, float(chdtrc(df, chisq))) if name != "refit" and df > 0 else (np.nan, np.nan, np.nan)
        rows[name] = (update.log_likelihood, *test)
    columns = ["log_likelihood", "chisq", "df", "p"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("method")
