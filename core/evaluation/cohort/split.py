"""What a prediction table is made of: its splits, models and threshold, and the models compared."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from core.evaluation.calibration.logistic import compute_log_odds
from core.evaluation.cohort.holm import adjust_holm
from core.evaluation.cohort.lymph_nodes import LymphNodeResult, compute_lymph_nodes
from core.evaluation.discrimination.confusion import McNemarResult, compute_mcnemar
from core.evaluation.discrimination.roc_comparison import RocComparison, compare_roc
from core.evaluation.discrimination.threshold import ThresholdResult, choose_threshold

DEVELOPMENT = ("train", "validation")
FITTED_ON = "train"
MAIN, PREFIX = "model", "prob_"
PARTS = ("image", "clinical")
NODE_HEADS = ("prob_lnm", "prob_lnm_without_aln_us")
INDETERMINATE_SHARE = 0.2
FITTED_HERE = "No test: both were fitted on these patients."


@dataclass(frozen=True, eq=False)
class ModelComparison:
    """The main model beside another one on the same patients.

    Attributes
    ----------
    model : str
        The other model.
    roc : RocComparison
        Main model minus the other; paired DeLong.
    p_holm : float or None
        P value corrected over the models compared.
    mcnemar : McNemarResult or None
        Decisions, each model's at its own threshold.
    """

    model: str
    roc: RocComparison
    p_holm: float | None
    mcnemar: McNemarResult | None


def list_models(table: pd.DataFrame) -> list[str]:
    """List the other models of a prediction table: the part after ``prob_``."""
    names = [str(column) for column in table.columns]
    return [name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX) and name not in NODE_HEADS]


def choose_cohort_threshold(table: pd.DataFrame, column: str = "prob") -> ThresholdResult:
    """Choose Youden's threshold on the development splits of a prediction table.

    Parameters
    ----------
    table : DataFrame
        With ``split, y`` and the probabilities.
    column : str
        Column of the probabilities.

    Returns
    -------
    ThresholdResult
        Marked exploratory when there is no development split and the whole table has to serve.
    """
    development = table[table["split"].isin(DEVELOPMENT)]
    present = [name for name in DEVELOPMENT if name in set(table["split"])]
    if development.empty:
        return choose_threshold(table["y"], table[column], chosen_on="these data", exploratory=True)
    return choose_threshold(development["y"], development[column], chosen_on=" + ".join(present))


def choose_indeterminate(table: pd.DataFrame, threshold: float) -> tuple[float, float]:
    """Choose the indeterminate range on the development splits, or on the whole table where there are none."""
    development = table[table["split"].isin(DEVELOPMENT)]
    prob = (table if development.empty else development)["prob"].dropna().to_numpy(dtype=np.float64)
    cut = logit(threshold)
    reach = np.quantile(np.abs(compute_log_odds(prob) - cut), INDETERMINATE_SHARE)
    return float(expit(cut - reach)), float(expit(cut + reach))


def compare_models(
    table: pd.DataFrame,
    cut: float | None,
    cuts: Mapping[str, float | None] = MappingProxyType({}),
    *,
    is_development: bool = False,
) -> tuple[ModelComparison, ...]:
    """Compare the main model with each other one of a prediction table."""
    others = {name: table[PREFIX + name] for name in list_models(table)}
    tests = {name: compare_roc(table["y"], table["prob"], other) for name, other in others.items()}
    untested = {name for name in others if is_development and name in PARTS}
    tests |= {name: replace(tests[name], z=None, p=None, reason=FITTED_HERE) for name in untested}
    corrected = adjust_holm({name: test.p for name, test in tests.items()})
    mcnemar = {}
    for name, other in others.items():
        own = cuts.get(name)
        if cut is not None and own is not None and name not in untested:
            mcnemar[name] = compute_mcnemar(table["y"], _decide(table["prob"], cut), _decide(other, own))
    return tuple(ModelComparison(name, test, corrected[name], mcnemar.get(name)) for name, test in tests.items())


def _decide(prob: pd.Series, cut: float) -> pd.Series:
    return (prob >= cut).astype(float).where(prob.notna())


def compute_nodes(table: pd.DataFrame, cut: float) -> LymphNodeResult:
    """Compute node metastasis by predicted group, with every predictor of it that the table has."""
    given = {name: table[name] for name in (*NODE_HEADS, "aln_us") if name in table and table[name].notna().any()}
    return compute_lymph_nodes(
        table["lnm"],
        table["prob"],
        cut,
        head=given.get(NODE_HEADS[0]),
        head_without_aln=given.get(NODE_HEADS[1]),
        ultrasound=given.get("aln_us"),
    )
