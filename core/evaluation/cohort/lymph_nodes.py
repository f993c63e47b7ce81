"""Lymph-node metastasis by the predicted Ki-67 group, and the heads and examinations that predict it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from core.evaluation.checks import Interval, prepare_outcome
from core.evaluation.discrimination.confusion import ConfusionResult, compute_confusion
from core.evaluation.discrimination.roc import RocResult, compute_roc
from core.evaluation.discrimination.roc_comparison import RocComparison, compare_roc
from core.evaluation.proportion import compute_difference_interval, compute_proportion

CIRCULAR = (
    "If axillary ultrasound is among the model's inputs, its relation to node metastasis is partly circular: read the "
    "figures without it."
)


@dataclass(frozen=True, eq=False)
class LymphNodeResult:
    """Node metastasis and what predicts it.

    Attributes
    ----------
    n, events : int
        Patients with a known node status and a predicted group, and those with metastasis.
    rates : DataFrame
        ``group, n, events, rate, ci_low, ci_high`` for the predicted groups high and low.
    difference, difference_ci : float, tuple or None
        Rate in the high group minus rate in the low group; Newcombe's interval.
    chisq, p, p_fisher : float or None
        Pearson's chi-squared without correction, its p value, and Fisher's exact one.
    test : {"chi-squared", "Fisher"}
        The one to report: Fisher's when an expected count lies below 5.
    group_classifier : ConfusionResult
        The predicted group used as the classifier of metastasis.
    ki67_probability, head, head_without_aln, ultrasound : RocResult, RocResult, RocResult, ConfusionResult or None
        The Ki-67 probability, the dedicated head with and without axillary ultrasound among its inputs, and axillary
        ultrasound itself; None where the column is lacking.
    comparisons : dict of str to RocComparison
        Head against Ki-67 probability, against axillary ultrasound, and against the head without it.
    note : str
        What to bear in mind.
    reason : str or None
        Why something could not be estimated.
    """

    n: int
    events: int
    rates: pd.DataFrame
    difference: float | None
    difference_ci: Interval | None
    chisq: float | None
    p: float | None
    p_fisher: float | None
    test: str
    group_classifier: ConfusionResult
    ki67_probability: RocResult
    head: RocResult | None
    head_without_aln: RocResult | None
    ultrasound: ConfusionResult | None
    comparisons: dict[str, RocComparison]
    note: str = CIRCULAR
    reason: str | None = None


def compute_lymph_nodes(
    metastasis: ArrayLike,
    prob: ArrayLike,
    threshold: float,
    *,
    head: ArrayLike | None = None,
    head_without_aln: ArrayLike | None = None,
    ultrasound: ArrayLike | None = None,
    conf_level: float = 0.95,
) -> LymphNodeResult:
    """Compute node metastasis by predicted group, and compare what predicts it.

    Parameters
    ----------
    metastasis : array-like of 0/1, shape (n,)
        Node metastasis (N1mi or more).
    prob : array-like, shape (n,)
        Probability of high Ki-67.
    threshold : float
        Group high is prob >= threshold.
    head, head_without_aln : array-like, shape (n,), optional
        Probability of metastasis by the dedicated head, with and without axillary ultrasound among its inputs.
    ultrasound : array-like of 0/1, shape (n,), optional
        Suspicious axillary nodes on ultrasound.

    Returns
    -------
    LymphNodeResult
        The estimates.

    Raises
    ------
    InputError
        If an input does not fit.
    """
    outcome, (ki67,), _ = prepare_outcome(metastasis, prob, probability=True)
    high = ki67 >= threshold
    counts = [(int(outcome[part].sum()), int(part.sum())) for part in (high, ~high)]
    shares = [compute_proportion(count, size, conf_level) for count, size in counts]
    rates = pd.DataFrame(
        [[name, n, k, *share] for name, (k, n), share in zip(("high", "low"), counts, shares, strict=True)],
        columns=["group", "n", "events", "rate", "ci_low", "ci_high"],
    )
    reason = _describe_missing_group(counts)
    chisq, p, p_fisher, test = (None, None, None, "Fisher") if reason else _test_table(counts)
    scores = {"head": head, "head_without_aln": head_without_aln}
    roc = {name: compute_roc(metastasis, s, conf_level=conf_level) for name, s in scores.items() if s is not None}
    return LymphNodeResult(
        len(outcome),
        int(outcome.sum()),
        rates,
        None if reason else shares[0][0] - shares[1][0],
        None if reason else compute_difference_interval(shares[0], shares[1]),
        chisq,
        p,
        p_fisher,
        test,
        compute_confusion(metastasis, prob, threshold, conf_level=conf_level),
        compute_roc(metastasis, prob, conf_level=conf_level),
        roc.get("head"),
        roc.get("head_without_aln"),
        None if ultrasound is None else compute_confusion(metastasis, ultrasound, 0.5, conf_level=conf_level),
        _compare(metastasis, head, {"ki67": prob, "ultrasound": ultrasound, "head_without_aln": head_without_aln}),
        reason=reason,
    )


def _describe_missing_group(counts: list[tuple[int, int]]) -> str | None:
    if not all(size for _, size in counts):
        return "One of the predicted groups is empty, so rates can't be compared."
    events, total = sum(k for k, _ in counts), sum(n for _, n in counts)
    return "All patients have the same node status." if events in {0, total} else None


def _test_table(counts: list[tuple[int, int]]) -> tuple[float, float, float, str]:
    from scipy.stats import fisher_exact  # noqa: PLC0415 - takes as long to import as a page to come

    observed = np.array([[k, n - k] for k, n in counts], dtype=np.float64)
    expected = observed.sum(axis=1, keepdims=True) * observed.sum(axis=0) / observed.sum()
    chisq = float(((observed - expected) ** 2 / expected).sum())
    exact = float(fisher_exact(observed.astype(int)).pvalue)
    return chisq, float(chdtrc(1, chisq)), exact, "Fisher" if expected.min() < 5 else "chi-squared"


def _compare(
    metastasis: ArrayLike, head: ArrayLike | None, others: dict[str, ArrayLike | None]
) -> dict[str, RocComparison]:
    if head is None:
        return {}
    return {name: compare_roc(metastasis, head, other) for name, other in others.items() if other is not None}
