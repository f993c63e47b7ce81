"""Results as plain JSON values: numbers, strings, lists and None."""

import math
from typing import Any

import numpy as np
import pandas as pd

from core.evaluation.discrimination.confusion import ConfusionResult
from core.evaluation.discrimination.roc import RocResult


def render_plain(value: Any) -> Any:
    """Turn a number, string, None, tuple, list, dict or DataFrame (to a list of dicts) into plain JSON without NaN."""
    if isinstance(value, pd.DataFrame):
        return [render_plain(row) for row in value.to_dict("records")]
    if isinstance(value, dict):
        return {str(key): render_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [render_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def render_roc(roc: RocResult | None) -> dict[str, object] | None:
    """Write a ROC result, without its curve."""
    if roc is None:
        return None
    fields = ("auc", "auc_se", "auc_ci", "method", "n", "n_pos", "reason")
    return {name: getattr(roc, name) for name in fields}


def render_confusion(confusion: ConfusionResult) -> dict[str, object]:
    """Write a confusion matrix and its metrics."""
    counts = {name: getattr(confusion, name) for name in ("tp", "fp", "fn", "tn")}
    metrics = {
        str(name): {"value": row["value"], "ci": pair_limits(row["ci_low"], row["ci_high"]), "reason": row["reason"]}
        for name, row in confusion.metrics.to_dict("index").items()
    }
    return {**counts, **metrics}


def pair_limits(low: float, high: float) -> tuple[float, float] | None:
    """Give the limits of an interval; None where one is not known."""
    return (low, high) if math.isfinite(low) and math.isfinite(high) else None
