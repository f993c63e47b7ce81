"""Subgroups: discrimination and calibration by centre, age, size, device, with Holm's correction within the family."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.errors import InputError
from core.evaluation.calibration.measures import compute_calibration_terms
from core.evaluation.checks import Floats, check_lengths, prepare_outcome
from core.evaluation.cohort.holm import adjust_holm
from core.evaluation.discrimination.roc import compute_roc
from core.evaluation.discrimination.roc_comparison import compare_roc_unpaired

COLUMNS = [
    "family",
    "level",
    "n",
    "events",
    "auc",
    "ci_low",
    "ci_high",
    "oe",
    "oe_low",
    "oe_high",
    "intercept",
    "slope",
    "slope_low",
    "slope_high",
    "p",
    "p_holm",
    "reason",
]
TOO_MANY_LEVELS = 20
SUBGROUP_EDGES = {"age": ([50.0, 65.0], "years"), "size_mm": ([20.0, 50.0], "mm")}


@dataclass(frozen=True, eq=False)
class SubgroupResult:
    """Performance by subgroup.

    Attributes
    ----------
    table : DataFrame
        ``family, level, n, events, auc, ci_low, ci_high, oe, oe_low, oe_high, intercept, slope, slope_low,
        slope_high, p, p_holm, reason``; the first row is the whole cohort (family "all"). `p` compares the level's AUC
        with that of the family's other patients (unpaired DeLong test), `p_holm` corrects within the family. NaN with
        a reason where there is no estimate.
    """

    table: pd.DataFrame
    conf_level: float = 0.95


def compute_subgroups(
    y: ArrayLike, prob: ArrayLike, families: Mapping[str, ArrayLike], *, conf_level: float = 0.95
) -> SubgroupResult:
    """Compute discrimination and calibration in each level of each family.

    Parameters
    ----------
    y : array-like, shape (n,)
        Outcome, 1 for the positive class.
    prob : array-like, shape (n,)
        Predicted probability.
    families : mapping of str to array-like, shape (n,)
        Name of the family to the patients' labels; a patient without a label is left out of that family.

    Returns
    -------
    SubgroupResult
        One row a level.

    Raises
    ------
    InputError
        If a family has more than 20 levels, or lengths differ.

    Notes
    -----
    Holm, Scand J Stat 1979;6:65-70.
    """
    outcome, (p,), keep = prepare_outcome(y, prob, probability=True)
    rows = [_describe_level("all", "all patients", outcome, p, np.ones(len(p), dtype=bool), conf_level)]
    for family, labels in families.items():
        series = pd.Series(labels).reset_index(drop=True).astype("category")
        check_lengths([keep, series.to_numpy()])
        inner = series[keep].reset_index(drop=True)
        levels = [level for level in series.cat.categories if (inner == level).any()]
        if len(levels) > TOO_MANY_LEVELS:
            raise InputError(f"'{family}' has {len(levels)} levels; group them into {TOO_MANY_LEVELS} or fewer.")
        part = [_describe_level(family, level, outcome, p, (inner == level).to_numpy(), conf_level) for level in levels]
        known = inner.notna().to_numpy()
        for row in part:
            chosen = (inner == row["level"]).to_numpy()
            row["p"] = _compare_rest(outcome, p, chosen, known & ~chosen)
            row["level"] = str(row["level"])
        corrected = adjust_holm({row["level"]: row["p"] for row in part})
        for row in part:
            row["p_holm"] = corrected[row["level"]]
        rows += part
    return SubgroupResult(pd.DataFrame(rows, columns=COLUMNS), conf_level)


def cut_levels(values: ArrayLike, edges: list[float], unit: str = "") -> pd.Series:
    """Cut a number into labelled levels ``[a, b)``.

    Parameters
    ----------
    values : array-like, shape (n,)
        Numbers; NaN stays without a level.
    edges : list of float
        Inner edges in increasing order, fixed beforehand.
    unit : str
        Written after the number.

    Returns
    -------
    Series of ordered category, shape (n,)
        For example "< 50", "50 to < 65", ">= 65 years".
    """
    after = f" {unit}".rstrip()
    middle = [f"{low:g} to < {high:g}{after}" for low, high in pairwise(edges)]
    labels = [f"< {edges[0]:g}{after}", *middle, f"\u2265 {edges[-1]:g}{after}"]
    bins = [-np.inf, *edges, np.inf]
    return pd.Series(pd.cut(np.asarray(values, dtype=np.float64), bins, right=False, labels=labels))


def _describe_level(
    family: str, level: object, y: Floats, p: Floats, chosen: np.ndarray, conf_level: float
) -> dict[str, Any]:
    roc = compute_roc(y[chosen], p[chosen], conf_level=conf_level)
    calibration, _ = compute_calibration_terms(y[chosen], p[chosen], conf_level)
    low, high = roc.auc_ci or (None, None)
    values = {"auc": roc.auc, "ci_low": low, "ci_high": high, "p": None, "p_holm": None}
    values |= {name: calibration.get(name) for name in ("oe", "intercept", "slope")}
    for name in ("oe", "slope"):
        values[f"{name}_low"], values[f"{name}_high"] = calibration.get(f"{name}_ci") or (None, None)
    numbers = {name: np.nan if value is None else value for name, value in values.items()}
    return {"family": family, "level": level, "n": roc.n, "events": roc.n_pos, **numbers, "reason": roc.reason}


def _compare_rest(y: Floats, p: Floats, chosen: np.ndarray, rest: np.ndarray) -> float:
    comparison = compare_roc_unpaired(y[chosen], p[chosen], y[rest], p[rest])
    return np.nan if comparison.p is None else comparison.p
