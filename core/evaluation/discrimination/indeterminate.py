"""The indeterminate range of a test: how many fall in, and how often the call is right inside and outside."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.evaluation.checks import prepare_outcome
from core.evaluation.proportion import compute_proportion

PLACES = ("inside", "outside", "all")


def compute_indeterminate(y: ArrayLike, prob: ArrayLike, *, threshold: float, low: float, high: float) -> pd.DataFrame:
    """Evaluate the indeterminate range as a test result of its own (STARD 2015, item 19).

    Parameters
    ----------
    y : array-like, shape (n,)
        Outcome, 1 for the positive class.
    prob : array-like of float, shape (n,)
        Probabilities; incomplete rows are left out.
    threshold : float
        Positive is a probability at or above it.
    low, high : float
        Ends of the zone, which belong to it.

    Returns
    -------
    DataFrame
        Indexed by place ("inside", "outside", "all"): n, share, events, correct, accuracy, ci_low, ci_high (Wilson).
        The accuracy is NaN where there is nobody.

    Raises
    ------
    InputError
        If lengths differ or the outcome is not 0/1.
    """
    outcome, (score,), _ = prepare_outcome(y, prob)
    right = (score >= threshold) == (outcome == 1)
    inside = (score >= low) & (score <= high)
    rows = [_count(outcome, right, chosen) for chosen in (inside, ~inside, np.ones_like(inside))]
    return pd.DataFrame(rows, index=pd.Index(PLACES, name="place"))


def _count(outcome: np.ndarray, right: np.ndarray, chosen: np.ndarray) -> dict[str, float]:
    n, correct = int(chosen.sum()), int(right[chosen].sum())
    accuracy, low, high = compute_proportion(correct, n) if n else (np.nan, np.nan, np.nan)
    return {
        "n": n,
        "share": n / len(chosen) if len(chosen) else np.nan,
        "events": int(outcome[chosen].sum()),
        "correct": correct,
        "accuracy": accuracy,
        "ci_low": low,
        "ci_high": high,
    }
