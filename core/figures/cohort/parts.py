"""Where the combined model is worth less than a part of itself."""

from collections.abc import Iterable

import numpy as np

from core.evaluation import DecisionCurveResult, ModelComparison
from core.evaluation.cohort.results import label_model
from core.evaluation.cohort.split import MAIN
from core.evaluation.estimate import write_estimate, write_p
from core.figures.wording import write_threshold

PARTS = ("image", "clinical")


def describe_lower_auc(comparisons: Iterable[ModelComparison], *, cohort: str = "this cohort") -> str:
    """Say where the combined model's AUC lies below that of its image or its clinical part; empty if nowhere.

    Parameters
    ----------
    comparisons : iterable of ModelComparison
        The combined model minus each other one, on the same patients.
    cohort : str
        Name of the patients.

    Returns
    -------
    str
        A sentence a part, with the difference, its interval, p and n.
    """
    sentences = []
    for comparison in comparisons:
        roc = comparison.roc
        if comparison.model not in PARTS or roc.difference is None or not roc.difference < 0:
            continue
        difference = write_estimate(roc.difference, roc.ci, roc.reason)
        sentences.append(
            f"In {cohort} the combined model's AUC, {roc.auc_a:.3f}, lies below that of a part of it, "
            f"{label_model(comparison.model).lower()}, {roc.auc_b:.3f}: difference {difference}, {write_p(roc.p)}; "
            f"n = {roc.n:,}."
        )
    return " ".join(sentences)


def describe_lower_benefit(
    result: DecisionCurveResult, limits: tuple[float, float], *, cohort: str = "this cohort"
) -> str:
    """Say at which thresholds the combined model's net benefit lies below that of a part of it; empty if at none.

    Parameters
    ----------
    result : DecisionCurveResult
        Net benefit under the models' labels.
    limits : tuple of float
        Range of thresholds drawn.
    cohort : str
        Name of the patients.

    Returns
    -------
    str
        A sentence a part.
    """
    wide = result.table.pivot(index="threshold", columns="model", values="net_benefit")
    wide = wide[(wide.index >= limits[0]) & (wide.index <= limits[1])]
    sentences = []
    for part in (label_model(name) for name in PARTS):
        if part not in wide or label_model(MAIN) not in wide:
            continue
        below = wide.index[wide[label_model(MAIN)] < wide[part] - 1e-12]
        if len(below):
            steps = np.flatnonzero(wide.index.isin(below))
            ends = [write_threshold(wide.index[step]) for step in (steps[0], steps[-1])]
            where = f"at {ends[0]}" if len(below) == 1 else f"between {ends[0]} and {ends[1]}"
            sentences.append(
                f"In {cohort} the combined model's net benefit lies below that of a part of it, {part.lower()}, at "
                f"{len(below)} of {len(wide)} thresholds, {where}; n = {result.n:,}."
            )
    return " ".join(sentences)
