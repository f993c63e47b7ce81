"""What a prediction table is made of: its splits, models and threshold, and the models compared."""

from dataclasses import dataclass

import pandas as pd

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
        Decisions at the same threshold.
    """

    model: str
    roc: RocComparison
    p_holm: float | None
    mcnemar: McNemarResult | None


def list_models(table: pd.DataFrame) -> list[str]:
    """List the other models of a prediction table: the part after ``prob_``."""
    names = [str(column) for column in table.columns]
    return [name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX) and name not in NODE_HEADS]


def choose_cohort_threshold(table: pd.DataFrame) -> ThresholdResult:
    """Choose Youden's threshold on the development splits of a prediction table.

    Parameters
    ----------
    table : DataFrame
        With ``split, y, prob``.

    Returns
    -------
    ThresholdResult
        Marked exploratory when there is no development split and the whole table has to serve.
    """
    development = table[table["split"].isin(DEVELOPMENT)]
    present = [name for name in DEVELOPMENT if name in set(table["split"])]
    if development.empty:
        return choose_threshold(table["y"], table["prob"], chosen_on="these data", exploratory=True)
    return choose_threshold(development["y"], development["prob"], chosen_on=" + ".join(present))


def compare_models(table: pd.DataFrame, cut: float | None) -> tuple[ModelComparison, ...]:
    """Compare the main model with each other one of a prediction table.

    Parameters
    ----------
    table : DataFrame
        With ``y, prob`` and ``prob_<model>``.
    cut : float or None
        Threshold of McNemar's test; None leaves it out.

    Returns
    -------
    tuple of ModelComparison
        Paired DeLong tests, p corrected by Holm.
    """
    others = {name: table[PREFIX + name] for name in list_models(table)}
    tests = {name: compare_roc(table["y"], table["prob"], other) for name, other in others.items()}
    corrected = adjust_holm({name: test.p for name, test in tests.items()})
    mcnemar = {}
    if cut is not None:
        main = _decide(table["prob"], cut)
        mcnemar = {name: compute_mcnemar(table["y"], main, _decide(other, cut)) for name, other in others.items()}
    return tuple(ModelComparison(name, test, corrected[name], mcnemar.get(name)) for name, test in tests.items())


def _decide(prob: pd.Series, cut: float) -> pd.Series:
    return (prob >= cut).astype(float).where(prob.notna())


def compute_nodes(table: pd.DataFrame, cut: float) -> LymphNodeResult:
    """Compute node metastasis by predicted group, with every predictor of it that the table has.

    Parameters
    ----------
    table : DataFrame
        With ``lnm, prob`` and, where known, ``prob_lnm, prob_lnm_without_aln_us, aln_us``.
    cut : float
        Group high is prob >= cut.

    Returns
    -------
    LymphNodeResult
        The estimates.
    """
    given = {name: table[name] for name in (*NODE_HEADS, "aln_us") if name in table and table[name].notna().any()}
    return compute_lymph_nodes(
        table["lnm"],
        table["prob"],
        cut,
        head=given.get(NODE_HEADS[0]),
        head_without_aln=given.get(NODE_HEADS[1]),
        ultrasound=given.get("aln_us"),
    )
