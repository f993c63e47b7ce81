"""Groups of predicted risk: deciles with Wilson intervals, and the Hosmer-Lemeshow test."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import chdtrc

from core.evaluation.checks import Floats
from core.evaluation.proportion import compute_wilson

GROUPS = 10


@dataclass(frozen=True)
class HosmerLemeshow:
    """A test that is secondary, never reported alone.

    Attributes
    ----------
    statistic : float or None
        Chi-squared.
    df : int or None
        Groups - 2 on development data, groups on external data.
    p : float or None
        P value.
    groups : int
        Groups that were formed; ties may leave fewer than 10.
    reason : str or None
        Why there is no test.
    """

    statistic: float | None
    df: int | None
    p: float | None
    groups: int
    reason: str | None = None


def group_by_risk(y: Floats, prob: Floats, conf_level: float) -> pd.DataFrame:
    """Group patients by quantiles of the predicted probability."""
    columns = ["n", "events", "mean_prob", "observed", "ci_low", "ci_high", "expected"]
    if not len(y):
        return pd.DataFrame(columns=columns, dtype=np.float64)
    index = assign_quantiles(prob, GROUPS)
    size = np.bincount(index)
    filled = size > 0
    n, events = size[filled], np.bincount(index, y)[filled]
    expected = np.bincount(index, prob)[filled]
    low, high = compute_wilson(events, n, conf_level)
    values = [n, events.astype(int), expected / n, events / n, low, high, expected]
    return pd.DataFrame(dict(zip(columns, values, strict=True)))


def assign_quantiles(prob: Floats, groups: int) -> NDArray[np.intp]:
    """Give each patient the number of a group of predictions, (a, b] between type-7 quantiles; ties leave fewer."""
    edges = np.unique(np.quantile(prob, np.linspace(0, 1, groups + 1)))
    return np.searchsorted(edges[1:-1], prob, side="left")


def compute_hosmer_lemeshow(bins: pd.DataFrame, role: str) -> HosmerLemeshow:
    """Compute the Hosmer-Lemeshow test from groups of risk."""
    groups = len(bins)
    if groups < 3:
        return HosmerLemeshow(None, None, None, groups, "Fewer than three groups of different risk.")
    variance = bins["expected"] * (1 - bins["mean_prob"])
    if (variance <= 0).any():
        return HosmerLemeshow(None, None, None, groups, "A group's predicted probability is exactly 0 or 1.")
    statistic = float(((bins["events"] - bins["expected"]) ** 2 / variance).sum())
    df = groups if role == "external" else groups - 2
    return HosmerLemeshow(statistic, df, float(chdtrc(df, statistic)), groups)
