"""All results of one split of a prediction table, as the pages draw them and the command line prints them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.errors import TableError
from core.evaluation.calibration.measures import CalibrationResult, compute_calibration
from core.evaluation.cohort.holm import adjust_holm
from core.evaluation.cohort.lymph_nodes import LymphNodeResult, compute_lymph_nodes
from core.evaluation.cohort.survival import SurvivalEvaluation, compute_group_survival
from core.evaluation.decision_curve import DecisionCurveResult, compute_decision_curve
from core.evaluation.discrimination.confusion import ConfusionResult, McNemarResult, compute_confusion, compute_mcnemar
from core.evaluation.discrimination.roc import RocResult, compute_roc
from core.evaluation.discrimination.roc_comparison import RocComparison, compare_roc
from core.evaluation.discrimination.threshold import ThresholdResult, choose_threshold
from core.evaluation.survival.time_auc import EARLY_MONTHS, TimeAucResult, compute_time_auc

DEVELOPMENT = ("train", "validation")
FITTED_ON = "train"
MAIN, PREFIX = "model", "prob_"
NODE_HEADS = ("prob_lnm", "prob_lnm_without_aln_us")
GRID = np.arange(1, 100) / 100


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


@dataclass(frozen=True, eq=False)
class SplitEvaluation:
    """Everything that is evaluated in one split; None where the table lacks the columns, with the reason.

    Attributes
    ----------
    patients, n, events : int
        Patients, those whose Ki-67 status is known, and those of them with high Ki-67.
    roc, comparisons, threshold, confusion, calibration, decision_curve :
        Results of the Ki-67 model; `confusion` is None without a threshold.
    survival, early_recurrence, lymph_nodes :
        Results of the end points, by the group that the threshold makes.
    reasons : dict of str to str
        Name of a missing result to its reason.
    """

    patients: int
    n: int
    events: int
    roc: RocResult
    comparisons: tuple[ModelComparison, ...]
    threshold: ThresholdResult
    confusion: ConfusionResult | None
    calibration: CalibrationResult
    decision_curve: DecisionCurveResult
    survival: SurvivalEvaluation | None
    early_recurrence: TimeAucResult | None
    lymph_nodes: LymphNodeResult | None
    reasons: dict[str, str]


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


def compute_split(table: pd.DataFrame, threshold: ThresholdResult, *, development: bool = False) -> SplitEvaluation:
    """Evaluate one split.

    Parameters
    ----------
    table : DataFrame
        One row a patient: ``y, prob`` and, where known, ``prob_<model>, centre, lnm, prob_lnm, aln_us, rfs_months,
        rfs_event, age, size_mm``.
    threshold : ThresholdResult
        Group high is prob >= threshold.
    development : bool
        Whether the model was fitted on these patients.

    Returns
    -------
    SplitEvaluation
        All results.

    Raises
    ------
    TableError
        If ``y`` or ``prob`` is lacking.
    """
    lacking = [name for name in ("y", "prob") if name not in table]
    if lacking:
        raise TableError(
            f"The prediction table has no column {' and '.join(lacking)}; add it or map another column to it."
        )
    cut, reasons = threshold.threshold, {}
    if cut is None:
        reasons["confusion"] = f"There is no threshold: {threshold.reason}"
    survival = _skip(table, ("rfs_months", "rfs_event"), cut, "survival", reasons)
    early = _skip(table, ("rfs_months", "rfs_event"), 0.0, "early_recurrence", reasons)
    nodes = _skip(table, ("lnm",), cut, "lymph_nodes", reasons)
    return SplitEvaluation(
        len(table),
        int(table["y"].notna().sum()),
        int((table["y"] == 1).sum()),
        compute_roc(table["y"], table["prob"]),
        compare_models(table, cut),
        threshold,
        None if cut is None else compute_confusion(table["y"], table["prob"], cut),
        compute_calibration(table["y"], table["prob"], role="development" if development else "external"),
        compute_net_benefit(table),
        None if survival or cut is None else compute_group_survival(table, cut),
        None if early else compute_time_auc(table["rfs_months"], table["rfs_event"], table["prob"], EARLY_MONTHS),
        None if nodes or cut is None else compute_nodes(table, cut),
        reasons,
    )


def _skip(table: pd.DataFrame, columns: tuple[str, ...], cut: float | None, name: str, reasons: dict[str, str]) -> bool:
    lacking = [column for column in columns if column not in table or table[column].isna().all()]
    if lacking:
        reasons[name] = f"The table has no values in {' and '.join(lacking)}."
    elif cut is None:
        reasons[name] = "Without a threshold there are no predicted groups."
    return name in reasons


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
    others = _list_probabilities(table)
    tests = {name: compare_roc(table["y"], table["prob"], other) for name, other in others.items()}
    corrected = adjust_holm({name: test.p for name, test in tests.items()})
    mcnemar = {}
    if cut is not None:
        main = _decide(table["prob"], cut)
        mcnemar = {name: compute_mcnemar(table["y"], main, _decide(other, cut)) for name, other in others.items()}
    return tuple(ModelComparison(name, test, corrected[name], mcnemar.get(name)) for name, test in tests.items())


def compute_net_benefit(table: pd.DataFrame) -> DecisionCurveResult:
    """Compute net benefit of every model of a prediction table at thresholds from 0.01 to 0.99.

    Parameters
    ----------
    table : DataFrame
        With ``y, prob`` and ``prob_<model>``.

    Returns
    -------
    DecisionCurveResult
        On the patients that are complete for all models.
    """
    return compute_decision_curve(table["y"], {MAIN: table["prob"], **_list_probabilities(table)}, GRID)


def _list_probabilities(table: pd.DataFrame) -> dict[str, pd.Series]:
    return {name: table[PREFIX + name] for name in list_models(table)}


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
