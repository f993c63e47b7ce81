"""How estimates agree with what pathology found, window by window: observed over expected, and the AUC."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2

from core.evaluation import compute_roc
from core.evaluation.checks import Interval
from core.monitoring.windows import Windows

FEWEST = 10
CERTAIN = 1e-6
TOO_FEW = f"fewer than {FEWEST} patients with a known outcome"


def compute_oe_limits(observed: int, expected: float, conf_level: float = 0.95) -> Interval:
    """Compute exact Poisson limits of observed over expected.

    Garwood, Biometrika 1936;28:437-442, as R's ``poisson.test(observed, expected)``: chi-squared quantiles with 2 O and
    2 (O + 1) degrees of freedom, halved, over E. Since a high Ki-67 is common and counts at most once a patient, the
    observed number varies less than a Poisson number and the limits err on the wide side.
    """
    tail = (1 - conf_level) / 2
    low = chi2.ppf(tail, 2 * observed) / 2 if observed else 0.0
    return float(low / expected), float(chi2.ppf(1 - tail, 2 * (observed + 1)) / 2 / expected)


def compare_outcomes(p: NDArray[np.float64], y: NDArray[np.float64], windows: Windows) -> pd.DataFrame:
    """Compare probabilities with outcomes (0 or 1; NaN where not known, or known before the estimate) in each window.

    ``window, with_outcome, observed, expected, oe, oe_low, oe_high, auc, auc_low, auc_high, reason``: NaN and a reason
    where something can't be estimated; of fewer than 10 patients nothing is told.
    """
    rows = [_compare(p[at], y[at]) for at in _list_places(windows.codes, ~np.isnan(y), len(windows.table))]
    return windows.table[["window"]].join(pd.DataFrame(rows))


def _list_places(codes: NDArray[np.int64], is_known: NDArray[np.bool_], count: int) -> list[NDArray[np.int64]]:
    """List the known patients of each window."""
    places = np.flatnonzero(is_known)
    places = places[np.argsort(codes[places], kind="stable")]
    return np.split(places, np.searchsorted(codes[places], np.arange(1, count)))


def _compare(p: NDArray[np.float64], y: NDArray[np.float64]) -> dict[str, object]:
    names = ("observed", "expected", "oe", "oe_low", "oe_high", "auc", "auc_low", "auc_high")
    found: dict[str, object] = {"with_outcome": len(y), **dict.fromkeys(names, np.nan), "reason": TOO_FEW}
    if len(y) < FEWEST:
        return found
    observed, expected = int(y.sum()), max(float(p.sum()), CERTAIN)
    low, high = compute_oe_limits(observed, expected)
    roc = compute_roc(y, p)
    auc_low, auc_high = roc.auc_ci or (np.nan, np.nan)
    found |= {"observed": observed, "expected": expected, "oe": observed / expected, "oe_low": low, "oe_high": high}
    auc = np.nan if roc.auc is None else roc.auc
    return found | {"auc": auc, "auc_low": auc_low, "auc_high": auc_high, "reason": roc.reason or ""}
